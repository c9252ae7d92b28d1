"""Topics between two record times, read once: what came in then, for commands that play it again.

Input topics carry the broker's own time (`LogAppendTime`), which only grows within a partition: two times are two
places in it, and everything between them belongs to the range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.shared_topics import POLL_MS, Backlog, stop_consumer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


REQUEST_MS = 60_000
"""How long a broker may take to find the places of a time: it looks into the segments on disk."""


class Span(NamedTuple):
    """Record times, ms: from `since` on, and before `until`."""

    since: int
    until: int


class Fetched(NamedTuple):
    """A record as it stands on its topic; `at` is its record time in ms."""

    topic: str
    at: int
    value: bytes | None


async def read_range(
    topics: Collection[str],
    span: Span,
    take: Callable[[Fetched], None],
    connection: Mapping[str, Any],
    progress: Callable[[int, int], None],
) -> int | None:
    """Hand over every record of these topics within a span, in order within a partition.

    Gives the record time (ms) from which on everything is still there, where Kafka has let go of records that may have
    belonged to the span (retention); None where it has not.

    Args:
        topics: their names.
        span: which record times.
        take: given each record.
        connection: the way into the cluster.
        progress: told how many records have come, and how many there are: at most so many, for places that
            transactions take up hold none.

    Raises:
        LaneError: the cluster has none of these topics.
        KafkaError: the cluster cannot be read.
        Exception: what `take` raises.
    """
    parts = await _partitions(topics, connection)
    if not parts:
        raise LaneError("the cluster has none of the declared channel topics: run `orchestrator topics apply`")
    consumer = AIOKafkaConsumer(
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=REQUEST_MS,
        **connection,
    )
    try:
        await consumer.start()
        places = await _places(consumer, parts, span)
        await _read(consumer, {part: (place.first, place.end) for part, place in places.items()}, take, progress)
        return max((place.kept_from for place in places.values() if place.kept_from is not None), default=None)
    finally:
        await stop_consumer(consumer)


async def _partitions(topics: Collection[str], connection: Mapping[str, Any]) -> list[TopicPartition]:
    """Those of the topics that are there."""
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        described = await admin.describe_topics(list(topics))
    finally:
        await admin.close()
    for topic in described:
        if topic["error_code"] not in {0, UnknownTopicOrPartitionError.errno}:
            raise for_code(topic["error_code"])(topic["topic"])
    return [TopicPartition(topic["topic"], each["partition"]) for topic in described for each in topic["partitions"]]


class Place(NamedTuple):
    """Where a partition's records of a span stand: the first offset, and the first behind them.

    `kept_from`: the record time of the first (ms), where earlier ones are gone that may have belonged to the span.
    """

    first: int
    end: int
    kept_from: int | None


async def _places(
    consumer: AIOKafkaConsumer, parts: Collection[TopicPartition], span: Span
) -> dict[TopicPartition, Place]:
    """Those of the partitions that have records within the span."""
    begins, ends = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
    firsts = await consumer.offsets_for_times(dict.fromkeys(parts, span.since))
    behind = await consumer.offsets_for_times(dict.fromkeys(parts, span.until))
    places = {}
    for part in parts:
        first, last = firsts[part], behind[part]
        if first is not None:
            gone = 0 < begins[part] == first.offset
            end = min(ends[part], last.offset) if last is not None else ends[part]
            places[part] = Place(first.offset, end, first.timestamp if gone else None)
    return {part: place for part, place in places.items() if place.first < place.end}


async def _read(
    consumer: AIOKafkaConsumer,
    places: Mapping[TopicPartition, tuple[int, int]],
    take: Callable[[Fetched], None],
    progress: Callable[[int, int], None],
) -> None:
    if not places:
        return
    consumer.assign(list(places))
    for part, (first, _) in places.items():
        consumer.seek(part, first)
    backlog = Backlog(consumer, {part: end for part, (_, end) in places.items()})
    total, done = sum(end - first for first, end in places.values()), 0
    while not await backlog.is_read():
        for part, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
            end = places[part][1]
            for record in records:
                if record.offset < end:
                    take(Fetched(part.topic, record.timestamp, record.value))
                    done += 1
            if await consumer.position(part) >= end:
                consumer.pause(part)
        progress(done, total)
