"""The worker's side: who is answered, who is sent on, and what an answer waits for. Real HTTP, no Kafka."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
import pytest

from orchestrator.gateway.asking import Asker, HttpTransport
from orchestrator.gateway.owners import AnnouncedOwners
from orchestrator.model.ids import node_key
from orchestrator.model.partition import partition_of
from orchestrator.stream.asking import Answered, AskServer, NotYet
from orchestrator.stream.asking_announce import Announcer
from orchestrator.stream.asking_progress import NotOwnedError, Progress
from orchestrator.stream.asking_wire import Answer, EventName, Forward, Question
from orchestrator.stream.lane.records import Outgoing
from orchestrator.stream.lane_settings import BatchCounts

PARTITIONS = 8
AMY, A1 = "email:amy@example.com", "anonymous_id:a1"
SHOWN = Outgoing("customer.inputs", b"default/email:amy@example.com", b"shown")


def partition(node: str) -> int:
    return partition_of(node_key("default", node), PARTITIONS)


def question(node: str = AMY, *, event: str | None = None, deadline_ms: int = 2000) -> Question:
    name = EventName(event, "web-shop") if event else None
    return Question("default", node, name, ("web.lp.body",), {"channel": "web"}, deadline_ms, context=False)


def batch(node: str, records: int = 1) -> BatchCounts:
    return BatchCounts(partition(node), records, 1, 0, 0)


@dataclass
class FakeAnswering:
    """Answers from a set of applied events, with the number of them as the version."""

    owned: set[int] = field(default_factory=lambda: set(range(PARTITIONS)))
    applied: set[str] = field(default_factory=set)
    forwards: dict[str, str] = field(default_factory=dict)
    sends: tuple[Outgoing, ...] = ()
    binding: bool = False
    broken: bool = False

    def owns(self, partition: int) -> bool:
        return partition in self.owned

    def answer(self, question: Question, now: int) -> Answered | Forward | NotYet:
        if self.broken:
            raise KeyError("amy@example.com")
        if question.identifier in self.forwards:
            return Forward(self.forwards[question.identifier])
        if question.event is not None and question.event.id not in self.applied:
            return NotYet()
        answer = Answer(len(self.applied), "p-amy", {slot: {"content": "ct"} for slot in question.slots})
        return Answered(answer, self.sends, self.binding)


@dataclass
class Worker:
    """One worker's server and what is around it."""

    answering: FakeAnswering = field(default_factory=FakeAnswering)
    progress: Progress = field(default_factory=Progress)
    sent: list[Outgoing] = field(default_factory=list)
    acknowledge: asyncio.Event = field(default_factory=asyncio.Event)
    broken_sends: bool = False
    crashes: list[BaseException] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    server: Any = None
    port: int = 0

    async def start(self, *keys: str) -> "Worker":
        self.server = AskServer(
            answering=self.answering,
            progress=self.progress,
            send=self._send,
            crash=self.crashes.append,
            partitions=PARTITIONS,
            observer=self,
            now=lambda: 0,
            clock=time.monotonic,
            keys=keys,
        )
        self.port = await self.server.start("127.0.0.1", 0)
        return self

    async def _send(self, outgoing: Outgoing) -> None:
        await self.acknowledge.wait()
        if self.broken_sends:
            raise ConnectionError("no broker")
        self.sent.append(outgoing)

    def asked(self, outcome: str, seconds: float) -> None:
        self.outcomes.append(outcome)

    def failed(self, error: BaseException) -> None:
        self.failures.append(type(error).__name__)

    async def post(self, body: Any, **headers: str) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{self.port}/ask", data=raw, headers=headers) as response,
        ):
            return response.status, msgspec.json.decode(await response.read())

    async def asking(self, body: Question) -> asyncio.Task[tuple[int, Any]]:
        """Ask, and go on once the question waits inside the server."""
        task = asyncio.create_task(self.post(body))
        while self.server._in_hand == 0 and not task.done():  # noqa: ASYNC110 - a look inside, with no event to wait for
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)
        return task


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    one = await Worker().start()
    yield one
    one.acknowledge.set()
    await one.server.stop()


async def test_the_owner_answers_from_memory(worker: Worker) -> None:
    status, body = await worker.post(question())
    assert (status, body["answers"], body["person"]) == (200, {"web.lp.body": {"content": "ct"}}, "p-amy")
    assert worker.outcomes == ["answered"]


async def test_who_does_not_own_the_partition_says_so(worker: Worker) -> None:
    worker.answering.owned.remove(partition(AMY))
    assert (await worker.post(question()))[0] == 421
    assert worker.outcomes == ["not_owned"]


