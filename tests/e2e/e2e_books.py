"""What stands on Kafka, read as an auditor reads it: the customers' records, the actions, the dead letters."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from orchestrator.engine.traits.states import unpack
from orchestrator.engine.traits.sums import Ledger
from orchestrator.model.codec import decode_node, writer_of
from orchestrator.model.customer import Customer, PartitionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiokafka import ConsumerRecord

    from orchestrator.model.customer import Node

CHANGELOG = "orchestrator-customers-changelog"
ACTIONS = "actions"
DEAD_LETTER = "dead-letter"


class Books:
    """Records of some topics as they come; the changelog from its beginning, the others from now on.

    Attributes:
        values: key -> the newest value of the changelog that counts.
        numbers: partition -> every ownership number that the changelog has seen there, in order.
        stale: values of workers that had lost their partition; they do not count.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._records: dict[str, list[ConsumerRecord]] = defaultdict(list)
        self.values: dict[bytes, bytes] = {}
        self.numbers: dict[int, list[int]] = defaultdict(list)
        self.stale = 0

    async def read(self) -> Books:
        """Read on to the present ends of all topics."""
        parts = list(self._consumer.assignment())
        ends = await self._consumer.end_offsets(parts)
        while any([await self._consumer.position(part) < end for part, end in ends.items()]):
            for part, records in (await self._consumer.getmany(timeout_ms=100)).items():
                if part.topic == CHANGELOG:
                    self._take_in(part.partition, records)
                else:
                    self._records[part.topic] += records
        return self

    def _take_in(self, partition: int, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            if record.value is None:
                self.values.pop(record.key, None)
                continue
            seen, writer = self.numbers[partition], writer_of(record.value)
            if seen and writer < seen[-1]:
                self.stale += 1
                continue
            if not seen or writer > seen[-1]:
                seen.append(writer)
            self.values[record.key] = record.value

    def of(self, topic: str) -> list[ConsumerRecord]:
        """The records of a topic since these books were opened, each partition's in order."""
        return self._records[topic]

    def actions(self, run: str) -> dict[str, set[bytes]]:
        """Action id -> its bytes (one, if repeats are what they must be), of the customers of one run."""
        found: dict[str, set[bytes]] = defaultdict(set)
        for record in self.of(ACTIONS):
            action = json.loads(record.value)
            if run in action["node"]:
                found[action["id"]].add(record.value)
        return dict(found)

    def sends(self, run: str) -> list[dict[str, Any]]:
        """Every send of one run, each id once."""
        return [json.loads(min(copies)) for copies in self.actions(run).values()]

    def node(self, name: str) -> Node | None:
        """A node (`user_id:u1`) as its record says."""
        value = self.values.get(f"default/{name}".encode())
        return decode_node(value) if value is not None else None

    def customers(self, run: str) -> dict[str, Customer]:
        """Root node -> customer, of one run. A forward has none: its history moved."""
        found = {}
        for key, value in self.values.items():
            node = decode_node(value) if run.encode() in key else None
            if node is not None and node.to is None and isinstance(node.body, Customer) and node.body.person:
                found[key.decode().partition("/")[2]] = node.body
        return found

    def ownership(self) -> dict[int, int]:
        """Partition -> the number of its newest owner, as its record says."""
        found = {}
        for key, value in self.values.items():
            body = decode_node(value).body if key.startswith(b"default/partition:") else None
            if isinstance(body, PartitionState):
                found[int(key.rpartition(b":")[2])] = body.number
        return found


def visits(customer: Customer) -> int:
    """How many pages this customer's record counts."""
    return int(unpack(customer.traits["visits"])) if "visits" in customer.traits else 0


def points(customer: Customer) -> tuple[float, frozenset[str]]:
    """The balance of the points, and what they were given for."""
    if "points" not in customer.traits:
        return 0.0, frozenset()
    state = unpack(customer.traits["points"])
    return float(Ledger().read(state, customer.now)), frozenset(state[1])


@asynccontextmanager
async def opened(bootstrap: str, *topics: str) -> AsyncIterator[Books]:
    """Books of the changelog, the actions, the dead letters and more topics."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        parts = []
        for topic in (CHANGELOG, ACTIONS, DEAD_LETTER, *topics):
            known = await consumer._client.fetch_all_metadata()
            parts += [TopicPartition(topic, number) for number in known.partitions_for_topic(topic) or ()]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*(part for part in parts if part.topic == CHANGELOG))
        await consumer.seek_to_end(*(part for part in parts if part.topic != CHANGELOG))
        yield await Books(consumer).read()
    finally:
        await consumer.stop()
