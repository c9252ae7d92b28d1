"""When a worker is ready: its group knows it, and what it was given takes input; also one that was given nothing."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from orchestrator.stream.connection import Connection
from orchestrator.stream.lane_settings import LaneHooks, LaneSettings
from orchestrator.stream.recovery import LaneRecovery
from orchestrator.stream.run import Lane
from orchestrator.stream.shell import Shell
from orchestrator.stream.watchdog import Pulse

if TYPE_CHECKING:
    from orchestrator.stream.lane.records import Core
    from orchestrator.stream.shell import Group


@pytest.fixture
async def shell() -> Shell:
    settings = LaneSettings(
        app_id="a",
        table="t",
        connection=Connection("b:1"),
        partitions=4,
        data_dir=Path("unused"),
        session_timeout=6_000,
    )
    shell = Shell(cast("Core", SimpleNamespace(input_topics=("channel.web",))), settings, LaneHooks(), Pulse())
    shell.group = cast("Group", SimpleNamespace(heard_at=time.monotonic()))
    return shell


async def opened(shell: Shell, restores: dict[int, Any]) -> None:
    """The last step of a recovery, on its own."""
    await LaneRecovery._open(cast("LaneRecovery", SimpleNamespace(_shell=shell)), restores, 1)


async def test_before_it_has_joined_it_is_not_ready(shell: Shell) -> None:
    shell.group = None
    assert Lane(shell).parts() == {"group": False, "partitions": False}


async def test_it_is_ready_when_what_it_was_given_is_recovered_and_not_meanwhile(shell: Shell) -> None:
    lane = Lane(shell)
    for _ in range(2):  # a rebalance later, the same
        shell.begin([0, 1])
        assert lane.parts() == {"group": True, "partitions": False}
        shell.start()
        assert lane.parts() == {"group": True, "partitions": True}
    await shell.release()
    assert lane.parts() == {"group": True, "partitions": False}


async def test_a_worker_to_spare_is_ready_though_it_owns_nothing(shell: Shell) -> None:
    """Else a rolling update would wait for ever for a worker that there is no partition left for."""
    shell.begin([])
    await opened(shell, {})
    assert Lane(shell).parts() == {"group": True, "partitions": True}


async def test_who_has_not_heard_from_the_group_for_a_session_or_has_failed_is_not_ready(shell: Shell) -> None:
    shell.begin([])
    shell.start()
    shell.fail(RuntimeError())
    assert not Lane(shell).parts()["partitions"]
    shell.group = cast("Group", SimpleNamespace(heard_at=time.monotonic() - 7))
    assert not Lane(shell).parts()["group"]


async def test_each_assignment_is_told_with_how_many_partitions_there_are(shell: Shell) -> None:
    told: list[int] = []
    shell.hooks = LaneHooks(on_assigned=told.append)
    shell.begin([0, 1])
    shell.begin([])
    assert told == [2, 0]