async def test_a_moved_customer_is_forwarded_without_waiting_for_the_event(worker: Worker) -> None:
    worker.answering.forwards[A1] = AMY
    assert await worker.post(question(A1, event="e-1")) == (200, {"forward": AMY})


async def test_an_answer_waits_until_its_event_is_applied_and_durable(worker: Worker) -> None:
    asking = await worker.asking(question(event="e-1"))
    worker.progress.on_batch(batch(AMY))  # another event's batch: not this one yet
    worker.progress.on_durable(partition(AMY), {})
    worker.answering.applied.add("e-1")
    worker.progress.on_batch(batch(AMY))
    done, _ = await asyncio.wait([asking], timeout=0.05)
    assert not done, "answered from a state that a crash could undo"
    worker.progress.on_durable(partition(AMY), {})
    status, body = await asking
    assert (status, body["version"]) == (200, 1)


async def test_a_later_batch_does_not_hold_an_answer_up(worker: Worker) -> None:
    worker.answering.applied.add("e-1")
    worker.progress.on_batch(batch(AMY))
    asking = await worker.asking(question(event="e-1"))
    worker.progress.on_batch(batch(AMY))
    worker.progress.on_durable(partition(AMY), {})
    assert (await asking)[0] == 200


async def test_an_event_applied_long_ago_is_answered_at_once(worker: Worker) -> None:
    worker.answering.applied.add("e-1")
    assert (await worker.post(question(event="e-1")))[0] == 200


async def test_batches_without_records_are_no_progress(worker: Worker) -> None:
    worker.answering.applied.add("e-1")
    worker.progress.on_batch(batch(AMY, records=0))
    assert (await worker.post(question(event="e-1")))[0] == 200


async def test_at_the_deadline_the_worker_gives_up(worker: Worker) -> None:
    started = time.monotonic()
    assert (await worker.post(question(event="never", deadline_ms=50)))[0] == 503
    assert time.monotonic() - started < 1
    assert worker.outcomes == ["late"]


@pytest.mark.parametrize("applied", [False, True])
async def test_whoever_waits_when_the_partition_goes_is_sent_elsewhere(worker: Worker, applied: bool) -> None:
    if applied:
        worker.answering.applied.add("e-1")
        worker.progress.on_batch(batch(AMY))
    asking = await worker.asking(question(event="e-1"))
    worker.answering.owned.clear()
    worker.progress.on_revoked(partition(AMY))
    assert (await asking)[0] == 421


async def test_what_binds_us_is_on_record_before_the_answer_leaves(worker: Worker) -> None:
    worker.answering.sends, worker.answering.binding = (SHOWN,), True
    asking = await worker.asking(question())
    done, _ = await asyncio.wait([asking], timeout=0.05)
    assert not done
    worker.acknowledge.set()
    assert (await asking)[0] == 200
    assert worker.sent == [SHOWN]


async def test_what_does_not_bind_us_holds_nothing_up_and_is_written_before_the_end(worker: Worker) -> None:
    worker.answering.sends = (SHOWN,)
    assert (await worker.post(question()))[0] == 200
    assert worker.sent == []
    worker.acknowledge.set()
    await worker.server.stop()
    assert worker.sent == [SHOWN]


async def test_a_record_that_cannot_be_written_ends_the_worker(worker: Worker, eventually_async: Any) -> None:
    worker.answering.sends, worker.broken_sends = (SHOWN,), True
    worker.acknowledge.set()
    assert (await worker.post(question()))[0] == 200
    await eventually_async(lambda: worker.crashes)
    assert isinstance(worker.crashes[0], ConnectionError)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b"\xff", b'{"tenant":1}', b"[" * 100_000, b"{" + b" " * 300_000 + b"}"]
)
async def test_what_is_no_question_is_refused(worker: Worker, body: bytes) -> None:
    assert (await worker.post(body))[0] == 400
    assert worker.failures == []


async def test_an_error_of_ours_harms_nobody_else(worker: Worker) -> None:
    worker.answering.broken = True
    status, body = await worker.post(question())
    assert (status, body) == (500, {})
    assert worker.failures == ["KeyError"]
    worker.answering.broken = False
    assert (await worker.post(question()))[0] == 200


async def test_a_server_with_a_key_answers_nobody_without_it() -> None:
    worker = await Worker().start("a-shared-key-of-ours", "the-one-before-it")
    try:
        for stranger in ("", "Bearer another-key-of-ours", "Basic a-shared-key-of-ours", "Bearer ", "Bearer é"):
            assert (await worker.post(question(), Authorization=stranger))[0] == 401, stranger
        assert (await worker.post(question()))[0] == 401
        for known in ("a-shared-key-of-ours", "the-one-before-it"):
            assert (await worker.post(question(), Authorization=f"Bearer {known}"))[0] == 200
    finally:
        await worker.server.stop()
    assert worker.outcomes == ["unkeyed"] * 6 + ["answered"] * 2


