"""What arrived: one channel event, as it came and as the engine sees it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

MAX_EVENT_BYTES: Final = 64 * 1024
MOST_AHEAD: Final = 300_000
"""How far ahead of its record time (ms) an event may be dated: clocks differ. One from further ahead is refused."""
DEFAULT_TENANT: Final = "default"

MOST_NESTED: Final = 8
"""How many lists and maps a property of an event may be nested in each other."""

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


def _bounded(levels: int) -> Any:
    """The type of a JSON value with integers of 64 bits, as MessagePack and conditions know them, and bounded depth.

    A value beyond that would be refused where it is stored, in the middle of a step. The decoder tells it for nothing.
    """
    plain = _Integer | float | str | bool | None
    bounded: Any = plain
    for _ in range(levels):
        bounded = plain | list[bounded] | dict[str, bounded]
    return bounded


if TYPE_CHECKING:
    _Properties = dict[str, Any]
else:
    _Properties = dict[str, _bounded(MOST_NESTED)]


class EventRecord(msgspec.Struct, gc=False):
    """An event on every way in: CloudEvents-shaped JSON. `data` holds the properties, identifiers among them.

    Integers in `data` have at most 64 bits, and its values are nested at most `MOST_NESTED` deep.
    """

    id: _Name
    source: _Name
    type: _Name
    data: _Properties
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    channel: str | None = None
    tenant: str = DEFAULT_TENANT


class Event(msgspec.Struct, gc=False):
    """One event as the engine sees it. Times are milliseconds since the epoch.

    `time` is when it happened (the record time where the producer did not say), `received` when the broker first
    took it. `identifiers` are the nodes `NAMESPACE:VALUE` that it names, strongest first; `hash` stands for source
    and id in the dedupe window. `late` is set by the engine.
    """

    id: str
    source: str
    type: str
    channel: str
    time: int
    received: int
    data: dict[str, Any]
    identifiers: tuple[str, ...] = ()
    thread: str = ""
    late: bool = False
    hash: bytes = b""


_decoder: Final = msgspec.json.Decoder(EventRecord)


def decode_event(raw: bytes) -> EventRecord:
    """Parse an event.

    Raises:
        msgspec.DecodeError: it is no JSON, not shaped like an event, nested too deeply, or has an integer beyond 64
            bits; the message names the field.
        RecursionError: it is nested too deeply.
    """
    return _decoder.decode(raw)


def milliseconds(moment: datetime) -> int:
    """An aware datetime as milliseconds since the epoch."""
    return round(moment.timestamp() * 1000)
