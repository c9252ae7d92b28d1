"""Rows that everyone shares: an event goes to the row's node, which alone changes it and tells everybody."""

from typing import TYPE_CHECKING

from orchestrator.engine.brand import starts_stories, story_node
from orchestrator.engine.fact_rows import PREFIX, change_row, row_node
from orchestrator.language.cel import CelError
from orchestrator.model import reason
from orchestrator.model.customer import FactRow
from orchestrator.model.ids import node_key
from orchestrator.model.message import Applied, Change
from orchestrator.stream.lane.intake import Refused, read_event

if TYPE_CHECKING:
    from orchestrator.stream.lane.intake import Taken
    from orchestrator.stream.lane.records import Record
    from orchestrator.stream.lane.step import Step


def brand_event(step: "Step", record: "Record", taken: "Taken", raw: bytes) -> None:
    """An event that changes rows, each where its node lives, and may move stories of the brand."""
    for document in taken.plan.facts:
        try:
            name = row_node(document, taken.event, step.program, step.engine.facts)
        except CelError:
            step.reject(record, reason.BAD_PROPERTY)
            return
        message = Change(name, raw, taken.event.received, taken.plan.channel)
        if step.is_here(node_key(step.tenant, name), record):
            change(step, record, name, message)
        else:
            message.hops += 1
            step.pass_on(name, message)
    stories = starts_stories(taken.plan)
    if stories:
        _tell_stories(step, record, taken, raw)
    step.outcomes.append((taken.event.type, "applied" if taken.plan.facts or stories else "unused"))


def _tell_stories(step: "Step", record: "Record", taken: "Taken", raw: bytes) -> None:
    """The node that keeps the stories of this event's key applies it, as a customer's would."""
    event, plan = taken.event, taken.plan
    try:
        name = story_node(event, plan, step.program, step.engine.facts)
    except CelError:
        return  # told already: it changes a row, and does not say which
    event.identifiers = (name,)
    step.apply(record, event, name, Applied(name, raw, event.received, plan.channel))


def change(step: "Step", record: "Record", name: str, message: Change) -> None:
    """The row of the node `name`, as the event has it; told to everybody."""
    key = node_key(step.tenant, name)
    node = step.partition.node(key)
    taken = read_event(message.record, message.channel, message.received, step.program)
    if isinstance(taken, Refused):
        step.reject(record, taken.reason)
        return
    if step.applied(node, record):
        return
    if key in step.partition.full:
        step.reject(record, reason.RECORD_FULL)
        return
    fact = name[len(PREFIX) :].partition("/")[0]
    for document in taken.plan.facts:
        if document.facts == fact:
            if not isinstance(node.body, FactRow):
                node.body = FactRow()
            work = step.work(node, name, record)
            row = change_row(node.body, document, name, taken.event, step.program, step.engine.facts, work.notes)
            if row is not None:
                work.effects.append(row)
                work.changed = True
            step.settle(record, key, work)
