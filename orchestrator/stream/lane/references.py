"""Whose a reference is: a thread, an order, a ticket is of who used it first, and what waited for that goes there."""

from typing import TYPE_CHECKING

from orchestrator.model import reason
from orchestrator.model.customer import Reference
from orchestrator.model.effect import Tell
from orchestrator.model.ids import node_key
from orchestrator.model.message import Applied, Refer, decode_message, encode_message

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


def refer(step: "Step", record: "Record", message: Applied) -> None:
    """An event that carries only a reference: to its owner, or kept until there is one."""
    key = node_key(step.tenant, message.target)
    if not step.is_here(key, record):
        message.hops += 1
        step.pass_on(message.target, message)
        return
    node = step.partition.node(key)
    if step.applied(node, record):
        return
    if key in step.partition.full:
        step.reject(record, reason.RECORD_FULL)
        return
    body = node.body if isinstance(node.body, Reference) else Reference()
    node.body = body
    if body.owner:
        message.target = body.owner
        step.pass_on(body.owner, message)
        return
    work = step.work(node, message.target, record)
    body.waiting.append((record.timestamp + step.program.lateness, encode_message(message)))
    work.changed = True
    step.outcomes.append(("reference", "waiting"))
    step.settle(record, key, work)


def _for_owner(raw: bytes, owner: str) -> Applied:
    message = decode_message(raw)
    assert isinstance(message, Applied)  # noqa: S101 - only such wait
    message.target = owner
    return message
