"""Telling everybody who owns a partition, on the compacted topic `workers`."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiokafka.errors import KafkaError

from orchestrator.stream.lane.records import Outgoing

TOPIC: Final = "workers"
AGAIN_AFTER: Final = 30.0
"""Seconds. An announcement that a worker wrote before it knew that it had lost the partition is so put right."""


class Announcement(msgspec.Struct, frozen=True):
    """Who owns a partition: the worker's name, `host:port` of its `/ask`, and the partition's ownership number."""

    worker: str
    address: str
    number: int


class Announcer:
    """Announces this worker for the partitions that it owns, and again from time to time.

    Nothing is taken back when a partition goes: the next owner's announcement replaces ours, and until then a
    question that reaches us is answered with 421. A tombstone of ours could delete the next owner's word.

    Args:
        send: writes a record; done when the broker has acknowledged.
        worker: this worker's name.
        address: `host:port` where it can be asked.
    """

    def __init__(self, send: Callable[[Outgoing], Awaitable[None]], worker: str, address: str) -> None:
        self._send = send
        self._worker = worker
        self._address = address
        self._owned: dict[int, int] = {}

    async def recovered(self, partition: int, number: int) -> None:
        """This worker owns `partition` under the ownership number `number`, and can answer questions about it."""
        self._owned[partition] = number
        await self._announce(partition, number)

    def revoked(self, partition: int) -> None:
        """This worker does not own `partition` any more."""
        self._owned.pop(partition, None)

    async def run(self, every: float = AGAIN_AFTER) -> None:
        """Announce all owned partitions again every `every` seconds, until cancelled.

        What the broker does not take, because it is away, is announced again with the next ones.
        """
        while True:
            await asyncio.sleep(every)
            with contextlib.suppress(KafkaError):
                await self._announce_all()

    async def _announce_all(self) -> None:
        for partition, number in list(self._owned.items()):
            if self._owned.get(partition) == number:
                await self._announce(partition, number)

    async def _announce(self, partition: int, number: int) -> None:
        value = msgspec.json.encode(Announcement(self._worker, self._address, number))
        await self._send(Outgoing(TOPIC, str(partition).encode(), value))
