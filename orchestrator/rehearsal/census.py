"""Who is under way where: live instances, counted from the records of the customers' changelog. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.engine.fallback import is_fallback
from orchestrator.model.codec import decode_head, decode_node
from orchestrator.model.customer import Customer

if TYPE_CHECKING:
    from orchestrator.model.customer import Instance


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


class Census:
    """The newest value of every customer with something under way.

    Values come in the order of their partitions. One written under a lower ownership number than the one before of the
    same key is a worker's that had lost the partition, and does not count. Only groups are kept of a customer.
    """

    def __init__(self, tenant: str) -> None:
        self._prefix = f"{tenant}/".encode()
        self._found: dict[bytes, tuple[int, tuple[Group, ...]]] = {}
        self.records = 0

    def take(self, key: bytes, value: bytes | None) -> None:
        """A record of the changelog.

        Raises:
            UnknownVersionError: a newer release of this software wrote it.
        """
        self.records += 1
        if not key.startswith(self._prefix):
            return
        head = decode_head(value) if value is not None else None
        known = self._found.get(key)
        if head is not None and known is not None and head.writer < known[0]:
            return
        groups = _groups(value) if value is not None and head is not None and head.due else ()
        if groups:
            self._found[key] = (head.writer if head is not None else 0, groups)
        elif known is not None:
            del self._found[key]

    @property
    def customers(self) -> int:
        """How many customers have something under way."""
        return len(self._found)

    def groups(self) -> Counter[Group]:
        """How many instances are in which group."""
        return Counter(group for _, groups in self._found.values() for group in groups)


def _groups(value: bytes) -> tuple[Group, ...]:
    """The instances of a root. Who is moving to another root is counted there, once the parcel has arrived."""
    node = decode_node(value)
    if node.to is not None or not isinstance(node.body, Customer):
        return ()
    return tuple(_group(instance) for instance in node.body.instances)


def _group(instance: Instance) -> Group:
    steps = tuple(sorted(standing.step for standing in instance.standing if not is_fallback(standing)))
    return Group(instance.scenario, instance.version, steps, instance.mode == "rest")
