"""A worker answers for what it owns while its group has been heard of within a session: else another one may."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import aiohttp
import msgspec
import pytest

from orchestrator.language.bundle import EventSchemas
from orchestrator.stream.asking_wire import MISDIRECTED, PATH, Question
from orchestrator.stream.worker import _Worker
from orchestrator.stream.worker_figures import WorkerFigures
from orchestrator.telemetry.recorder import Recorder

if TYPE_CHECKING:
    from orchestrator.stream.lane.records import Outgoing
    from orchestrator.stream.run import Lane
    from orchestrator.stream.worker import WorkerParts

SESSION = 6_000
BUNDLE = b"bundle: tiny\n---\nidentity: here\nnamespaces: {email: unique}\n"
QUESTION = msgspec.json.encode(Question("default", "email:amy@example.com", None, (), {}, 2_000, context=True))


class Figures(WorkerFigures):
    """Those of a worker, and the port on which it answers."""

    port = 0

    def answering(self, port: int) -> None:
        self.port = port


class Group:
    """The lane as far as a worker's answers need it."""

    def __init__(self, heard_ago: int) -> None:
        self.heard = heard_ago
        self.sent: list[Outgoing] = []

    def heard_ago(self) -> int:
        return self.heard

    async def send(self, outgoing: Outgoing) -> None:
        self.sent.append(outgoing)

    def stop(self) -> None:
        raise AssertionError("nothing here ends a worker")


async def worker(*, owns: bool) -> _Worker:
    """A worker on a release, with its only partition or without."""
    parts = SimpleNamespace(
        link_keys=(), tenant="default", channels=["channel.web"], partitions=1, connection={}, schemas=EventSchemas(),
        figures=Figures(Recorder()), session_timeout=SESSION, bind="127.0.0.1", host="127.0.0.1", port=0, name="w",
        ask_keys=(),
    )  # fmt: skip
    made = _Worker(cast("WorkerParts", parts))
    blob = hashlib.sha256(BUNDLE).hexdigest()
    listed = msgspec.json.encode({"release": "r1", "files": {"all.yaml": blob}})
    word = msgspec.json.encode({"release": "r1", "published_at": 1})
    await made._bundle_rows([(blob.encode(), BUNDLE), (b"default/release/r1", listed), (b"default/release", word)])
    await made._first_release()
    if owns:
        made.core.assigned(0, {}, {}, 0)
    return made


async def status(made: _Worker, heard_ago: int) -> int:
    """What a question for a customer of its partition is answered with."""
    async with made.asking(cast("Lane", Group(heard_ago))), aiohttp.ClientSession() as session:
        port = cast("Figures", made.parts.figures).port
        async with session.post(f"http://127.0.0.1:{port}{PATH}", data=QUESTION) as answer:
            return answer.status


@pytest.mark.parametrize(
    ("owns", "heard_ago", "answered"),
    [(True, 0, 200), (True, SESSION - 1, 200), (True, SESSION, MISDIRECTED), (False, 0, MISDIRECTED)],
    ids=["an owner", "one that was heard of lately", "one that was not, for a session", "one that owns nothing"],
)
async def test_who_is_asked_answers_or_sends_on(owns: bool, heard_ago: int, answered: int) -> None:
    assert await status(await worker(owns=owns), heard_ago) == answered
