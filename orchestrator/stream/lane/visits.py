"""Visits: a release that concerns customers to whom nothing happens. Each is looked at once, some at a tick.

Keys go in their order, and the last one stands in the partition's own node, so that a new owner goes on from there. A
visit twice changes nothing.
"""

from typing import TYPE_CHECKING, Final

from orchestrator.engine.releases import concerns_everybody, moves
from orchestrator.model.customer import Customer
from orchestrator.model.ids import split_key
from orchestrator.stream.lane.partition import EVERYBODY, UNDER_WAY

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program
    from orchestrator.stream.lane.partition import Partition
    from orchestrator.stream.lane.records import Record
    from orchestrator.stream.lane.step import Step

AT_ONCE: Final = 2_000


def plan_visits(owned: "Partition", before: "Program | None", after: "Program") -> None:
    """Begin what a release calls for: everybody for a new schedule, who has a journey where journeys move or end.

    `before` is the release until now, None where nobody has it any more.
    """
    if concerns_everybody(before, after) or (before is not None and owned.visiting == EVERYBODY):
        owned.begin_visits(EVERYBODY)
    elif owned.visiting or moves(before, after):
        owned.begin_visits(UNDER_WAY)


def apply_visits(step: "Step", record: "Record") -> None:
    """Look at the next customers, as far as one who has been through this record, for whatever else it brought.

    Before a crash, that is: this time the tick finds others first. That one is looked at by a later tick.
    """
    partition, done = step.partition, 0
    for key in partition.next_visits(AT_ONCE):
        node = partition.node(key)
        if step.applied(node, record):
            break
        done += 1
        body = node.body
        if node.to is None and isinstance(body, Customer):
            work = step.work(node, split_key(key)[1], record)
            step.engine.released(work, body)
            step.settle(record, key, work)
    partition.visits_done(done)
