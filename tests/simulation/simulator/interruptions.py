"""What lies between an interruption and its replay: which records come again, and what has changed meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from orchestrator.model.customer import Customer
from orchestrator.model.effect import INPUTS
from orchestrator.stream.lane.records import Record
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.faults import Fault
from tests.simulation.simulator.house import OWNERSHIP
from tests.simulation.simulator.worker import Ownership, node_of


class _Interrupted(NamedTuple):
    """How far a partition had been read, on which rows and releases."""

    positions: dict[str, int]
    facts: int
    releases: int


class Interruptions:
    """The last owner of each partition that ended, or lost it, in the middle of something."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._last: dict[int, _Interrupted] = {}

    def add(self, owner: Ownership) -> None:
        """This owner is none any more, and has given nothing up in order."""
        worker = owner.worker
        before = self._last.get(owner.partition)
        positions = dict(owner.positions)
        for topic, at in before.positions.items() if before else ():
            positions[topic] = max(at, positions[topic])
        self._last[owner.partition] = _Interrupted(positions, worker.facts_read, worker.read.published)

    @contextmanager
    def watched(self, owner: Ownership, records: Sequence[Record], owners: Mapping[int, Ownership]) -> Iterator[None]:
        """While an owner applies records: is it a replay, is there a release in them, and whom does it meet?"""
        self._replay(owner, records)
        owned = owner.worker.core.owned(owner.partition)
        before = owned.release if owned is not None else ""
        yield
        if owned is not None and owned.release != before:
            self._release(owner, owners)

    def _replay(self, owner: Ownership, records: Sequence[Record]) -> None:
        last, met = self._last.get(owner.partition), self.broker.met
        again = [one for one in records if last is not None and one.offset < last.positions[one.topic]]
        if last is None or not again or owner.lost:
            return
        met[Fault.REPLAY] += 1
        met[Fault.ROWS_BEFORE_REPLAY] += owner.worker.facts_read > last.facts
        met[Fault.RELEASE_BEFORE_REPLAY] += owner.worker.read.published > last.releases
        met[Fault.TICK_AGAIN] += any(one.topic == INPUTS and _is_own(one) for one in again)

    def _release(self, owner: Ownership, owners: Mapping[int, Ownership]) -> None:
        met = self.broker.met
        keys = [key for key in owner.table.values if not key.startswith(OWNERSHIP)]
        bodies = [node_of(owner, key).body for key in keys]
        met[Fault.RELEASE] += any(isinstance(body, Customer) and body.instances for body in bodies)
        found = {owned.release for one in owners.values() if (owned := one.worker.core.owned(one.partition))}
        met[Fault.RELEASE_SKEW] += len(found) > 1


def _is_own(record: Record) -> bool:
    """Whether a record is a tick of its partition."""
    return (record.key or b"").startswith(OWNERSHIP)
