"""The lane's way out: the order of changelog, sends and offsets, what failures do, and where sends go."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from orchestrator.model.partition import partition_of
from orchestrator.stream.emitter import Emitter, Pipeline
from orchestrator.stream.lane.records import Batch, Outgoing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable


class Ack:
    def __init__(self, what: str, offset: int, records: int) -> None:
        self.what = what
        self.records = records
        self.landed = offset
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def come(self) -> None:
        self.future.set_result(SimpleNamespace(offset=self.landed))

    def fail(self) -> None:
        self.future.set_exception(RuntimeError(f"{self.what} refused"))


class Broker:
    """Stands in for the emitter: notes what is appended and acknowledges when told."""

    def __init__(self) -> None:
        self.pending: list[Ack] = []
        self.log: list[str] = []
        self.offset = 0

    async def append(self, topic: str, partition: int, rows: Iterable[Any]) -> list[Ack]:
        keys = [row[0].decode() for row in rows]
        return [self._ack(f"changelog {' '.join(keys)}", len(keys))] if keys else []

    async def send(self, sends: Iterable[Outgoing]) -> list[Ack]:
        return [self._ack(f"send {each.value.decode()}", 1) for each in sends]

    def _ack(self, what: str, records: int) -> Ack:
        ack = Ack(what, self.offset, records)
        self.offset += records
        self.log.append(what)
        self.pending.append(ack)
        return ack

    async def acknowledge(self, what: str) -> None:
        await self.appended(what)
        ack = next(each for each in self.pending if each.what == what)
        self.pending.remove(ack)
        ack.come()
        await settle()

    async def refuse(self, what: str) -> None:
        await self.appended(what)
        next(each for each in self.pending if each.what == what).fail()
        await settle()

    async def appended(self, what: str) -> None:
        async with asyncio.timeout(5):
            while what not in self.log:  # noqa: ASYNC110  bounded above
                await asyncio.sleep(0)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Owner:
    def __init__(self) -> None:
        self.confirmed = True
        self.wrote_at: list[tuple[int, int]] = []
        self.failures: list[BaseException] = []
        self.durable: list[dict[str, int]] = []

    async def confirm(self) -> bool:
        return self.confirmed

    def wrote(self, base_offset: int, records: int) -> None:
        self.wrote_at.append((base_offset, records))


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
async def pipeline(broker: Broker, owner: Owner) -> AsyncIterator[Pipeline]:
    made = Pipeline(
        cast("Emitter", broker),
        ("changelog", 0),
        ownership=owner,
        log=owner,
        fail=owner.failures.append,
        on_durable=lambda offsets: owner.durable.append(dict(offsets)),
        limit=2,
    )
    yield made
    await made.close()


def batch(name: str, offset: int, *, changelog: bool = True, sends: bool = True) -> Batch:
    return Batch(
        [(name.encode(), b"value")] if changelog else [],
        [Outgoing("actions", b"k", name.encode())] if sends else [],
        {"channel": offset},
    )


async def test_a_batch_is_durable_then_sent_then_done(pipeline: Pipeline, broker: Broker, owner: Owner) -> None:
    await pipeline.put(batch("a", 7))
    await settle()
    assert broker.log == ["changelog a"], "nothing is sent before the changelog is acknowledged"
    assert not owner.durable
    await broker.acknowledge("changelog a")
    assert broker.log == ["changelog a", "send a"]
    assert owner.durable == [{"channel": 7}]
    assert pipeline.take_done() == {}, "nothing is done before the send is acknowledged"
    await broker.acknowledge("send a")
    assert pipeline.take_done() == {"channel": 7}
    assert pipeline.take_done() == {}
    assert owner.wrote_at == [(0, 1)]


async def test_the_next_batch_goes_on_meanwhile_but_is_done_only_after_the_one_before(
    pipeline: Pipeline, broker: Broker
) -> None:
    await pipeline.put(batch("a", 1))
    await pipeline.put(batch("b", 2))
    await broker.acknowledge("changelog a")
    await broker.acknowledge("changelog b")
    assert broker.log == ["changelog a", "changelog b", "send a", "send b"]
    await broker.acknowledge("send b")
    assert pipeline.take_done() == {}
    await broker.acknowledge("send a")
    assert pipeline.take_done() == {"channel": 2}


async def test_sends_never_overtake_the_batch_before(pipeline: Pipeline, broker: Broker) -> None:
    await pipeline.put(batch("a", 1))
    await pipeline.put(batch("b", 2, changelog=False))
    await settle()
    assert broker.log == ["changelog a"], "b has no changelog to wait for, but a's sends go first"
    await broker.acknowledge("changelog a")
    assert broker.log == ["changelog a", "send a", "send b"]


async def test_a_full_pipeline_makes_the_core_wait(pipeline: Pipeline, broker: Broker) -> None:
    await pipeline.put(batch("a", 1, sends=False))
    await pipeline.put(batch("b", 2, sends=False))
    third = asyncio.ensure_future(pipeline.put(batch("c", 3, sends=False)))
    await settle()
    assert not third.done()
    await broker.acknowledge("changelog a")
    assert third.done()


async def test_drain_waits_for_everything(pipeline: Pipeline, broker: Broker) -> None:
    await pipeline.drain()
    await pipeline.put(batch("a", 1))
    draining = asyncio.ensure_future(pipeline.drain())
    await broker.acknowledge("changelog a")
    assert not draining.done()
    await broker.acknowledge("send a")
    assert draining.done()
    assert pipeline.idle


@pytest.mark.parametrize("what", ["changelog a", "send a"])
async def test_a_refused_write_fails_the_lane_and_nothing_behind_it_is_done(
    pipeline: Pipeline, broker: Broker, owner: Owner, what: str
) -> None:
    await pipeline.put(batch("a", 1))
    await pipeline.put(batch("b", 2))
    if what == "send a":
        await broker.acknowledge("changelog a")
        await broker.acknowledge("changelog b")
    await broker.refuse(what)
    assert [str(each) for each in owner.failures] == [f"{what} refused"]
    await asyncio.wait_for(pipeline.drain(), 5)
    await asyncio.wait_for(pipeline.put(batch("c", 3)), 5)
    await settle()
    assert pipeline.take_done() == {}
    assert "changelog c" not in broker.log


async def test_a_write_that_the_producer_gives_up_is_a_failure_and_no_silent_end(
    pipeline: Pipeline, broker: Broker, owner: Owner
) -> None:
    await pipeline.put(batch("a", 1))
    await broker.appended("changelog a")
    broker.pending[0].future.cancel()
    async with asyncio.timeout(5):
        await pipeline.drain()
    assert len(owner.failures) == 1


async def test_an_owner_that_is_not_confirmed_neither_writes_nor_sends(
    pipeline: Pipeline, broker: Broker, owner: Owner
) -> None:
    await pipeline.put(batch("a", 1))
    await broker.appended("changelog a")
    owner.confirmed = False
    await broker.acknowledge("changelog a")
    await pipeline.put(batch("b", 2))
    await asyncio.wait_for(pipeline.drain(), 5)
    await settle()
    assert broker.log == ["changelog a"]
    assert pipeline.broken
    assert pipeline.take_done() == {}
    assert owner.failures == [], "giving up is no failure: the next owner goes on from what is durable"


async def test_once_it_is_broken_nobody_waits_for_room_in_it(pipeline: Pipeline, broker: Broker, owner: Owner) -> None:
    """A partition that waited there could not be given up: the worker would stop by its watchdog alone."""
    await pipeline.put(batch("a", 1))
    await pipeline.put(batch("b", 2))
    third = asyncio.ensure_future(pipeline.put(batch("c", 3)))
    await broker.refuse("changelog a")
    async with asyncio.timeout(5):
        await third
        await pipeline.put(batch("d", 4))
        await pipeline.put(batch("e", 5))
    assert len(owner.failures) == 1


class Producer:
    """Stands in for aiokafka's producer: batches hold two rows."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, list[tuple[bytes, bytes]]]] = []

    def create_batch(self) -> Any:
        rows: list[Any] = []

        def append(*, timestamp: None, key: bytes, value: bytes, headers: list[Any]) -> object:
            assert isinstance(headers, list)
            if len(rows) == 2:
                return None
            rows.append((key, value))
            return object()

        return SimpleNamespace(append=append, record_count=lambda: len(rows), close=lambda: None, rows=rows)

    async def send_batch(self, builder: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        self.sent.append((topic, partition, builder.rows))
        return asyncio.get_running_loop().create_future()

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(4))


