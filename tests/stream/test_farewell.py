"""Told to stop while the broker is away: leave in time, and say what that means; wait for one that only is slow."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from orchestrator.stream.farewell import leave_without_broker

if TYPE_CHECKING:
    import pytest

    from orchestrator.stream.shell import Shell


class Stopping:
    """A shell on its way out: some batches wait, and the group was last heard of long ago."""

    def __init__(self, batches: int = 3) -> None:
        self.settings = SimpleNamespace(stop_patience=300, session_timeout=100)
        self.failure: BaseException | None = None
        self.batches = batches
        self.heard = 0.0

    def in_hand(self) -> dict[int, int]:
        return {0: self.batches, 1: 0}

    def uncommitted(self) -> list[int]:
        return [self.batches * 100, 0]

    def heard_at(self) -> float:
        return self.heard


async def told() -> None:
    """The lane is told to stop at once."""


async def watched(shell: Stopping, seconds: float = 5.0) -> list[int]:
    """The codes by which the process would have ended, as soon as there is one, or nothing after so long."""
    codes: list[int] = []
    leaving = asyncio.ensure_future(leave_without_broker(cast("Shell", shell), told(), codes.append))
    await asyncio.wait([leaving], timeout=seconds)
    leaving.cancel()
    return codes


async def test_without_a_word_from_the_broker_it_leaves_and_says_that_nothing_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    began = time.monotonic()
    assert await watched(Stopping()) == [0]
    assert time.monotonic() - began >= 0.3
    (line,) = caplog.messages
    assert line.startswith(
        "Kafka does not answer, leaving after 0 s without it: 300 records of 1 partitions are decided"
    )
    assert "Nothing is lost" in line


async def test_after_a_failure_the_code_says_so() -> None:
    shell = Stopping()
    shell.failure = RuntimeError()
    assert await watched(shell) == [1]


async def test_a_broker_that_the_group_hears_of_is_waited_for() -> None:
    shell = Stopping()
    shell.heard = time.monotonic() + 3600
    assert await watched(shell, 0.8) == []


async def test_batches_that_get_done_one_by_one_are_waited_for() -> None:
    shell = Stopping(batches=8)

    async def acknowledged() -> None:
        while shell.batches:
            await asyncio.sleep(0.15)
            shell.batches -= 1

    slowly = asyncio.ensure_future(acknowledged())
    assert await watched(shell, 1.1) == []
    await slowly


async def test_who_is_not_told_to_stop_stays() -> None:
    codes: list[int] = []
    leaving = asyncio.ensure_future(
        leave_without_broker(cast("Shell", Stopping()), asyncio.Event().wait(), codes.append)  # type: ignore[arg-type]
    )
    await asyncio.wait([leaving], timeout=0.6)
    leaving.cancel()
    assert codes == []
