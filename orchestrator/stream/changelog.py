"""The customers' changelog as people's tools read it: nodes by name, or all of them, without owning a partition.

Only the partitions that are asked for are read, each from its beginning to its present end, and only what is asked for
is kept: memory does not grow with the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from orchestrator.model.codec import decode_node, writer_of
from orchestrator.model.ids import node_key, split_key
from orchestrator.model.partition import partition_of
from orchestrator.stream.shared_topics import Backlog, stop_consumer
from orchestrator.stream.worker import CHANGELOG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from orchestrator.model.customer import Node

MOST_FORWARDS: Final = 32
POLL_MS: Final = 200


class UnsettledError(RuntimeError):
    """Forwards lead on and on: identifiers are on the move right now; ask again."""


class ChangelogReader:
    """Reads the table of one tenant. Use as `async with ChangelogReader(...) as reader`.

    Args:
        connection: how to reach the cluster, as aiokafka's clients take it.
        partitions: of the input topics, and so of the changelog.
        tenant: whose nodes.
    """

    def __init__(self, connection: Mapping[str, Any], partitions: int, tenant: str) -> None:
        self._partitions = partitions
        self._tenant = tenant
        self._consumer = AIOKafkaConsumer(
            group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=100, **connection
        )

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except BaseException:
            await stop_consumer(self._consumer)
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        await stop_consumer(self._consumer)

    async def nodes(self, names: Iterable[str]) -> dict[str, Node]:
        """The nodes of these names, `NAMESPACE:VALUE`, as far as there are any."""
        keys = {node_key(self._tenant, name): name for name in names}
        places = {partition_of(key, self._partitions) for key in keys}
        values = await self._values(sorted(places), keys.__contains__)
        return {keys[key]: decode_node(value) for key, value in values.items()}

    async def root(self, name: str) -> tuple[str, Node | None]:
        """The root that a name leads to, and its node; None where the name was never seen.

        Raises:
            UnsettledError: it leads in circles, because identifiers are on the move.
        """
        for _ in range(MOST_FORWARDS):
            node = (await self.nodes([name])).get(name)
            if node is None or node.to is None:
                return name, node
            name = node.to
        raise UnsettledError

    async def everybody(self) -> AsyncIterator[tuple[str, Node]]:
        """All nodes of the tenant, a partition at a time. A partition's values are held in memory meanwhile."""
        prefix = f"{self._tenant}/".encode()
        for partition in range(self._partitions):
            values = await self._values([partition], lambda key: key.startswith(prefix))
            for key, value in values.items():
                yield split_key(key)[1], decode_node(value)

    async def _values(self, partitions: list[int], wanted: Callable[[bytes], bool]) -> dict[bytes, bytes]:
        """The newest values that count; what a worker wrote that had lost its partition does not."""
        parts = [TopicPartition(CHANGELOG, partition) for partition in partitions]
        self._consumer.assign(parts)
        await self._consumer.seek_to_beginning(*parts)
        backlog = await Backlog.of(self._consumer, parts)
        values: dict[bytes, bytes] = {}
        writers = dict.fromkeys(partitions, 0)
        while not await backlog.is_read():
            for part, records in (await self._consumer.getmany(timeout_ms=POLL_MS)).items():
                for record in records:
                    if record.value is None:
                        values.pop(record.key, None)
                        continue
                    writer = writer_of(record.value)
                    if writer >= writers[part.partition]:
                        writers[part.partition] = writer
                        if wanted(record.key):
                            values[record.key] = record.value
        return values