@pytest.mark.parametrize(("presented", "answered"), [("the-shared-key", True), ("an-old-key", False), ("", False)])
async def test_a_gateway_presents_its_key_and_says_who_does_not_take_it(presented: str, answered: bool) -> None:
    worker, told = await Worker().start("the-shared-key"), list[str]()
    owners, transport = AnnouncedOwners(PARTITIONS), HttpTransport(presented)
    value = msgspec.json.encode({"worker": "w-1", "address": f"127.0.0.1:{worker.port}", "number": 1})
    owners.learn(str(partition(AMY)).encode(), value)
    await transport.start()
    try:
        asker = Asker(owners, transport, time.monotonic, locked_out=told.append)
        answer = await asker.ask(question(), time.monotonic() + 5)
    finally:
        await transport.stop()
        await worker.server.stop()
    assert (answer is not None, told) == (answered, [] if answered else ["w-1"])


async def test_two_workers_a_forward_and_a_partition_that_moved() -> None:
    """The gateway's asker against two real servers: follows a forward, then a new owner, within one deadline."""
    one, two = await Worker().start(), await Worker().start()
    owners, transport = AnnouncedOwners(PARTITIONS), HttpTransport()
    written: list[Outgoing] = []

    async def write(record: Outgoing) -> None:
        assert record.topic == "workers"
        written.append(record)
        owners.learn(record.key or b"", record.value)

    await transport.start()
    try:
        first = Announcer(write, "one", f"127.0.0.1:{one.port}")
        second = Announcer(write, "two", f"127.0.0.1:{two.port}")
        await first.recovered(partition(A1), 1)
        await first.recovered(partition(AMY), 1)
        one.answering.forwards[A1] = AMY
        asker = Asker(owners, transport, time.monotonic)
        asked = asyncio.create_task(asker.ask(question(A1), time.monotonic() + 5))
        assert (await asked) == Answer(0, "p-amy", {"web.lp.body": {"content": "ct"}})

        one.answering.owned.remove(partition(AMY))
        first.revoked(partition(AMY))
        asked = asyncio.create_task(asker.ask(question(A1), time.monotonic() + 5))
        await asyncio.wait([asked], timeout=0.05)
        assert "not_owned" in one.outcomes
        await second.recovered(partition(AMY), 2)
        answer = await asked
        assert answer is not None
        assert two.outcomes == ["answered"]
        assert len(written) == 3
    finally:
        await transport.stop()
        await one.server.stop()
        await two.server.stop()


async def test_a_worker_that_died_is_given_up_at_the_deadline() -> None:
    worker = await Worker().start()
    owners, transport = AnnouncedOwners(PARTITIONS), HttpTransport()
    value = msgspec.json.encode({"worker": "w", "address": f"127.0.0.1:{worker.port}", "number": 1})
    owners.learn(str(partition(AMY)).encode(), value)
    await worker.server.stop()
    await transport.start()
    try:
        asker = Asker(owners, transport, time.monotonic)
        started = time.monotonic()
        assert await asker.ask(question(), time.monotonic() + 0.1) is None
        assert time.monotonic() - started < 1
    finally:
        await transport.stop()


async def test_an_owner_announces_itself_again_but_not_what_it_lost() -> None:
    written: list[bytes] = []

    async def write(record: Outgoing) -> None:
        written.append(record.key or b"")

    announcer = Announcer(write, "one", "127.0.0.1:1")
    await announcer.recovered(1, 5)
    await announcer.recovered(2, 5)
    announcer.revoked(1)
    repeating = asyncio.create_task(announcer.run(every=0.01))
    await asyncio.wait([repeating], timeout=0.1)
    repeating.cancel()
    assert written[:2] == [b"1", b"2"]
    assert set(written[2:]) == {b"2"}


async def test_nothing_waits_on_after_a_revocation() -> None:
    progress = Progress()
    progress.on_batch(BatchCounts(3, 1, 1, 0, 0))
    waiting = [asyncio.create_task(progress.settled(3)), asyncio.create_task(progress.next_turn(3))]
    await asyncio.sleep(0)
    progress.on_revoked(3)
    for outcome in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(outcome, NotOwnedError)
    with pytest.raises(ValueError, match="never decided"):
        progress.on_durable(3, {})
