"""Compacted topics held whole: read from the beginning before `ready`, followed after, failures told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.shared_topics import SETTLE_MS, CompactedTopic, VersionedTopic, _Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

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

    async with CompactedTopic(topic, refuse, connection={"bootstrap_servers": kafka.bootstrap}) as shared:
        with pytest.raises(ValueError, match="1 rows refused"):
            await shared.ready()
        with pytest.raises(ValueError, match="1 rows refused"):
            await shared.failed()


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
