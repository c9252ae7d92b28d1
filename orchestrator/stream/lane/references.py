"""Whose a reference is: a thread, an order, a ticket is of who used it first, and what waited for that goes there."""

from typing import TYPE_CHECKING

from orchestrator.model.customer import Reference
from orchestrator.model.effect import Tell
from orchestrator.model.ids import node_key
from orchestrator.model.message import Applied, Refer, decode_message

if TYPE_CHECKING:
    from orchestrator.stream.lane.records import Record
    from orchestrator.stream.lane.step import Step


def claim(step: "Step", record: "Record", name: str, message: Refer) -> None:
    """The first who uses a reference has it for good."""
    key = node_key(step.tenant, name)
    node = step.partition.node(key)
    if step.applied(node, record):
        return
    body = node.body if isinstance(node.body, Reference) else Reference()
    node.body = body
    if body.owner or (body.wiped and message.time <= body.wiped):  # a copy from before its owner was erased
        return
    work = step.work(node, name, record)
    body.owner = message.owner
    for _, waiting in body.waiting:
        work.effects.append(Tell(message.owner, _for_owner(waiting, message.owner)))
    body.waiting = []
    work.changed = True
    step.settle(record, key, work)


def _for_owner(raw: bytes, owner: str) -> Applied:
    message = decode_message(raw)
    assert isinstance(message, Applied)  # noqa: S101 - only such wait
    message.target = owner
    return message
