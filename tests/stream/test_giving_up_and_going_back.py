"""What a worker has done is committed before it lets a partition go, and input that goes back in time is a fault."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from faust.types import TP

from orchestrator.stream.connection import Connection
from orchestrator.stream.lane.merge import Merge
from orchestrator.stream.lane.records import Record
from orchestrator.stream.lane_settings import LaneError, LaneHooks, LaneSettings
from orchestrator.stream.recovery import _start
from orchestrator.stream.shell import Shell
from orchestrator.stream.watchdog import Pulse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.stream.lane.records import Core
    from orchestrator.stream.shell import Group

WEB = TP("channel.web", 0)


class Steps:
    """A partition and its group, and what is done with them, in order."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.heard_at = time.monotonic()
        self.pipeline = SimpleNamespace(take_done=lambda: {"channel.web": 17}, broken=False)
        self.table = SimpleNamespace(keep=lambda: True)
        self.partition = 0
        self.merge = Merge(["channel.web"])
        self.merge.start("channel.web", 10, 20)

    async def finish(self) -> None:
        self.taken.append("finished")

    async def commit_offsets(self, offsets: Mapping[tuple[str, int], int]) -> bool:
        self.taken.append(f"committed {dict(offsets)}")
        return True

    def note_committed(self, offsets: dict[str, int]) -> None:
        self.taken.append("told")

    async def revoke(self) -> None:
        self.taken.append("forgotten")

    def feed(self, topic: str, records: list[Record], position: int, end: int) -> None:
        self.merge.add(topic, records, position)


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
async def shell(steps: Steps) -> Shell:
    settings = LaneSettings(
        app_id="a", table="t", connection=Connection("b:1"), partitions=1, data_dir=Path("unused"),
        session_timeout=6_000,
    )  # fmt: skip
    shell = Shell(cast("Core", SimpleNamespace(input_topics=("channel.web",))), settings, LaneHooks(), Pulse())
    shell.group = cast("Group", steps)
    shell.runners[0] = cast("Any", steps)
    return shell


async def test_what_is_done_is_committed_before_the_partition_is_forgotten(shell: Shell, steps: Steps) -> None:
    await shell.release()
    assert steps.taken == ["finished", "committed {('channel.web', 0): 17}", "told", "forgotten"]
    assert shell.runners == {}


def records(*offsets: int) -> list[Record]:
    return [Record("channel.web", 0, offset, 0, None, b"{}") for offset in offsets]


async def test_input_that_goes_on_where_it_was_is_taken(shell: Shell, steps: Steps) -> None:
    shell.feed({WEB: (records(10, 11), 12, 20)})
    assert (steps.merge.backlog("channel.web"), steps.merge.position("channel.web")) == (2, 12)


async def test_input_that_goes_back_ends_the_worker_with_what_to_look_at(shell: Shell, steps: Steps) -> None:
    """Records were deleted and others written under their offsets: to apply those would mix two histories."""
    with pytest.raises(LaneError, match=r"channel\.web\[0\] went back from offset 10 to 3: .*check it"):
        shell.feed({WEB: (records(3, 4), 5, 20)})
    assert steps.merge.backlog("channel.web") == 0


async def test_input_of_a_partition_that_is_not_ours_is_a_defect(shell: Shell) -> None:
    with pytest.raises(LaneError, match="not ours"):
        shell.feed({TP("channel.web", 5): (records(3), 4, 20)})


@pytest.mark.parametrize(("committed", "start"), [(None, 5), (5, 5), (17, 17), (20, 20)])
def test_reading_starts_where_the_group_stands_or_where_the_topic_begins(committed: int | None, start: int) -> None:
    assert _start(WEB, committed, begin=5, end=20) == start


def test_what_retention_has_deleted_is_passed_over_and_told(caplog: pytest.LogCaptureFixture) -> None:
    assert _start(WEB, 2, begin=5, end=20) == 5
    assert "3 records were deleted" in caplog.text


def test_a_commit_beyond_the_end_ends_the_worker_with_what_to_look_at() -> None:
    """The topic was made anew, or its broker lost records: to wait for that offset would pass over what comes."""
    with pytest.raises(LaneError, match=r"committed offset 21 of channel\.web\[0\], which ends at 20: .*check it"):
        _start(WEB, 21, begin=5, end=20)
