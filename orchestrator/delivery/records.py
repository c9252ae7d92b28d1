"""The records of `actions` as delivery reads them, and what becomes of those it cannot read."""

from typing import Final

import msgspec

from orchestrator.model.effect import PUBLISH, Action, Publication, Withdrawal
from orchestrator.stream.lane.records import Record

LATEST: Final = 253_402_300_799_999
"""The last time that can be written as a date: the end of the year 9999."""


class BadActionError(ValueError):
    """A record of `actions` that is no action; `reason` is the word that dead-letter shows."""

    def __init__(self, reason: str) -> None:
        """A bad record, for a reason of a bounded list: `empty`, `undecodable`, `unknown_kind`, `unknown_channel`."""
        super().__init__(reason)
        self.reason = reason


class _Kind(msgspec.Struct):
    kind: str = "send"


_kind: Final = msgspec.json.Decoder(_Kind)
_send: Final = msgspec.json.Decoder(Action)
_publish: Final = msgspec.json.Decoder(Publication)
_withdraw: Final = msgspec.json.Decoder(Withdrawal)


def read_action(record: Record, channels: frozenset[str] | None = None) -> Action | Withdrawal:
    """The action of a record.

    Args:
        record: as read from `actions`.
        channels: the channels that there are, None where any will do.

    Raises:
        BadActionError: it is none.
    """
    if not record.value:
        raise BadActionError("empty")
    try:
        kind = _kind.decode(record.value).kind
        if kind == "send":
            return _known(_send.decode(record.value), channels)
        if kind == PUBLISH:
            return _known(_as_action(_publish.decode(record.value)), None)
        if kind == "withdraw":
            return _withdraw.decode(record.value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise BadActionError("undecodable") from fault
    raise BadActionError("unknown_kind")


def _as_action(publication: Publication) -> Action:
    """What is told to everybody, as what is sent: to nobody's address, of no class that policies speak of."""
    fields = {name: getattr(publication, name) for name in Publication.__struct_fields__}
    return Action(address="", class_="", **fields)


def _known(action: Action, channels: frozenset[str] | None) -> Action:
    if not (0 <= action.valid_until <= LATEST and 0 <= action.at <= LATEST):
        raise BadActionError("undecodable")
    if channels is not None and action.channel not in channels:
        raise BadActionError("unknown_channel")
    return action
