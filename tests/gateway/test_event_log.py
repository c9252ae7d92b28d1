"""Writing events: what each way of failing means, and a producer that has broken down for good is replaced."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, OutOfOrderSequenceNumber, ProducerClosed
from aiokafka.partitioner import DefaultPartitioner

from orchestrator.gateway.event_log import KafkaEventLog, kafka_producer
from orchestrator.gateway.events import Ready
from orchestrator.gateway.refusals import Unavailable
from orchestrator.gateway.silence import PATIENCE, Silence

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeClient:
    async def close(self) -> None:
        return


class FakeProducer:
    """Stands for aiokafka's producer; its sends and acknowledgements fail as told."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.start_error: Exception | None = None
        self.send_error: Exception | None = None
        self.ack_error: Exception | None = None
        self.silent = False
        self.stopped = False
        self.client = FakeClient()

    async def start(self) -> None:
        if self.start_error:
            raise self.start_error

    async def stop(self) -> None:
        self.stopped = True

    async def send(self, topic: str, value: bytes, key: bytes) -> asyncio.Future[None]:
        if self.send_error and len(self.sent) == 1:
            raise self.send_error
        self.sent.append(value.decode())
        future = asyncio.get_running_loop().create_future()
        if self.ack_error:
            future.set_exception(self.ack_error)
        elif not self.silent:
            future.set_result(None)
        return future


def ready(number: int) -> Ready:
    return Ready("channel.web", b"k", str(number).encode(), f"e-{number}", "s", "t", "web", "user_id:u")


class Bench:
    def __init__(self) -> None:
        self.made: list[FakeProducer] = []
        self.renewals = 0
        self.prepare: Callable[[FakeProducer], None] = lambda _: None
        self.time = 0.0
        self.turns: list[bool] = []
        self.log = KafkaEventLog(self._make, self._renewed, Silence(lambda: self.time, self.turns.append))

    def _make(self) -> Any:
        producer = FakeProducer()
        self.prepare(producer)
        self.made.append(producer)
        return producer

    def _renewed(self) -> None:
        self.renewals += 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_events_are_written_in_their_order(bench: Bench) -> None:
    await bench.log.start()
    await bench.log.append([ready(1), ready(2), ready(3)], 1)
    assert bench.made[0].sent == ["1", "2", "3"]
    await bench.log.stop(1)
    assert bench.made[0].stopped
    assert not bench.log.ready


async def test_before_and_after_there_is_nothing_to_write_to(bench: Bench) -> None:
    with pytest.raises(Unavailable):
        await bench.log.append([ready(1)], 1)


async def test_no_broker_at_the_start_is_told(bench: Bench) -> None:
    def unreachable(producer: FakeProducer) -> None:
        producer.start_error = KafkaConnectionError("nobody there")

    bench.prepare = unreachable
    with pytest.raises(KafkaConnectionError):
        await bench.log.start()
    assert bench.made[0].stopped
    assert not bench.log.ready


async def test_a_silent_broker_is_given_up_in_time_and_the_producer_kept(bench: Bench) -> None:
    await bench.log.start()
    bench.made[0].silent = True
    with pytest.raises(Unavailable) as refused:
        await bench.log.append([ready(1)], 0.02)
    assert refused.value.retry_after is not None
    bench.made[0].silent = False
    await bench.log.append([ready(2)], 1)
    assert bench.renewals == 0


async def test_while_nothing_is_acknowledged_writes_are_refused_at_once(bench: Bench, eventually_async: Any) -> None:
    await bench.log.start()
    bench.made[0].silent = True
    waiting = asyncio.create_task(bench.log.append([ready(1)], 60))
    await eventually_async(lambda: bench.made[0].sent == ["1"])
    bench.time = PATIENCE / 2
    second = asyncio.create_task(bench.log.append([ready(2)], 60))
    await eventually_async(lambda: bench.made[0].sent == ["1", "2"])
    bench.time = PATIENCE
    with pytest.raises(Unavailable) as refused:
        await asyncio.wait_for(bench.log.append([ready(3)], 60), 30)
    assert refused.value.retry_after is not None
    assert bench.made[0].sent == ["1", "2"]
    assert bench.turns == [True]
    waiting.cancel()
    second.cancel()


