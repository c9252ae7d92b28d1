"""What came in between two record times, read from a real broker."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.topic_range import Fetched, Span, read_range

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from orchestrator.stream.broker import EmbeddedKafka

pytestmark = pytest.mark.kafka

START = 1_772_436_000_000
PARTITIONS = 3


@asynccontextmanager
async def written(kafka: EmbeddedKafka, topics: Collection[str], count: int) -> AsyncIterator[None]:
    """Topics with a record every second, each in the partition after the last one's."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        for number in range(count):
            for topic in topics:
                await producer.send_and_wait(
                    topic, b"%d" % number, partition=number % PARTITIONS, timestamp_ms=START + number * 1_000
                )
        yield


async def fetched(kafka: EmbeddedKafka, topics: Collection[str], since: float, until: float) -> list[Fetched]:
    """What stands between two times, in seconds after the start, sorted by time; the progress told adds up."""
    found, kept_from = await fetched_and_kept(kafka, topics, since, until)
    assert kept_from is None
    return found


async def fetched_and_kept(
    kafka: EmbeddedKafka, topics: Collection[str], since: float, until: float
) -> tuple[list[Fetched], int | None]:
    """The same, and from when on everything is still there where something is gone."""
    found: list[Fetched] = []
    told = [(0, 0)]
    span = Span(START + round(since * 1_000), START + round(until * 1_000))
    kept_from = await read_range(
        topics, span, found.append, {"bootstrap_servers": kafka.bootstrap}, lambda *each: told.append(each)
    )
    assert told[-1] == (len(found), len(found))
    return sorted(found, key=lambda each: (each.at, each.topic)), kept_from


async def test_all_within_two_times_comes_and_nothing_else(kafka: EmbeddedKafka, unique: Callable[[str], str]) -> None:
    web, app = sorted((unique("channel.web"), unique("channel.app")))
    async with written(kafka, [web, app], 30):
        expected = [
            Fetched(topic, START + number * 1_000, b"%d" % number) for number in range(10, 20) for topic in (web, app)
        ]
        assert await fetched(kafka, [web, app], 10, 20) == expected, "from `since` on, and before `until`"
        assert [each.value for each in await fetched(kafka, [web], 27.5, 1_000)] == [b"28", b"29"]
        assert [each.value for each in await fetched(kafka, [web], -1_000, 1.5)] == [b"0", b"1"]
        assert await fetched(kafka, [web], 12.2, 12.8) == []
        assert await fetched(kafka, [web], 100, 200) == []
        assert len(await fetched(kafka, [web, unique("channel.later")], -1, 100)) == 30, "one is not there yet"


async def test_what_kafka_has_let_go_of_is_told_where_it_may_have_belonged_to_the_span(
    kafka: EmbeddedKafka, unique: Callable[[str], str]
) -> None:
    topic = unique("channel.web")
    async with written(kafka, [topic], 12):
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:  # of the partition that holds 1, 4, 7 and 10
            await admin.delete_records({TopicPartition(topic, 1): RecordsToDelete(before_offset=2)})
        finally:
            await admin.close()
        found, kept_from = await fetched_and_kept(kafka, [topic], 0, 12)
        assert [int(each.value or b"") for each in found] == [0, 2, 3, 5, 6, 7, 8, 9, 10, 11]
        assert kept_from == START + 7_000
        assert len(await fetched(kafka, [topic], 7.5, 12)) == 4, "nothing of that span is gone"


async def test_a_cluster_without_these_topics_is_an_error_that_says_what_to_do(
    kafka: EmbeddedKafka, unique: Callable[[str], str]
) -> None:
    with pytest.raises(LaneError, match="orchestrator topics apply"):
        await fetched(kafka, [unique("channel.nowhere")], 0, 1)


async def test_a_deletion_and_what_is_no_text_are_handed_over_as_they_are(
    kafka: EmbeddedKafka, unique: Callable[[str], str]
) -> None:
    topic = unique("channel.web")
    async with written(kafka, [topic], 1), AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for at, value in ((1, None), (2, b"\xff")):
            await producer.send_and_wait(topic, value, key=b"k", partition=0, timestamp_ms=START + at)
        assert [each.value for each in await fetched(kafka, [topic], 0, 1)] == [b"0", None, b"\xff"]
