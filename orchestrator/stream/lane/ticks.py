"""Ticks: what only time or the outside moved, as a record of the partition's own: so every change has an offset."""

from typing import TYPE_CHECKING, Final

from orchestrator.engine.identity.marks import clean
from orchestrator.engine.timers import earliest_due
from orchestrator.model import reason
from orchestrator.model.customer import Customer, Node, Reference
from orchestrator.model.ids import split_key
from orchestrator.model.message import Applied, Tick, decode_message
from orchestrator.stream.lane.outbox import DEAD_LETTER, put
from orchestrator.stream.lane.records import Outgoing, Record
from orchestrator.stream.lane.visits import apply_visits

if TYPE_CHECKING:
    from orchestrator.stream.lane.partition import Partition
    from orchestrator.stream.lane.step import Step

ON_ITS_WAY: Final = 300
"""What was on its way counts: a tick fires what is due up to its record time less so many ms."""

MOST_AT_ONCE: Final = 2_000


def wanted_tick(owned: "Partition", now: int, release: str) -> Tick | None:
    """The tick that this partition needs now, or None."""
    due = owned.next_due()
    timers = bool(due) and due <= now - ON_ITS_WAY
    changed = sorted(owned.changed_facts)
    other = release if release != owned.release else ""
    visit = bool(owned.visiting)
    if not (timers or changed or other or visit or owned.looks):
        return None
    owned.changed_facts.clear()
    return Tick(timers, changed, other, visit=visit)


def apply_tick(step: "Step", record: Record, tick: Tick) -> None:
    """Apply a tick to every customer that it concerns, as if it were a record of theirs."""
    if tick.visit:
        apply_visits(step, record)
    if tick.facts:
        step.partition.look_at(step.partition.waiting_for(tick.facts))
    for key in step.partition.take_looks(MOST_AT_ONCE):
        _facts_changed(step, record, key)
    if tick.timers:
        until = record.timestamp - ON_ITS_WAY
        step.partition.schedule_dirty()
        for key in step.partition.pop_due(until, MOST_AT_ONCE):
            _timers(step, record, key, until)


def _facts_changed(step: "Step", record: Record, key: bytes) -> None:
    node = step.partition.node(key)
    if node.to is not None or not isinstance(node.body, Customer) or step.applied(node, record):
        return
    work = step.work(node, split_key(key)[1], record)
    step.engine.facts_changed(work, node.body)
    step.settle(record, key, work)


def _timers(step: "Step", record: Record, key: bytes, until: int) -> None:
    node = step.partition.node(key)
    if node.to is not None or step.applied(node, record):
        step.partition.put_back(key)
        return
    work = step.work(node, split_key(key)[1], record)
    if isinstance(node.body, Customer):
        if 0 < (due := earliest_due(node.body)) <= until:
            step.lags.append(record.timestamp - due)
            step.engine.timers(work, node.body, until)
        clean(node, until)
        work.changed = True
    elif isinstance(node.body, Reference):
        _unowned(step, record, node, until)
        work.changed = True
    step.settle(record, key, work)


def _unowned(step: "Step", record: Record, node: Node, until: int) -> None:
    """What waited for the owner of its reference, for as long as an event may be late, goes to dead-letter.

    It leaves the node with this write, so until it is sent it stands in the outbox: no replay would bring it back.
    """
    body = node.body
    assert isinstance(body, Reference)  # noqa: S101 - who calls has looked
    kept = []
    for due, raw in body.waiting:
        if due > until:
            kept.append((due, raw))
            continue
        message = decode_message(raw)
        if isinstance(message, Applied):
            headers = (("reason", reason.UNOWNED.encode()), ("topic", b"channel." + message.channel.encode()))
            sent = Outgoing(DEAD_LETTER, None, message.record, None, headers)
            put(node, record.topic, record.offset, sent)
            step.sends.append(sent)
            step.outcomes.append(("reference", "dead_letter"))
    body.waiting = kept
    if 0 < body.forgotten_at <= until:
        body.forgotten_at = body.wiped = 0
        if not kept and not body.owner:
            node.body = None
