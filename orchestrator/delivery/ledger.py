"""What delivery remembers about each action, and how that is written: one changelog value per action id.

Every value starts with a fixed head (the writer's ownership number, a kind, a time), so that recovery finds out
who wrote it and when it is due without decoding the rest. Pure; times are milliseconds since the epoch.
"""

import struct
from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from orchestrator.model.effect import Action

DAY: Final = 86_400_000
KEPT: Final = 7 * DAY
"""The longest time after which a record of `actions` can come again: the topic's retention."""

_HEAD: Final = struct.Struct(">QBq")
_OWNER_PREFIX: Final = b"partition:"


class Outcome(StrEnum):
    """How a send ended: the type of the event that tells it."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Kind(IntEnum):
    """What a value of the ledger is."""

    OWNER = 0
    PENDING = 1
    SETTLED = 2
    UNTOLD = 3
    """Settled, with an outcome that may not have gone out."""


class Pending(msgspec.Struct, array_like=True, gc=False):
    """An action that is still to be sent.

    Attributes:
        action: everything that it takes to send it; its offset is committed, so nobody else has it any more.
        next_at: not tried before.
        attempts: how often it was tried.
        reason: why the last attempt failed, "" before the first.
        withdrawn: why it was withdrawn while an attempt was under way, "" if it was not. What that attempt
            gives decides; if nobody is left to say (a crash), it is not tried again.
    """

    action: Action
    next_at: int
    attempts: int = 0
    reason: str = ""
    withdrawn: str = ""


class Settled(msgspec.Struct, array_like=True, gc=False):
    """An action that is over and must not be sent (again).

    Attributes:
        outcome: how it ended.
        at: when.
        until: forgotten after that.
        reason: why, "" for `delivered`.
        untold: the outcome's event where no uncommitted record would bring it back after a crash: it is
            sent again at recovery, until a later write says that it went out.
        event_key: the record key of `untold`.
        event_topic: the topic of `untold`.
    """

    outcome: Outcome
    at: int
    until: int
    reason: str = ""
    untold: bytes = b""
    event_key: bytes = b""
    event_topic: str = ""


Entry = Pending | Settled

_encode: Final = msgspec.msgpack.Encoder().encode
_pending: Final = msgspec.msgpack.Decoder(Pending)
_settled: Final = msgspec.msgpack.Decoder(Settled)


class DamagedLedgerError(RuntimeError):
    """A value of the ledger's changelog is not one of ours: going on could send things twice."""


def forget_at(settled_at: int, valid_until: int) -> int:
    """When a settled action may be forgotten: no record of it can come again, or would still be sent if it did."""
    return max(settled_at + KEPT, valid_until)


def encode(entry: Entry, number: int) -> bytes:
    """The changelog value of an entry, under the ownership number of its writer."""
    if isinstance(entry, Pending):
        return _HEAD.pack(number, Kind.PENDING, entry.next_at) + _encode(entry)
    kind = Kind.UNTOLD if entry.untold else Kind.SETTLED
    return _HEAD.pack(number, kind, entry.until) + _encode(entry)


def encode_owner(number: int) -> bytes:
    """The value by which a new owner of a partition outranks everything that earlier owners still write."""
    return _HEAD.pack(number, Kind.OWNER, 0)


def owner_key(partition: int) -> bytes:
    return _OWNER_PREFIX + str(partition).encode()


def read_head(value: bytes) -> tuple[int, Kind, int]:
    """The ownership number, the kind, and the time at which the entry is due (pending) or forgotten (settled).

    Raises:
        DamagedLedgerError: the value has no such head.
    """
    try:
        number, kind, time = _HEAD.unpack_from(value)
        return number, Kind(kind), time
    except (struct.error, ValueError) as fault:
        raise DamagedLedgerError(f"a ledger value of {len(value)} bytes has no head of ours") from fault


def decode(value: bytes) -> Entry:
    """The entry of a changelog value.

    Raises:
        DamagedLedgerError: the value holds no entry.
    """
    _, kind, _ = read_head(value)
    body = memoryview(value)[_HEAD.size :]
    try:
        if kind is Kind.PENDING:
            return _pending.decode(body)
        if kind is not Kind.OWNER:
            return _settled.decode(body)
    except msgspec.MsgspecError as fault:
        raise DamagedLedgerError(f"a ledger value of {len(value)} bytes does not decode") from fault
    raise DamagedLedgerError("an ownership record stands where an action should be")
