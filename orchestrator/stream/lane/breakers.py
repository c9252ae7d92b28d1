"""The nodes that count for scenarios with `stop_when`: one writer for what happens to all customers together."""

from typing import TYPE_CHECKING

from orchestrator.engine import breaker
from orchestrator.model.customer import Breaker
from orchestrator.model.ids import node_key
from orchestrator.model.message import Counted, Reopen

if TYPE_CHECKING:
    from orchestrator.stream.lane.records import Record
    from orchestrator.stream.lane.step import Step


def count_message(step: "Step", record: "Record", name: str, message: Counted | Reopen) -> None:
    """Count a message that a scenario sent, or what it met, or let the scenario go on.

    For a scenario that has no `stop_when` any more nothing is counted.
    """
    key = node_key(step.tenant, name)
    node = step.partition.node(key)
    scenario = name[len(breaker.PREFIX) :]
    plan = step.program.scenarios.get(scenario)
    rule = plan.document.stop_when if plan is not None else None
    if step.applied(node, record) or (rule is None and isinstance(message, Counted)):
        return
    work = step.work(node, name, record)
    body = node.body if isinstance(node.body, Breaker) else Breaker()
    node.body, work.changed = body, True
    row = None
    if isinstance(message, Reopen):
        row = breaker.reopen(body, scenario, step.tenant, message.time, record.timestamp, work.notes)
    elif rule is not None:
        breaker.count(body, message, rule, record.timestamp)
        row = breaker.trip(body, rule, scenario, step.tenant, record.timestamp, work.notes)
    if row is not None:
        work.effects.append(row)
    step.settle(record, key, work)
