"""A small compacted topic, held whole: read from its beginning without a group, then followed."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition


class MissingTopicError(Exception):
    """The topic does not exist; the message says what to do."""


class WholeTopic:
    """Follows one topic.

    Args:
        topic: its name.
        partitions: how many it has.
        learn: takes in one record: key, and value or None where it was deleted. What it refuses with ValueError
            is left aside.
        left_aside: told of every record that was refused.
        make_consumer: makes a consumer without a group that starts at the beginning.
    """

    def __init__(
        self,
        topic: str,
        partitions: int,
        learn: Callable[[bytes, bytes | None], None],
        left_aside: Callable[[ValueError], None],
        make_consumer: Callable[[], AIOKafkaConsumer],
    ) -> None:
        self._topic = topic
        self._partitions = partitions
        self._learn = learn
        self._left_aside = left_aside
        self._make_consumer = make_consumer
        self._consumer: AIOKafkaConsumer | None = None
        self._missing: dict[TopicPartition, int] = {}
        self.complete = asyncio.Event()
        """Set once everything that stood in the topic at the start has been read."""

    async def start(self) -> None:
        """Connect and find out how much there is to read.

        Raises:
            KafkaError: no broker answers.
            MissingTopicError: the topic does not exist.
        """
        consumer = self._consumer = self._make_consumer()
        await consumer.start()
        if self._topic not in await consumer.topics():
            raise MissingTopicError(
                f"there is no topic {self._topic}; create the topics with: orchestrator topics apply"
            )
        assigned = [TopicPartition(self._topic, partition) for partition in range(self._partitions)]
        consumer.assign(assigned)
        await consumer.seek_to_beginning(*assigned)
        ends = await consumer.end_offsets(assigned)
        begins = await consumer.beginning_offsets(assigned)
        self._missing = {partition: end for partition, end in ends.items() if end > begins[partition]}
        self._check_complete()

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        consumer = self._consumer
        if consumer is None:
            raise RuntimeError("start() comes first")
        while True:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    self._take(record.key or b"", record.value)
            await self._note_positions(consumer)

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def _note_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Positions tell what has been read; offsets of records do not, since compaction leaves gaps at the end."""
        for partition, end in list(self._missing.items()):
            if await consumer.position(partition) >= end:
                del self._missing[partition]
        self._check_complete()

    def _check_complete(self) -> None:
        if not self._missing:
            self.complete.set()

    def _take(self, key: bytes, value: bytes | None) -> None:
        try:
            self._learn(key, value)
        except ValueError as error:
            self._left_aside(error)


def consumer_of(topic: str, connection: Mapping[str, Any]) -> Callable[[], AIOKafkaConsumer]:
    """Makes consumers for a `WholeTopic`.

    Args:
        topic: what they are to read.
        connection: how to reach the cluster, as aiokafka's clients take it: `bootstrap_servers` and security.
    """

    def make() -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            client_id=f"orchestrator-gateway-{topic}",
            group_id=None,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
            **connection,
        )

    return make
