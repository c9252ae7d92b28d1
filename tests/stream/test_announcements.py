"""A worker says again and again what it owns, whatever the broker does meanwhile."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from aiokafka.errors import KafkaTimeoutError

from orchestrator.language.bundle import EventSchemas
from orchestrator.stream.asking_announce import Announcer
from orchestrator.stream.worker import _Worker
from orchestrator.stream.worker_figures import WorkerFigures
from orchestrator.telemetry.recorder import Recorder

if TYPE_CHECKING:
    import pytest

    from orchestrator.stream.lane.records import Outgoing
    from orchestrator.stream.run import Lane
    from orchestrator.stream.worker import WorkerParts


async def test_an_announcement_that_the_broker_does_not_take_is_made_again() -> None:
    """The first one that failed was the last: who owned what was never put right any more, and nobody was told."""
    answers, written = iter([None, KafkaTimeoutError(), None]), asyncio.Event()

    async def send(outgoing: Outgoing) -> None:
        answer = next(answers, None)
        if answer is not None:
            raise answer
        written.set()

    announcer = Announcer(send, "one", "127.0.0.1:1")
    await announcer.recovered(0, 7)
    written.clear()
    again = asyncio.ensure_future(announcer.run(every=0.001))
    async with asyncio.timeout(5):
        await written.wait()
    again.cancel()


async def test_what_else_ends_the_announcements_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = asyncio.Event()
    parts = SimpleNamespace(
        link_keys=(), tenant="default", channels=["channel.web"], partitions=1, schemas=EventSchemas(), name="one",
        figures=WorkerFigures(Recorder()), ask_keys=(), bind="127.0.0.1", host="127.0.0.1", port=0,
    )  # fmt: skip

    async def broken(_announcer: Announcer) -> None:
        raise ArithmeticError("a defect")

    monkeypatch.setattr(Announcer, "run", broken)
    worker = _Worker(cast("WorkerParts", parts))
    lane = SimpleNamespace(stop=stopped.set, send=None, heard_ago=lambda: 0)
    async with asyncio.timeout(5), worker.asking(cast("Lane", lane)):
        await stopped.wait()
    assert worker.failed
