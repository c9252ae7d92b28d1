"""Which release a worker runs on, as the topic `bundles` tells it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Self, cast

import msgspec
import pytest

from orchestrator.language.bundle import EventSchemas, LoadResult
from orchestrator.language.source import Position
from orchestrator.language.source.diagnostic import diagnostic
from orchestrator.stream.refusal import why_refused
from orchestrator.stream.worker import _Worker
from orchestrator.stream.worker_figures import WorkerFigures
from orchestrator.telemetry.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.stream.run import Lane
    from orchestrator.stream.worker import WorkerParts


def published(release: str, at: int, bundle: bytes = b"bundle: tiny\n") -> list[tuple[bytes, bytes | None]]:
    blob = hashlib.sha256(bundle).hexdigest()
    listed = msgspec.json.encode({"release": release, "files": {"all.yaml": blob}})
    word = msgspec.json.encode({"release": release, "published_at": at})
    return [(blob.encode(), bundle), (f"default/release/{release}".encode(), listed), (b"default/release", word)]


def not_published() -> _Worker:
    parts = SimpleNamespace(
        link_keys=(), tenant="default", channels=["channel.web"], partitions=1, schemas=EventSchemas(),
        figures=WorkerFigures(Recorder()), connection={},
    )  # fmt: skip
    return _Worker(cast("WorkerParts", parts))


@pytest.fixture
async def worker() -> _Worker:
    """A worker on its first release."""
    worker = not_published()
    worker._bundle_rows(published("r1", 1))
    await worker._first_release()
    return worker


async def test_a_release_that_is_published_again_is_not_built_again_and_an_earlier_one_is(
    worker: _Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """To build a large bundle takes the worker's loop for seconds; a desk publishes its folder at each start."""
    with caplog.at_level("INFO", "orchestrator"):
        caplog.clear()
        for at, release in enumerate(("r1", "r2", "r2", "r1", "r1"), 2):
            worker._bundle_rows(published(release, at))
    assert [message.split()[1] for message in caplog.messages] == ["r2", "r1"]
    assert worker.releases.taken[worker.parts.tenant] == "r1"


async def test_a_release_whose_files_come_later_is_built_when_it_is_published_again(worker: _Worker) -> None:
    blob, listed, word = published("r2", 2, b"bundle: other\n")
    worker._bundle_rows([listed, word])
    assert worker.releases.taken[worker.parts.tenant] == "r1"
    worker._bundle_rows([blob, word])
    assert worker.releases.taken[worker.parts.tenant] == "r2"


async def test_a_worker_that_starts_on_many_releases_goes_on_to_beat_and_ends_on_the_newest() -> None:
    """Built in one go, eighty small ones took longer than the watchdog waits for a loop: no worker started again."""
    worker, beats, half = not_published(), list[int](), asyncio.Event()

    async def beat() -> None:
        while True:
            beats.append(len(worker.programs))
            if len(worker.programs) == 3:
                half.set()
            await asyncio.sleep(0)

    for number in range(1, 6):
        worker._bundle_rows(published(f"r{number}", number, f"bundle: b{number}\n".encode()))
    beating = asyncio.ensure_future(beat())
    starting = asyncio.ensure_future(worker._first_release())
    await half.wait()
    worker._bundle_rows(published("r6", 6, b"bundle: b6\n"))
    await starting
    beating.cancel()
    assert {0, 1, 2, 3, 4, 5} <= {*beats}, "a beat between any two"
    assert [*worker.programs] == ["r1", "r2", "r3", "r4", "r5", "r6"]
    assert worker.releases.taken == {"default": "r6"}
    assert worker.core.current is worker.programs["r6"]


async def test_a_first_release_with_errors_is_read_once_and_the_worker_goes_on_with_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """To read it anew twice a second kept the loop of a waiting worker busy, and its log full."""
    worker = not_published()
    worker._bundle_rows(published("bad", 1, b"bundle: {"))
    waiting = asyncio.ensure_future(worker._first_release())
    with caplog.at_level("INFO", "orchestrator"), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.2):
            await asyncio.shield(waiting)
    assert [message.split(":")[0] for message in caplog.messages if "refused" in message] == ["release bad refused"]
    assert not waiting.done()
    worker._bundle_rows(published("good", 2))
    async with asyncio.timeout(5):
        await waiting
    assert worker.releases.taken == {"default": "good"}


DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize("key", [b"default/release", b"default/release/r1", b"\xff"])
async def test_a_record_that_is_no_bundle_or_no_fact_is_left_aside(worker: _Worker, key: bytes) -> None:
    """It stays in the topic: a worker that ended on it would do so at each start."""
    worker._bundle_rows([(key, DEEP)])
    worker._fact_rows([(key, DEEP), (b"default/stock/lumo-1", b'{"left": 3}')])
    assert worker.facts.row("stock", "lumo-1") == {"left": 3}


class TopicThatEnds:
    """A topic held whole that is read to its end; what comes after that cannot be read."""

    def __init__(self, *_: object, **__: object) -> None:
        self.rows = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def ready(self) -> None: ...

    def when_failed(self, told: Callable[[BaseException], None]) -> None:
        asyncio.get_running_loop().call_soon(told, PermissionError("the right to read was taken away"))


async def test_a_worker_that_waits_for_its_first_release_ends_when_it_can_read_of_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker, stopped = not_published(), asyncio.Event()
    monkeypatch.setattr("orchestrator.stream.worker.CompactedTopic", TopicThatEnds)
    monkeypatch.setattr("orchestrator.stream.worker.VersionedTopic", TopicThatEnds)
    entering = asyncio.ensure_future(worker.shared(cast("Lane", SimpleNamespace(stop=stopped.set))).__aenter__())
    async with asyncio.timeout(5):
        await stopped.wait()
    entering.cancel()  # as the lane does when it stops
    await asyncio.gather(entering, return_exceptions=True)
    assert worker.failed


async def test_a_worker_that_starts_while_a_release_with_errors_counts_runs_on_the_newest_without() -> None:
    """As one that was there before it, and as delivery; it takes the next one without errors when that is published."""
    worker = not_published()
    for at, (release, bundle) in enumerate((("r1", b"bundle: one\n"), ("r2", b"bundle: two\n"), ("bad", b"bundle: {"))):
        worker._bundle_rows(published(release, at, bundle))
    await worker._first_release()
    assert worker.core.current is worker.programs["r2"]
    assert worker.releases.taken == {"default": "r2"}
    worker._bundle_rows(published("r3", 4, b"bundle: three\n"))
    assert worker.core.current is worker.programs["r3"]


def test_what_is_told_of_a_release_that_is_refused_are_its_errors_not_its_warnings() -> None:
    warning = diagnostic("W-ABSENT", "may be absent", Position("a.yaml", 1, 1), length=1)
    errors = [diagnostic("E-NAME", "is not declared", Position("b.yaml", line, 1), length=1) for line in (7, 9)]
    assert why_refused(LoadResult(None, (warning, *errors), {})) == (2, "E-NAME", "b.yaml:7")
