"""Records in a few words, for the trace of a failing seed."""

from typing import Any

from orchestrator.model.message import Absorb, Applied, Link, Split, decode_message
from orchestrator.stream.lane.records import Outgoing, Record

_LONGEST = 180


def kind_of(record: Record) -> str:
    """What kind of message a record of `customer.inputs` is."""
    return type(decode_message(record.value or b"")).__name__.lower()


def describe(record: Any) -> str:
    """Where a record stands or goes, and what it says."""
    assert isinstance(record, Record | Outgoing)
    where = f"{record.topic}@{record.offset}" if isinstance(record, Record) else record.topic
    return f"{where} {(record.key or b'').decode()}: {_said(record)}"


def _said(record: Record | Outgoing) -> str:
    if record.topic != "customer.inputs":
        return (record.value or b"").decode()[:_LONGEST]
    message = decode_message(record.value or b"")
    match message:
        case Applied():
            return f"event for {message.target}: {message.record.decode()[:_LONGEST]}"
        case Absorb():
            family = {node: (m.epoch, m.state) for node, m in message.customer.family.items()}
            return f"absorb {message.mover} epoch {message.epoch} into {message.target}, family {family}"
        case Link():
            return f"link {message.target} with {message.a} of {message.root} at {message.time}"
        case Split():
            return f"split {message.target} epoch {message.epoch}, then {message.link}"
    return str(message)[:_LONGEST]
