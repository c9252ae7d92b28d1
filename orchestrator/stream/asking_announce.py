"""Telling everybody who owns a partition, on the compacted topic `workers`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

TOPIC: Final = "workers"
AGAIN_AFTER: Final = 30.0
"""Seconds. An announcement that a worker wrote before it knew that it had lost the partition is so put right."""

Write = Callable[[str, bytes, bytes], Awaitable[None]]
"""Called with topic, key and value; done when the broker has acknowledged."""


class Announcement(msgspec.Struct, frozen=True):
    """Who owns a partition: the worker's name, `host:port` of its `/ask`, and the partition's ownership number."""

    worker: str
    address: str
    number: int


class Announcer:
    """Announces this worker for the partitions that it owns, and again from time to time.

    Nothing is taken back when a partition goes: the next owner's announcement replaces ours, and until then a
    question that reaches us is answered with 421. A tombstone of ours could delete the next owner's word.
    """

    def __init__(self, write: Write, worker: str, address: str) -> None:
        self._write = write
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
        """Announce all owned partitions again every `every` seconds, until cancelled."""
        while True:
            await asyncio.sleep(every)
            for partition, number in list(self._owned.items()):
                if self._owned.get(partition) == number:
                    await self._announce(partition, number)

    async def _announce(self, partition: int, number: int) -> None:
        value = msgspec.json.encode(Announcement(self._worker, self._address, number))
        await self._write(TOPIC, str(partition).encode(), value)