async def test_in_the_silence_one_write_a_second_finds_out_whether_it_is_over(
    bench: Bench, eventually_async: Any
) -> None:
    await bench.log.start()
    bench.made[0].silent = True
    waiting = asyncio.create_task(bench.log.append([ready(1)], 60))
    await eventually_async(lambda: bench.made[0].sent == ["1"])
    bench.time = PATIENCE
    asking = asyncio.create_task(bench.log.append([ready(2)], 60))
    await eventually_async(lambda: bench.made[0].sent == ["1", "2"])
    with pytest.raises(Unavailable):
        await bench.log.append([ready(3)], 60)
    bench.time, bench.made[0].silent = 2 * PATIENCE, False
    await bench.log.append([ready(4)], 60)
    await bench.log.append([ready(5)], 60)
    assert bench.made[0].sent == ["1", "2", "4", "5"]
    assert bench.turns == [True, False]
    waiting.cancel()
    asking.cancel()


async def test_in_the_silence_nobody_waits_long_for_what_was_answered_with_503_already(
    bench: Bench, eventually_async: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.log.start()
    bench.made[0].silent = True
    waiting = asyncio.create_task(bench.log.append([ready(1)], 60))
    await eventually_async(lambda: bench.made[0].sent == ["1"])
    bench.time = PATIENCE
    probing = asyncio.create_task(bench.log.append([ready(2)], 60))
    await eventually_async(lambda: bench.turns == [True])
    monkeypatch.setattr(bench.made[0], "stop", asyncio.Event().wait)
    await asyncio.wait_for(bench.log.stop(600), 60)
    waiting.cancel()
    probing.cancel()


async def test_a_write_that_waits_alone_while_others_are_acknowledged_is_no_silence(
    bench: Bench, eventually_async: Any
) -> None:
    await bench.log.start()
    bench.made[0].silent = True
    waiting = asyncio.create_task(bench.log.append([ready(1)], 60))
    await eventually_async(lambda: bench.made[0].sent == ["1"])
    bench.made[0].silent = False
    for number in range(2, 7):
        bench.time += PATIENCE * 0.9
        await bench.log.append([ready(number)], 60)
    assert bench.turns == []
    waiting.cancel()


async def test_one_failed_event_fails_the_batch(bench: Bench) -> None:
    await bench.log.start()
    bench.made[0].send_error = KafkaTimeoutError()
    with pytest.raises(Unavailable):
        await bench.log.append([ready(1), ready(2)], 1)
    assert bench.renewals == 0


@pytest.mark.parametrize(
    "error", [OutOfOrderSequenceNumber(), ProducerClosed()], ids=lambda error: type(error).__name__
)
async def test_a_producer_that_is_broken_for_good_is_replaced(
    bench: Bench, eventually_async: Any, error: Exception
) -> None:
    await bench.log.start()
    bench.made[0].ack_error = error
    with pytest.raises(Unavailable):
        await bench.log.append([ready(1)], 1)
    await eventually_async(lambda: bench.log.ready)
    await bench.log.append([ready(1)], 1)
    assert bench.made[0].stopped
    assert bench.made[1].sent == ["1"]
    assert bench.renewals == 1


async def test_a_replacement_that_finds_no_broker_goes_on_trying_until_the_end(
    bench: Bench, eventually_async: Any
) -> None:
    await bench.log.start()
    bench.made[0].ack_error = OutOfOrderSequenceNumber()

    def unreachable(producer: FakeProducer) -> None:
        producer.start_error = KafkaConnectionError("nobody there")

    bench.prepare = unreachable
    with pytest.raises(Unavailable):
        await bench.log.append([ready(1)], 1)
    await eventually_async(lambda: len(bench.made) == 3)
    assert not bench.log.ready
    await bench.log.stop(1)
    assert all(producer.stopped for producer in bench.made)


async def test_the_real_producer_waits_for_all_replicas_and_makes_no_duplicates() -> None:
    producer = kafka_producer({"bootstrap_servers": "127.0.0.1:1"})
    assert producer._sender._acks == -1
    assert producer._txn_manager is not None
    partitions = list(range(8))
    for number in range(100):
        key = f"default/user_id:u-{number}".encode()
        assert producer._partitioner(key, partitions, []) == DefaultPartitioner()(key, partitions, partitions)
    await producer.stop()
