"""A worker that may have lost its partitions without knowing writes and sends nothing before its group is heard.

And what the group has not committed is not taken for committed.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from orchestrator.stream.connection import Connection
from orchestrator.stream.emitter import Pipeline
from orchestrator.stream.lane.records import Batch, Outgoing
from orchestrator.stream.lane_settings import LaneHooks, LaneSettings
from orchestrator.stream.shell import Shell
from orchestrator.stream.watchdog import Pulse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.stream.lane.records import Core
    from orchestrator.stream.shell import Group

SESSION = 6_000
WRITES = Batch([(b"key", b"value")], [Outgoing("actions", b"key", b"message")], {"channel.web": 1})


class TheGroup:
    """A group that was heard some time ago, and that takes commits or does not."""

    def __init__(self) -> None:
        self.heard_at = time.monotonic()
        self.takes = True
        self.committed: list[dict[tuple[str, int], int]] = []

    async def commit_offsets(self, offsets: Mapping[tuple[str, int], int]) -> bool:
        if self.takes:
            self.committed.append(dict(offsets))
        return self.takes


class Silent:
    """Stands in for the way to the broker: notes what is written, and never answers."""

    def __init__(self) -> None:
        self.written: list[str] = []

    async def append(self, topic: str, partition: int, rows: Any) -> list[Any]:
        self.written.append("changelog")
        return []

    async def send(self, sends: Any) -> list[Any]:
        self.written.append("sends")
        return []


@pytest.fixture
def group() -> TheGroup:
    return TheGroup()


@pytest.fixture
async def shell(group: TheGroup) -> Shell:
    settings = LaneSettings(
        app_id="a", table="t", connection=Connection("b:1"), partitions=1, data_dir=Path("unused"),
        session_timeout=SESSION,
    )  # fmt: skip
    shell = Shell(cast("Core", SimpleNamespace(input_topics=("channel.web",))), settings, LaneHooks(), Pulse())
    shell.group = cast("Group", group)
    return shell


async def handed_over(shell: Shell) -> tuple[Pipeline, Silent]:
    """A pipeline that asks the shell, with one batch in it."""
    broker = Silent()
    pipeline = Pipeline(
        cast("Any", broker), ("changelog", 0), ownership=shell, log=cast("Any", SimpleNamespace(wrote=lambda *_: None)),
        fail=shell.fail, on_durable=lambda _: None, limit=4,
    )  # fmt: skip
    await pipeline.put(WRITES)
    await asyncio.sleep(0.06)
    return pipeline, broker


async def test_who_has_heard_from_the_group_lately_writes_at_once(shell: Shell) -> None:
    pipeline, broker = await handed_over(shell)
    assert broker.written == ["changelog", "sends"]
    await pipeline.close()


async def test_who_stood_still_for_longer_than_a_session_writes_when_the_group_is_heard_again(
    shell: Shell, group: TheGroup
) -> None:
    group.heard_at = time.monotonic() - SESSION / 1000 - 1
    pipeline, broker = await handed_over(shell)
    assert broker.written == []
    group.heard_at = time.monotonic()
    async with asyncio.timeout(5):
        await pipeline.drain()
    assert broker.written == ["changelog", "sends"]
    await pipeline.close()


@pytest.mark.parametrize("end", ["it has failed", "it gives its partitions up"])
async def test_who_never_hears_of_it_again_has_written_nothing(shell: Shell, group: TheGroup, end: str) -> None:
    group.heard_at = time.monotonic() - SESSION / 1000 - 1
    pipeline, broker = await handed_over(shell)
    if end == "it has failed":
        shell.fail(RuntimeError())
    else:
        await shell.release()
    async with asyncio.timeout(5):
        await pipeline.drain()
    assert (broker.written, pipeline.broken, pipeline.take_done()) == ([], True, {})
    await pipeline.close()


class Runner:
    """A partition with something done, that remembers what it hears of commits."""

    def __init__(self) -> None:
        self.pipeline = SimpleNamespace(take_done=lambda: {"channel.web": 17})
        self.heard: list[dict[str, int]] = []

    def note_committed(self, offsets: dict[str, int]) -> None:
        self.heard.append(offsets)


@pytest.mark.parametrize("takes", [True, False], ids=["the group takes it", "the group does not"])
async def test_a_partition_hears_of_commits_that_the_group_has_taken_and_of_no_others(
    shell: Shell, group: TheGroup, takes: bool
) -> None:
    runner = Runner()
    shell.runners[0] = cast("Any", runner)
    group.takes = takes
    assert await shell.commit() is takes
    assert group.committed == [{("channel.web", 0): 17}] * takes
    assert runner.heard == [{"channel.web": 17}] * takes
