"""A stop that is asked for before the lane takes input is a stop like any other: exit code 0, and at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from orchestrator.stream.connection import Connection
from orchestrator.stream.lane_settings import LaneError, LaneSettings
from orchestrator.stream.run import run_lane
from orchestrator.stream.transport import LaneConsumer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from orchestrator.stream.lane.records import Core
    from orchestrator.stream.run import Lane


def run_with(attachment: Callable[[Lane], Any], folder: Path) -> int:
    """Run a lane with this beside it; where nobody listens, so that Faust cannot have started."""
    settings = LaneSettings(
        app_id="a", table="t", connection=Connection("127.0.0.1:1"), partitions=1, data_dir=folder / "data"
    )
    core = SimpleNamespace(input_topics=("channel.web",))
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        return run_lane(cast("Core", core), settings, attachments=[attachment])
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)


def test_told_to_stop_while_something_beside_it_is_being_prepared_it_does_not_wait_for_that(tmp_path: Path) -> None:
    left: list[str] = []

    @contextlib.asynccontextmanager
    async def never_ready(lane: Lane) -> AsyncIterator[None]:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()  # a first release that nobody publishes
            yield
        finally:
            left.append("put away")

    began = time.monotonic()
    assert run_with(never_ready, tmp_path) == 0
    assert time.monotonic() - began < 5
    assert left == ["put away"]


def test_told_to_stop_when_all_is_prepared_it_does_not_join_the_group_first(tmp_path: Path) -> None:
    left: list[str] = []

    @contextlib.asynccontextmanager
    async def stops_it(lane: Lane) -> AsyncIterator[None]:
        lane.stop()
        yield
        left.append("put away")

    assert run_with(stops_it, tmp_path) == 0, "to join would have failed: no broker listens"
    assert left == ["put away"]


def test_a_failure_beside_it_stays_a_failure(tmp_path: Path) -> None:
    @contextlib.asynccontextmanager
    async def cancelled_by_somebody_else(lane: Lane) -> AsyncIterator[None]:
        raise asyncio.CancelledError
        yield

    with pytest.raises(asyncio.CancelledError):
        run_with(cancelled_by_somebody_else, tmp_path)


@pytest.mark.parametrize("should_stop", [True, False], ids=["stopping", "running"])
async def test_the_fetch_loop_ends_when_it_is_cancelled_by_a_stop_and_by_nothing_else(should_stop: bool) -> None:
    """Faust takes the cancellation for a restart while it has no partitions yet, and the restart for a crash."""
    running = asyncio.Event()

    async def drain_once() -> None:
        running.set()
        await asyncio.Event().wait()

    never = asyncio.Event()
    consumer = SimpleNamespace(
        _stopped=never, _drain_once=drain_once, app=SimpleNamespace(should_stop=should_stop, rebalancing=True)
    )
    drain = LaneConsumer._drain_messages(cast("LaneConsumer", consumer), SimpleNamespace(_stopped=never))
    fetching = asyncio.ensure_future(drain)
    await running.wait()
    fetching.cancel()
    await asyncio.wait([fetching])
    assert fetching.cancelled() is not should_stop


def test_a_data_folder_that_cannot_be_written_to_is_told_with_what_to_do(tmp_path: Path) -> None:
    @contextlib.asynccontextmanager
    async def nothing(lane: Lane) -> AsyncIterator[None]:
        yield

    (tmp_path / "data").write_text("a file")
    with pytest.raises(LaneError, match=r"^cannot write to .*data: File exists; choose another folder with data_dir$"):
        run_with(nothing, tmp_path)
