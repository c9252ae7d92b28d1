"""Who is under way where: live instances, counted from the records of the customers' changelog. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.engine.fallback import is_fallback
from orchestrator.model.codec import decode_head, decode_node
from orchestrator.model.customer import Customer
from orchestrator.model.partition import partition_of

if TYPE_CHECKING:
    from orchestrator.model.customer import Instance


PARTITION: Final = b"partition"
"""The namespace of the nodes that say whose a partition is; each stands in its own."""


class Group(NamedTuple):
    """Instances that a release treats alike.

    Attributes:
        scenario: whose.
        version: that they are on.
        steps: where they stand; none where they rest.
        rests: their story is over, only the goal is watched.
    """

    scenario: str
    version: int
    steps: tuple[str, ...]
    rests: bool


class Writers:
    """Which values count, as for a worker that recovers.

    Values come in the order of their partitions. One written under a lower ownership number than any before it in the
    partition, whosever it is, is of a worker that had lost the partition, and does not count.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._newest: dict[int, int] = {}

    def passes(self, key: bytes, value: bytes | None) -> bool:
        """Whether a record of the changelog counts; a deletion always does.

        Raises:
            UnknownVersionError: a newer release of this software wrote it.
        """
        if value is None:
            return True
        writer, place = decode_head(value).writer, self._place(key)
        if writer < self._newest.get(place, 0):
            return False
        self._newest[place] = writer
        return True

    def _place(self, key: bytes) -> int:
        """The partition that a key stands in: that of its hash, but for the node that says whose a partition is."""
        namespace, _, value = key.rpartition(b"/")[2].partition(b":")
        return int(value) if namespace == PARTITION and value.isdigit() else partition_of(key, self._partitions)


class Census:
    """The newest value of every customer with something under way, as a worker would recover it.

    What a worker changes meanwhile may or may not be in it; who is on the way from one partition to another at that
    moment may be in neither, or in both. Only groups are kept of a customer.

    Args:
        tenant: whose customers.
        partitions: of the changelog.
    """

    def __init__(self, tenant: str, partitions: int) -> None:
        self._prefix = f"{tenant}/".encode()
        self._writers = Writers(partitions)
        self._found: dict[bytes, tuple[Group, ...]] = {}
        self.records = 0

    def take(self, key: bytes, value: bytes | None) -> None:
        """A record of the changelog.

        Raises:
            UnknownVersionError: a newer release of this software wrote it.
        """
        self.records += 1
        if not self._writers.passes(key, value) or not key.startswith(self._prefix):
            return
        groups = _groups(value) if value is not None and decode_head(value).due else ()
        if groups:
            self._found[key] = groups
        else:
            self._found.pop(key, None)

    @property
    def customers(self) -> int:
        """How many customers have something under way."""
        return len(self._found)

    def groups(self) -> Counter[Group]:
        """How many instances are in which group."""
        return Counter(group for groups in self._found.values() for group in groups)


def _groups(value: bytes) -> tuple[Group, ...]:
    """The instances of a root. Who is moving to another root is counted there, once the parcel has arrived."""
    node = decode_node(value)
    if node.to is not None or not isinstance(node.body, Customer):
        return ()
    return tuple(_group(instance) for instance in node.body.instances)


def _group(instance: Instance) -> Group:
    story = [one for one in instance.standing if not (is_fallback(one) or one.is_placement)]
    steps = tuple(sorted(one.step for one in story))
    return Group(instance.scenario, instance.version, steps, instance.mode == "rest")
