"""Compacted topics held whole: read from the beginning before `ready`, followed after, failures told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from orchestrator.model.codec import encode_node
from orchestrator.model.customer import Node
from orchestrator.model.ids import node_key
from orchestrator.stream import changelog
from orchestrator.stream.changelog import ChangelogReader
from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.shared_topics import SETTLE_MS, CompactedTopic, VersionedTopic, _Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from aiokafka import TopicPartition

    from orchestrator.stream.broker import EmbeddedKafka


async def create(bootstrap: str, topic: str, partitions: int = 3) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs={"cleanup.policy": "compact"})])
    finally:
        await admin.close()


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


class Whole:
    """The rows as a process holds them."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def take(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, value in rows:
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value


@pytest.fixture
def missing_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions end one further than their last record, as where compaction has removed what stood there."""
    ends = AIOKafkaConsumer.end_offsets

    async def further(consumer: AIOKafkaConsumer, parts: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {part: end + 1 for part, end in (await ends(consumer, parts)).items()}

    monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", further)


async def test_a_topic_is_left_well_while_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    async def stop() -> None:  # as aiokafka's does, when it cancels a fetch that waits to be tried again
        raise asyncio.CancelledError

    async def close() -> None:
        closed.append("client")

    topic = CompactedTopic("facts", lambda _: None, connection={"bootstrap_servers": "127.0.0.1:1"})
    monkeypatch.setattr(topic._consumer, "stop", stop)
    monkeypatch.setattr(topic._consumer._client, "close", close)
    await topic.__aexit__()
    assert closed == ["client"]


@pytest.mark.kafka
async def test_all_that_was_there_is_read_before_ready_and_the_rest_follows(
    kafka: EmbeddedKafka, unique: Callable[[str], str], eventually_async: Callable[..., Awaitable[object]]
) -> None:
    topic, whole = unique("facts"), Whole()
    await create(kafka.bootstrap, topic)
    async with producing(kafka.bootstrap) as producer:
        for index in range(300):
            await producer.send(topic, b"%d" % index, key=b"row-%d" % (index % 100))
        await producer.send_and_wait(topic, None, key=b"row-7")
        await producer.flush()
        async with CompactedTopic(topic, whole.take, connection={"bootstrap_servers": kafka.bootstrap}) as shared:
            await shared.ready()
            assert whole.rows == {b"row-%d" % each: b"%d" % (200 + each) for each in range(100) if each != 7}
            assert shared.rows == 301
            await producer.send_and_wait(topic, b"new", key=b"row-7")
            await eventually_async(lambda: whole.rows.get(b"row-7") == b"new")


@pytest.mark.kafka
async def test_of_rows_that_say_how_old_they_are_the_newest_holds_in_whatever_order_they_come(
    kafka: EmbeddedKafka, unique: Callable[[str], str]
) -> None:
    topic, whole = unique("facts"), Whole()
    await create(kafka.bootstrap, topic, partitions=1)
    async with producing(kafka.bootstrap) as producer:
        for at in (1, 3, 2):
            await producer.send_and_wait(topic, b"of %d" % at, key=b"row", headers=[("at", b"%d" % at)])
        async with VersionedTopic(topic, whole.take, connection={"bootstrap_servers": kafka.bootstrap}) as shared:
            await shared.ready()
            assert (whole.rows, shared.rows) == ({b"row": b"of 3"}, 3)


@pytest.mark.kafka
async def test_an_empty_topic_is_ready_at_once(kafka: EmbeddedKafka, unique: Callable[[str], str]) -> None:
    topic = unique("facts")
    await create(kafka.bootstrap, topic)
    async with CompactedTopic(topic, Whole().take, connection={"bootstrap_servers": kafka.bootstrap}) as shared:
        await shared.ready()
        assert shared.rows == 0


@pytest.mark.kafka
async def test_a_topic_that_does_not_exist_is_an_error_that_says_what_to_do(
    kafka: EmbeddedKafka, unique: Callable[[str], str]
) -> None:
    with pytest.raises(LaneError, match="orchestrator topics apply"):
        async with CompactedTopic(unique("nowhere"), Whole().take, connection={"bootstrap_servers": kafka.bootstrap}):
            pass


@pytest.mark.kafka
async def test_rows_that_cannot_be_taken_end_the_reading_and_say_so(
    kafka: EmbeddedKafka, unique: Callable[[str], str]
) -> None:
    topic = unique("facts")
    await create(kafka.bootstrap, topic)
    async with producing(kafka.bootstrap) as producer:
        await producer.send_and_wait(topic, b"v", key=b"k")

    def refuse(rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        raise ValueError(f"{len(rows)} rows refused")

    told: list[BaseException] = []
    async with CompactedTopic(topic, refuse, connection={"bootstrap_servers": kafka.bootstrap}) as shared:
        with pytest.raises(ValueError, match="1 rows refused"):
            await shared.ready()
        with pytest.raises(ValueError, match="1 rows refused"):
            await shared.failed()
        shared.when_failed(told.append)
        await asyncio.sleep(0)
    assert [str(error) for error in told] == ["1 rows refused"]


@pytest.mark.kafka
async def test_nothing_is_read_on_until_what_takes_its_time_is_done(
    kafka: EmbeddedKafka, unique: Callable[[str], str]
) -> None:
    topic, taken = unique("bundles"), list[bytes]()
    await create(kafka.bootstrap, topic, partitions=1)
    async with producing(kafka.bootstrap) as producer:
        for number in range(20):
            await producer.send_and_wait(topic, b"v", key=b"%d" % number)
    busy = asyncio.Lock()

    async def take(rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        assert not busy.locked()
        async with busy:
            await asyncio.sleep(0)
            taken.extend(key for key, _ in rows)

    told: list[BaseException] = []
    async with CompactedTopic(topic, take, connection={"bootstrap_servers": kafka.bootstrap}) as shared:
        await shared.ready()
        shared.when_failed(told.append)
    assert taken == [b"%d" % number for number in range(20)]
    assert told == [], "left in good order"


@pytest.mark.kafka
async def test_an_end_at_which_no_record_stands_any_more_holds_nobody_up(
    kafka: EmbeddedKafka, unique: Callable[[str], str], missing_tail: None
) -> None:
    topic, whole = unique("facts"), Whole()
    await create(kafka.bootstrap, topic)
    async with producing(kafka.bootstrap) as producer:
        await producer.send_and_wait(topic, b"v", key=b"k")
    async with CompactedTopic(topic, whole.take, connection={"bootstrap_servers": kafka.bootstrap}) as shared:
        async with asyncio.timeout(20):
            await shared.ready()
        assert whole.rows == {b"k": b"v"}


@pytest.mark.kafka
async def test_nor_does_it_who_looks_customers_up_in_their_changelog(
    kafka: EmbeddedKafka, unique: Callable[[str], str], missing_tail: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, key = unique("changelog"), node_key("default", "email:amy@example.com")
    monkeypatch.setattr(changelog, "CHANGELOG", topic)
    await create(kafka.bootstrap, topic, partitions=1)
    async with producing(kafka.bootstrap) as producer:
        await producer.send_and_wait(topic, encode_node(Node(to="user_id:7"), 1, 0, ""), key=key)
    async with ChangelogReader({"bootstrap_servers": kafka.bootstrap}, 1, "default") as reader, asyncio.timeout(20):
        found = await reader.nodes(["email:amy@example.com"])
        everybody = [name async for name, _ in reader.everybody()]
    assert {name: node.to for name, node in found.items()} == {"email:amy@example.com": "user_id:7"}
    assert everybody == ["email:amy@example.com"]


def test_a_place_short_of_the_end_is_settled_by_the_brokers_answers_not_by_time() -> None:
    place = _Place(end=10)
    assert not place.settled(8, answered_at=0), "no answer yet"
    assert not place.settled(8, answered_at=0)
    assert not place.settled(8, answered_at=500), "the first answer: the time starts here"
    assert place.settled(8, answered_at=500 + SETTLE_MS)
    assert not _Place(10).settled(8, answered_at=50_000)
    assert not place.settled(9, answered_at=1_000), "it moved: the time starts here"
    assert not place.settled(9, answered_at=1_000 + SETTLE_MS - 1)
    assert place.settled(9, answered_at=1_000 + SETTLE_MS)
    assert _Place(10).settled(10, answered_at=0)
