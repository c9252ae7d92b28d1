"""Which release a worker runs on, as the topic `bundles` tells it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Self, cast

import msgspec
import pytest

from orchestrator.language.bundle import EventSchemas, LoadResult, load_bundle
from orchestrator.language.source import Position
from orchestrator.language.source.diagnostic import diagnostic
from orchestrator.model.codec import decode_node, encode_node
from orchestrator.model.customer import IN, Customer, Instance, Member, Node, PartitionState, Standing, packed
from orchestrator.model.effect import INPUTS
from orchestrator.model.message import Absorb, Link, encode_message
from orchestrator.stream.answering import CoreAnswering
from orchestrator.stream.asking import Answered
from orchestrator.stream.asking_wire import Question
from orchestrator.stream.lane.records import Record
from orchestrator.stream.refusal import why_refused
from orchestrator.stream.worker import _Worker
from orchestrator.stream.worker_figures import WorkerFigures
from orchestrator.telemetry.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestrator.stream.lane.partition import Partition
    from orchestrator.stream.run import Lane
    from orchestrator.stream.worker import WorkerParts


SCHEMAS = EventSchemas.from_topics([{"topic": "channel.web", "events": {"seen": {}}}])


def published(release: str, at: int, bundle: bytes = b"bundle: tiny\n") -> list[tuple[bytes, bytes | None]]:
    blob = hashlib.sha256(bundle).hexdigest()
    listed = msgspec.json.encode({"release": release, "files": {"all.yaml": blob}})
    word = msgspec.json.encode({"release": release, "published_at": at})
    return [(blob.encode(), bundle), (f"default/release/{release}".encode(), listed), (b"default/release", word)]


def not_published() -> _Worker:
    parts = SimpleNamespace(
        link_keys=(), tenant="default", channels=["channel.web"], partitions=1, schemas=SCHEMAS,
        figures=WorkerFigures(Recorder()), connection={},
    )  # fmt: skip
    return _Worker(cast("WorkerParts", parts))


@pytest.fixture
async def worker() -> _Worker:
    """A worker on its first release."""
    worker = not_published()
    await worker._bundle_rows(published("r1", 1))
    await worker._first_release()
    return worker


async def test_a_release_that_is_published_again_is_not_built_again_and_an_earlier_one_is(
    worker: _Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """To build a large bundle takes the worker's loop for seconds; a desk publishes its folder at each start."""
    with caplog.at_level("INFO", "orchestrator"):
        caplog.clear()
        for at, release in enumerate(("r1", "r2", "r2", "r1", "r1"), 2):
            await worker._bundle_rows(published(release, at))
    assert [message.split()[1] for message in caplog.messages] == ["r2", "r1"]
    assert worker.releases.taken[worker.parts.tenant] == "r1"


async def test_a_release_whose_files_come_later_is_built_when_it_is_published_again(worker: _Worker) -> None:
    blob, listed, word = published("r2", 2, b"bundle: other\n")
    await worker._bundle_rows([listed, word])
    assert worker.releases.taken[worker.parts.tenant] == "r1"
    await worker._bundle_rows([blob, word])
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
        await worker._bundle_rows(published(f"r{number}", number, f"bundle: b{number}\n".encode()))
    beating = asyncio.ensure_future(beat())
    starting = asyncio.ensure_future(worker._first_release())
    await half.wait()
    await worker._bundle_rows(published("r6", 6, b"bundle: b6\n"))
    await starting
    beating.cancel()
    assert {0, 1, 2, 3, 4, 5} <= {*beats}, "a beat between any two"
    assert [*worker.programs] == ["r1", "r2", "r3", "r4", "r5", "r6"]
    assert worker.releases.taken == {"default": "r6"}
    assert worker.core.current is worker.programs["r6"]


