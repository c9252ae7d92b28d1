"""Erasures beyond the customer's own nodes: references that must forget whose they were, and the receipt.

The receipt is a node of its own, `erasure:ID`, so it has one writer. It holds marks and namespaces, never names: what
was erased does not live on in the proof of it.
"""

from typing import TYPE_CHECKING, Final

from orchestrator.engine.identity.handlers import tell_receipt
from orchestrator.engine.identity.marks import KEPT
from orchestrator.model.customer import Receipt, Reference
from orchestrator.model.effect import ErasureReceipt
from orchestrator.model.ids import node_key
from orchestrator.model.message import Forget, Reached

if TYPE_CHECKING:
    from orchestrator.stream.lane.records import Record
    from orchestrator.stream.lane.step import Step

RUNNING: Final = "running"
COMPLETE: Final = "complete"


def forget(step: "Step", record: "Record", name: str, message: Forget) -> None:
    """A reference is nobody's any more, if it was the erased customer's; it answers either way."""
    key = node_key(step.tenant, name)
    node = step.partition.node(key)
    if step.applied(node, record):
        return
    work = step.work(node, name, record)
    known = node.body if isinstance(node.body, Reference) else Reference()
    if known.owner in message.owners or not known.owner:  # its claim may come behind this, a copy at any time
        node.body = Reference("", known.waiting, record.timestamp + KEPT, max(known.wiped, message.time))
    tell_receipt(work, message.request, [], [name])
    work.changed = True
    step.settle(record, key, work)


def reached(step: "Step", record: "Record", name: str, message: Reached) -> None:
    """A node of an erased customer has answered: the receipt says so, and is complete when all have."""
    key = node_key(step.tenant, name)
    node = step.partition.node(key)
    if step.applied(node, record):
        return
    receipt = node.body if isinstance(node.body, Receipt) else Receipt()
    node.body = take_answer(receipt, message, record.timestamp)
    work = step.work(node, name, record)
    work.effects.append(written(node.body, name, step.tenant, record.timestamp))
    work.changed = True
    step.settle(record, key, work)


def take_answer(receipt: Receipt, message: Reached, at: int) -> Receipt:
    """A receipt with what an answer adds: nothing is taken away, so an answer twice changes nothing."""
    nodes = dict(receipt.nodes)
    for mark, namespace in message.expected:
        nodes.setdefault(mark, (namespace, 0))
    for mark, namespace in message.done:
        if not nodes.get(mark, (namespace, 0))[1]:
            nodes[mark] = (namespace, at)
    return Receipt(receipt.asked_at or (at if message.whole else 0), nodes)


def written(receipt: Receipt, name: str, tenant: str, at: int) -> ErasureReceipt:
    """The receipt as it stands, for the topic `erasures`."""
    times = [time for _, time in receipt.nodes.values()]
    state = COMPLETE if receipt.asked_at and all(times) else RUNNING
    nodes = sorted((mark, namespace, time) for mark, (namespace, time) in receipt.nodes.items())
    id_ = name.partition(":")[2]
    return ErasureReceipt(id_, tenant, state, receipt.asked_at, at, sum(map(bool, times)), len(times), nodes)