async def test_rows_are_cut_into_as_many_batches_as_they_need_in_order() -> None:
    producer = Producer()
    acks = await Emitter(lambda: cast("Any", producer)).append("t", 1, [(b"%d" % each, b"v", []) for each in range(5)])
    assert [ack.records for ack in acks] == [2, 2, 1]
    assert [key for _, _, rows in producer.sent for key, _ in rows] == [b"0", b"1", b"2", b"3", b"4"]


async def test_no_rows_make_no_batch() -> None:
    assert await Emitter(lambda: cast("Any", Producer())).append("t", 1, []) == []


async def test_sends_go_by_key_as_any_java_producer_would_put_them_or_where_they_are_told() -> None:
    producer = Producer()
    keys = [b"default/email:amy@example.com", b"default/anonymous_id:a1", b"x"]
    sends = [Outgoing("t", key, key) for key in keys]
    await Emitter(lambda: cast("Any", producer)).send(
        [*sends, Outgoing("t", b"x", b"told", partition=3), Outgoing("t", None, b"keyless")]
    )
    placed = {value: partition for _, partition, rows in producer.sent for _, value in rows}
    assert placed == {**{key: partition_of(key, 4) for key in keys}, b"told": 3, b"keyless": 0}


class OnePlace(Producer):
    """A producer with one place for each partition: counts how many stand before it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = self.most = 0

    async def send_batch(self, builder: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1
        return await super().send_batch(builder, topic, partition=partition)


async def test_only_one_waits_for_the_place_of_a_partition_and_they_come_in_turn() -> None:
    """aiokafka wakes all who wait for a place, and who comes too late loses its patience faster than time passes."""
    producer = OnePlace()
    emitter = Emitter(lambda: cast("Any", producer))
    await asyncio.gather(*(emitter.append("t", 1, [(b"%d" % each, b"v", [])]) for each in range(5)))
    assert producer.most == 1
    assert [key for _, _, rows in producer.sent for key, _ in rows] == [b"0", b"1", b"2", b"3", b"4"]