async def test_events_and_questions_go_on_while_a_release_is_read(
    worker: _Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large bundle takes seconds, and nobody would have been decided on or answered for as long."""
    went_on = threading.Event()

    def slowly(*given: object) -> LoadResult:
        assert went_on.wait(20), "the loop stands still"
        return load_bundle(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("orchestrator.stream.worker.load_bundle", slowly)
    taking = asyncio.ensure_future(worker._bundle_rows(published("r2", 2)))
    await asyncio.sleep(0)
    assert worker.releases.taken == {"default": "r1"}
    went_on.set()
    await taking
    assert worker.releases.taken == {"default": "r2"}


async def test_a_release_that_was_read_while_another_was_recalled_is_built_on_that_one_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker, (_, second, third) = await on_three()
    await worker._bundle_rows([retired(second, SECOND, cart=2)])
    assigned(worker, third, {AMY: on_version(2)})
    fourth = FIRST.replace(b"version: 1", b"version: 4")
    reading, went_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slowly(*given: object) -> LoadResult:
        if threading.current_thread() is not threading.main_thread():
            loop.call_soon_threadsafe(reading.set)
            assert went_on.wait(20)
        return load_bundle(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("orchestrator.stream.worker.load_bundle", slowly)
    taking = asyncio.ensure_future(worker._bundle_rows(published(_release_of(worker, fourth), 4, fourth)))
    await reading.wait()
    worker.core.process(0, [Record("channel.web", 0, 0, 5, AMY, SEEN)], 5)
    assert second in worker.programs
    went_on.set()
    await taking
    assert worker.core.current.scenarios["cart"].version == 4
    assert ("cart", 2) in worker.core.current.older


async def test_a_first_release_with_errors_is_read_once_and_the_worker_goes_on_with_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """To read it anew twice a second kept the loop of a waiting worker busy, and its log full."""
    worker = not_published()
    await worker._bundle_rows(published("bad", 1, b"bundle: {"))
    waiting = asyncio.ensure_future(worker._first_release())
    with caplog.at_level("INFO", "orchestrator"), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.2):
            await asyncio.shield(waiting)
    assert [message.split(":")[0] for message in caplog.messages if "refused" in message] == ["release bad refused"]
    assert not waiting.done()
    await worker._bundle_rows(published("good", 2))
    async with asyncio.timeout(5):
        await waiting
    assert worker.releases.taken == {"default": "good"}


DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize("key", [b"default/release", b"default/release/r1", b"\xff"])
async def test_a_record_that_is_no_bundle_or_no_fact_is_left_aside(worker: _Worker, key: bytes) -> None:
    """It stays in the topic: a worker that ended on it would do so at each start."""
    await worker._bundle_rows([(key, DEEP)])
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
        await worker._bundle_rows(published(release, at, bundle))
    await worker._first_release()
    assert worker.core.current is worker.programs["r2"]
    assert worker.releases.taken == {"default": "r2"}
    await worker._bundle_rows(published("r3", 4, b"bundle: three\n"))
    assert worker.core.current is worker.programs["r3"]


def retired(release: str, bundle: bytes = b"bundle: tiny\n", **versions: int) -> tuple[bytes, bytes | None]:
    key, value = published(release, 0, bundle)[1]
    return key, msgspec.json.encode({**msgspec.json.decode(value or b""), "retired_at": 9, "versions": versions})


async def test_a_worker_drops_a_release_that_is_retired_and_goes_on_without(worker: _Worker) -> None:
    """Each takes memory, and time of every start and of every release to come."""
    for at, release in enumerate(("r2", "r3"), 2):
        await worker._bundle_rows(published(release, at))
    await worker._bundle_rows([retired("r1")])
    assert [*worker.programs] == ["r2", "r3"]
    assert worker.core.current is worker.programs["r3"]
    await worker._bundle_rows(published("r4", 4))
    assert [*worker.programs] == ["r2", "r3", "r4"]


async def test_a_worker_that_starts_reads_nothing_of_a_retired_release() -> None:
    worker = not_published()
    for at, release in enumerate(("r1", "r2", "r3"), 1):
        await worker._bundle_rows(published(release, at))
    await worker._bundle_rows([retired("r2"), retired("r1")])
    await worker._first_release()
    assert [*worker.programs] == ["r3"]


FIRST, SECOND, THIRD = (
    f"""
bundle: small
---
channels: all
define: {{web: {{sends: pull}}}}
---
events: all
define: {{seen: {{channel: web}}}}
---
scenario: cart
version: {number}
in_flight: pin
entry: {{on: seen}}
steps: [{{id: rest, delay: {{for: {number}d}}}}]
""".encode()
    for number in (1, 2, 3)
)


async def on_three() -> tuple[_Worker, list[str]]:
    worker = not_published()
    names = [_release_of(worker, bundle) for bundle in (FIRST, SECOND, THIRD)]
    for at, (name, bundle) in enumerate(zip(names, (FIRST, SECOND, THIRD), strict=True)):
        await worker._bundle_rows(published(name, at, bundle))
    await worker._first_release()
    return worker, names


async def test_a_release_that_a_partition_runs_on_stays_though_it_is_said_to_be_retired() -> None:
    """Its change was on its way when nobody was on it; its next event must not end the worker."""
    worker, (_, second, _) = await on_three()
    owned = assigned(worker, second)
    await worker._bundle_rows([retired(second, SECOND)])
    assert worker.core.engine_of(owned).program.release == second


async def test_a_partition_that_comes_on_a_retired_release_finds_it_and_those_behind_it_know_it() -> None:
    """The worker that had gone on to it is gone. Who began a journey on it finishes as it began."""
    worker, (first, second, third) = await on_three()
    await worker._bundle_rows([retired(second, SECOND)])
    assert [*worker.programs] == [first, third]
    owned = assigned(worker, second)
    assert worker.core.engine_of(owned).program.release == second
    assert [*worker.programs] == [first, second, third]
    owned.release = third
    versions = worker.core.engine_of(owned).program.older.keys()
    assert versions == {("cart", 1), ("cart", 2)}


async def test_who_is_on_what_only_a_retired_release_has_wakes_it() -> None:
    """They came while somebody looked who was on it. The next look finds them; until then this worker must, itself."""
    worker, (first, second, third) = await on_three()
    await worker._bundle_rows([retired(second, SECOND, cart=2), retired(first, FIRST, cart=1)])
    owned = assigned(worker, third, {AMY: on_version(2)})
    worker.core.process(0, [Record("channel.web", 0, 0, 5, AMY, SEEN)], 5)
    assert [*worker.programs] == [second, third]
    assert worker.core.engine_of(owned).program.older.keys() == {("cart", 2)}
    customer = owned.node(AMY).body
    assert isinstance(customer, Customer)
    assert [(one.scenario, one.version) for one in customer.instances] == [("cart", 2)]
    assert customer.instances[0].standing[0].step == "rest"


async def test_who_is_asked_about_wakes_it_too() -> None:
    worker, (_, second, third) = await on_three()
    await worker._bundle_rows([retired(second, SECOND, cart=2)])
    assigned(worker, third, {AMY: on_version(2)})
    asked = Question("default", "user_id:amy", None, (), {}, 100, context=True)
    answered = CoreAnswering(worker.core, lambda: True).answer(asked, 5)
    assert isinstance(answered, Answered)
    assert second in worker.programs


async def test_a_parcel_with_somebody_on_it_wakes_it_too() -> None:
    worker, (_, second, third) = await on_three()
    await worker._bundle_rows([retired(second, SECOND, cart=2)])
    assigned(worker, third, {})
    why = Link("email:amy@example.com", "user_id:amy", "user_id:amy", strong=True, time=3)
    parcel = Absorb("user_id:amy", "email:amy@example.com", 1, decode_customer(on_version(2)), why)
    worker.core.process(0, [Record(INPUTS, 0, 0, 5, AMY, encode_message(parcel))], 5)
    assert second in worker.programs


async def test_a_release_whose_files_have_errors_by_now_is_not_looked_for_again_and_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who is on it goes on by the newest version, as they do at a worker that starts without it."""
    worker, (_, second, third) = await on_three()
    await worker._bundle_rows([(hashlib.sha256(SECOND).hexdigest().encode(), b"bundle: {")])
    await worker._bundle_rows([retired(second, SECOND, cart=2)])
    assigned(worker, third, {AMY: on_version(2)})
    with caplog.at_level("ERROR", "orchestrator"):
        worker.core.process(0, [Record("channel.web", 0, 0, 5, AMY, SEEN)], 5)
        worker.core.process(0, [Record("channel.web", 0, 1, 6, AMY, SEEN)], 6)
    assert len([one for one in caplog.messages if second in one]) == 1
    assert second not in worker.programs


async def test_a_release_that_is_put_back_is_built_again_with_those_behind_it() -> None:
    worker, (first, second, third) = await on_three()
    await worker._bundle_rows([retired(first, FIRST), retired(second, SECOND)])
    await worker._bundle_rows([published(second, 3, SECOND)[1]])
    assert [*worker.programs] == [second, third]
    assert worker.core.current.older.keys() == {("cart", 2)}


async def test_what_a_retired_release_alone_had_is_forgotten_with_the_next_release() -> None:
    worker, (first, second, third) = await on_three()
    await worker._bundle_rows([retired(first, FIRST), retired(second, SECOND), *published(third, 3, THIRD)])
    again = FIRST.replace(b"version: 1", b"version: 4")
    await worker._bundle_rows(published(_release_of(worker, again), 4, again))
    assert worker.core.current.older.keys() == {("cart", 3)}


AMY = b"default/user_id:amy"
SEEN = b'{"id":"e1","source":"shop","type":"seen","data":{"user_id":"amy"}}'


def on_version(version: int) -> bytes:
    """Amy's value: she is known, and stands in the journey."""
    journey = Instance("cart", version, "", 1, "p", 1, 1, packed({}), [Standing("rest", 1, 10**13)], ends_at=2 * 10**13)
    family = {"user_id:amy": Member(0, IN, 1)}
    return encode_node(Node(body=Customer("p", 1, 1, 1, family, instances=[journey])), 1, 10**13)


def decode_customer(value: bytes) -> Customer:
    body = decode_node(value).body
    assert isinstance(body, Customer)
    return body


def assigned(worker: _Worker, release: str, customers: Mapping[bytes, bytes] = MappingProxyType({})) -> Partition:
    """A partition that runs on a release, as its changelog tells."""
    state = encode_node(Node(body=PartitionState(1, release)), 1, 0)
    worker.core.assigned(0, {b"default/partition:0": state, **customers}, {}, 1)
    owned = worker.core.owned(0)
    assert owned is not None
    return owned


def _release_of(worker: _Worker, bundle: bytes) -> str:
    loaded = load_bundle({"all.yaml": bundle}, worker.parts.schemas).bundle
    assert loaded is not None
    return loaded.release


def test_what_is_told_of_a_release_that_is_refused_are_its_errors_not_its_warnings() -> None:
    warning = diagnostic("W-ABSENT", "may be absent", Position("a.yaml", 1, 1), length=1)
    errors = [diagnostic("E-NAME", "is not declared", Position("b.yaml", line, 1), length=1) for line in (7, 9)]
    assert why_refused(LoadResult(None, (warning, *errors), {})) == (2, "E-NAME", "b.yaml:7")
