"""Effects as records: what an effect looks like on its topic, and how it stands in a node's outbox until then."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from orchestrator.model import effect as effects
from orchestrator.model.customer import Entry, Node
from orchestrator.model.effect import (
    Action,
    Effect,
    Emitted,
    ErasureReceipt,
    Publication,
    Row,
    TaskNotice,
    Tell,
    Withdrawal,
)
from orchestrator.model.ids import node_key
from orchestrator.model.message import encode_message
from orchestrator.stream.lane.records import Outgoing, Record
from orchestrator.stream.newest import AT

_json: Final = msgspec.json.Encoder().encode

DEAD_LETTER: Final = "dead-letter"
_ENTRY: Final = 64
"""Bytes of an entry beside its key and value: topics, offset, headers."""


def outgoing(effect: Effect, tenant: str) -> Outgoing:
    """The record of an effect."""
    match effect:
        case Tell():
            return Outgoing(effects.INPUTS, node_key(tenant, effect.node), encode_message(effect.message))
        case Action() | Publication() | Withdrawal():
            return Outgoing(effects.ACTIONS, effect.person.encode(), _json(effect))
        case TaskNotice():
            return Outgoing(effects.TASKS, effect.id.encode(), _json(effect))
        case Emitted():
            return Outgoing(effects.EMITTED, node_key(tenant, effect.node), _json(effect))
        case ErasureReceipt():
            return Outgoing(effects.ERASURES, f"{tenant}/{effect.id}".encode(), _json(effect))
        case Row():
            value = _json(effect.row) if effect.row is not None else b"null"
            headers = ((AT, str(effect.at).encode()),)
            return Outgoing(effects.FACTS, f"{tenant}/{effect.fact}/{effect.key}".encode(), value, None, headers)


def put(node: Node, source: str, offset: int, sent: Outgoing) -> None:
    """Let a record stand in the node's outbox: durable with the state that decided it."""
    node.outbox.append(Entry(source, offset, sent.topic, sent.key, sent.value, sent.partition, sent.headers))


def forget_open_tasks(node: Node) -> None:
    """A customer has left: the open tasks are told by who takes them in, or here when they are refused.

    After a crash they would be told of here once more, behind the news that they are done with.
    """
    node.outbox = [
        entry
        for entry in node.outbox
        if entry.topic != effects.TASKS or msgspec.json.decode(entry.value)["state"] not in effects.UNDONE
    ]


def drop_committed(node: Node, committed: dict[str, int]) -> None:
    """Entries and offsets that the commit has passed are needed no more."""
    if node.outbox:
        node.outbox = [entry for entry in node.outbox if entry.offset >= committed.get(entry.source, 0)]
    if node.applied:
        stale = [topic for topic, offset in node.applied.items() if offset < committed.get(topic, 0)]
        for topic in stale:
            del node.applied[topic]


def weight(outbox: Iterable[Entry]) -> int:
    """How many bytes of a value an outbox takes, about."""
    return sum(len(entry.value) + len(entry.key or b"") + _ENTRY for entry in outbox)


def unsent(outbox: Iterable[Entry], committed: Mapping[str, int]) -> list[Outgoing]:
    """What may not have been sent before a crash: every entry whose source offset is not committed."""
    return [
        Outgoing(entry.topic, entry.key, entry.value, entry.partition, entry.headers)
        for entry in outbox
        if entry.offset >= committed.get(entry.source, 0)
    ]


def dead_letter(record: Record, reason: str, at: int) -> Outgoing:
    """A record that cannot be taken in: its bytes as they came, and why, where from."""
    headers = (
        ("reason", reason.encode()),
        ("topic", record.topic.encode()),
        ("partition", str(record.partition).encode()),
        ("offset", str(record.offset).encode()),
        ("at", str(at).encode()),
    )
    return Outgoing(DEAD_LETTER, record.key, record.value or b"", None, headers)
