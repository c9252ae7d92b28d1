"""Reads the topic `bundles` from its beginning and goes on: without a group, so every process sees all of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from orchestrator.stream.shared_topics import stop_consumer

BUNDLES: Final = "bundles"
_WAIT_MS: Final = 200

Take = Callable[[bytes, bytes | None], Awaitable[None]]


@contextlib.asynccontextmanager
async def followed(
    connection: Mapping[str, Any], take: Take, fail: Callable[[BaseException], None], topic: str = BUNDLES
) -> AsyncIterator[None]:
    """Everything that the topic holds has been taken when this is entered; what comes later is taken as it comes.

    Args:
        connection: what aiokafka's clients take to reach the cluster.
        take: given key and value of each record, in order.
        fail: told what ended the following, if anything did.
        topic: its partitions are all read.

    Raises:
        KafkaError: the topic cannot be read.
    """
    consumer = AIOKafkaConsumer(group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", **connection)
    try:
        await consumer.start()
        await _catch_up(consumer, topic, take)
        task = asyncio.create_task(_go_on(consumer, take))
        task.add_done_callback(lambda done: None if done.cancelled() else fail(_error(done)))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    finally:
        await stop_consumer(consumer)


async def _catch_up(consumer: AIOKafkaConsumer, topic: str, take: Take) -> None:
    await consumer._client.set_topics([topic])  # noqa: SLF001  a consumer without a group has no other way to ask
    partitions = [TopicPartition(topic, each) for each in sorted(consumer.partitions_for_topic(topic) or {0})]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    while any([await consumer.position(each) < ends[each] for each in partitions]):
        await _read(consumer, take)


async def _go_on(consumer: AIOKafkaConsumer, take: Take) -> None:
    while True:
        await _read(consumer, take)


async def _read(consumer: AIOKafkaConsumer, take: Take) -> None:
    for records in (await consumer.getmany(timeout_ms=_WAIT_MS)).values():
        for record in records:
            if record.key is not None:
                await take(record.key, record.value)


def _error(task: "asyncio.Task[None]") -> BaseException:
    return task.exception() or RuntimeError("the reading of bundles ended")
