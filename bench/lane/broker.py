"""What the lane's measurements and long tests need of a broker: topics, input, and reading back what came out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from orchestrator.model.partition import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterable


async def create(bootstrap: str, partitions: int, topics: Iterable[str], compacted: Iterable[str] = ()) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        kinds = [(name, "delete") for name in topics] + [(name, "compact") for name in compacted]
        await admin.create_topics(
            [
                NewTopic(
                    name,
                    partitions,
                    1,
                    topic_configs={"cleanup.policy": kind, "message.timestamp.type": "LogAppendTime"},
                )
                for name, kind in kinds
            ]
        )
        names = [name for name, _ in kinds]
        while not all(map(_led, await admin.describe_topics(names))):  # noqa: ASYNC110  the broker tells it in no other way
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


def _led(topic: dict[str, Any]) -> bool:
    """Whether every partition of a new topic has a leader that takes writes."""
    return not topic["error_code"] and all(each["leader"] >= 0 for each in topic["partitions"])


async def produce(bootstrap: str, topic: str, partitions: int, rows: Iterable[tuple[bytes, bytes]]) -> int:
    """Write rows by their keys, in large batches; returns how many."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=262144, acks="all")
    await producer.start()
    total, acks = 0, []
    builders = {each: producer.create_batch() for each in range(partitions)}
    try:
        for key, value in rows:
            place = partition_of(key, partitions)
            if builders[place].append(key=key, value=value, timestamp=None) is None:
                acks.append(await producer.send_batch(builders[place], topic, partition=place))
                builders[place] = producer.create_batch()
                builders[place].append(key=key, value=value, timestamp=None)
            total += 1
        for place, builder in builders.items():
            acks.append(await producer.send_batch(builder, topic, partition=place))
        await asyncio.gather(*acks)
    finally:
        await producer.stop()
    return total


async def read(bootstrap: str, topic: str, partitions: int) -> list[tuple[bytes | None, bytes | None]]:
    """Everything in a topic, in offset order for each partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    rows: list[tuple[bytes | None, bytes | None]] = []
    try:
        parts = [TopicPartition(topic, each) for each in range(partitions)]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        while any([await consumer.position(part) < end for part, end in ends.items()]):
            for some in (await consumer.getmany(timeout_ms=200)).values():
                rows += [(each.key, each.value) for each in some]
    finally:
        await consumer.stop()
    return rows
