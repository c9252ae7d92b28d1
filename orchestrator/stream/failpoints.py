"""Named points at which a test can end the process as SIGKILL would. Production never builds these classes.

`CRASH_AT=POINT` or `CRASH_AT=POINT:COUNT` in the environment ends the process the first or COUNT-th time that a
batch with something to lose at that point gets there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestrator.stream.emitter import Pipeline
from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.stream.emitter import Ack
    from orchestrator.stream.lane.records import Batch

POINTS = ("after_changelog", "half_outbox", "after_outbox", "before_commit", "after_commit")
EXIT_CODE = 137
_left: dict[str, int] = {}


def arm(environment: Mapping[str, str]) -> bool:
    """Read `CRASH_AT`; whether any point is armed.

    Raises:
        LaneError: the point does not exist.
    """
    _left.clear()
    wanted = environment.get("CRASH_AT", "")
    if not wanted:
        return False
    point, _, count = wanted.partition(":")
    if point not in POINTS or not (count or "1").isdigit():
        raise LaneError(f"CRASH_AT={wanted!r}: give one of {', '.join(POINTS)}, with :COUNT where wanted")
    _left[point] = int(count or "1")
    return True


def reach(point: str) -> None:
    """End the process here if this point is armed and due."""
    if point not in _left:
        return
    _left[point] -= 1
    if _left[point] <= 0:
        os._exit(EXIT_CODE)


class FailingPipeline(Pipeline):
    """A pipeline that ends the process at its armed point."""

    async def changelog_acknowledged(self, batch: Batch) -> None:
        await super().changelog_acknowledged(batch)
        if batch.changelog and batch.offsets:
            reach("after_changelog")

    async def append_sends(self, batch: Batch) -> list[Ack]:
        if "half_outbox" in _left and len(batch.sends) > 1:
            half = [*batch.sends][: len(batch.sends) // 2]
            for ack in await self._emitter.send(half):
                await ack.future
            reach("half_outbox")
            rest = await self._emitter.send(batch.sends[len(half) :])
            return [*rest]
        return await super().append_sends(batch)

    def sends_acknowledged(self, batch: Batch) -> None:
        if batch.sends:
            reach("after_outbox")


class FailingShell(Shell):
    """A shell that ends the process at its armed point around a commit."""

    async def commit_offsets(self, offsets: Mapping[tuple[str, int], int]) -> bool:
        reach("before_commit")
        taken = await super().commit_offsets(offsets)
        reach("after_commit")
        return taken
