"""Who owns which customer: the topic `workers`, held whole."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import msgspec

from orchestrator.model.partition import partition_of


class Owner(msgspec.Struct, frozen=True):
    """A worker that announced itself for a partition. `number` is the partition's ownership number."""

    worker: str
    address: str
    number: int = 0


class Owners(Protocol):
    """Who knows the owners."""

    def of(self, key: bytes) -> Owner | None:
        """The last announced owner of a node key's partition."""
        ...

    async def changed(self, key: bytes, known: Owner | None) -> None:
        """Wait until the owner of this key's partition is another than `known`."""
        ...


class AnnouncedOwners:
    """`Owners` from announcements as they come in.

    An announcement with a lower ownership number than the one known is that of a worker which has lost the
    partition without having heard of it, and is passed over.
    """

    def __init__(self, partitions: int) -> None:
        if partitions < 1:
            raise ValueError("the number of partitions must be at least 1")
        self._partitions = partitions
        self._owners: dict[int, Owner] = {}
        self._change = asyncio.Event()

    def learn(self, key: bytes, value: bytes | None) -> None:
        """Take in one record of the topic.

        Raises:
            ValueError: it is no announcement.
        """
        partition = int(key)
        if value is None:
            self._owners.pop(partition, None)
        else:
            owner = _decode(value)
            known = self._owners.get(partition)
            if known is None or owner.number >= known.number:
                self._owners[partition] = owner
        self._change.set()
        self._change = asyncio.Event()

    @property
    def known(self) -> Mapping[int, Owner]:
        """Partition -> owner, as announced."""
        return self._owners

    @property
    def complete(self) -> bool:
        """Whether every partition has an owner."""
        return len(self._owners) >= self._partitions

    def of(self, key: bytes) -> Owner | None:
        return self._owners.get(partition_of(key, self._partitions))

    async def changed(self, key: bytes, known: Owner | None) -> None:
        while self.of(key) == known:
            await self._change.wait()


def _decode(value: bytes) -> Owner:
    try:
        return msgspec.json.decode(value, type=Owner)
    except msgspec.DecodeError as error:
        raise ValueError(f"no announcement of a worker: {error}") from error
