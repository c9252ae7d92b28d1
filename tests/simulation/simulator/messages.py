"""Which troubles of identity a run has had, by the messages that its nodes have sent."""

from orchestrator.engine.identity.work import members
from orchestrator.model import reason
from orchestrator.model.effect import INPUTS
from orchestrator.model.message import (
    Absorb,
    Erase,
    Inquire,
    Message,
    Noted,
    Refer,
    Refused,
    Reset,
    Split,
    decode_message,
)
from orchestrator.stream.lane.outbox import DEAD_LETTER
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.faults import Fault, Met

_KINDS = {
    Noted: Fault.CONFLICT, Refused: Fault.REFUSED, Inquire: Fault.ENTRY_ASKS, Reset: Fault.LOGOUT, Erase: Fault.ERASURE,
    Refer: Fault.REFERENCE,
}  # fmt: skip


def faults_of_messages(broker: Broker) -> Met:
    """How often which trouble stands on the topics."""
    met = Met()
    for record in broker.read(INPUTS):
        met.update(_faults_of(decode_message(record.value or b"")))
    met[Fault.UNOWNED] = len(broker.read(DEAD_LETTER))
    return met


def _faults_of(message: Message) -> list[Fault]:
    match message:
        case Absorb():
            return _parcel(message)
        case Split():
            return [Fault.CUT] if message.seed.why != reason.ERASED else []
    kind = _KINDS.get(type(message))
    return [kind] if kind is not None else []


def _parcel(absorb: Absorb) -> list[Fault]:
    customer, found = absorb.customer, [Fault.PARCEL]
    if len(members(customer)) > 1:
        found.append(Fault.PARCEL_OF_MANY)
    if customer.instances:
        found.append(Fault.PARCEL_UNDER_WAY)
    if customer.waiting:
        found.append(Fault.ENTRY_TRAVELS)
    if absorb.epoch > 1:
        found.append(Fault.MOVES_TWICE)
    return found
