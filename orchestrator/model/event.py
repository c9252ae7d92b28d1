"""What arrived: one channel event, as it came and as the engine sees it."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

MAX_EVENT_BYTES: Final = 64 * 1024
MOST_AHEAD: Final = 300_000
"""How far ahead of its record time (ms) an event may be dated: clocks differ. One from further ahead is refused."""
DEFAULT_TENANT: Final = "default"

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class EventRecord(msgspec.Struct, gc=False):
    """An event on every way in: CloudEvents-shaped JSON. `data` holds the properties, identifiers among them."""

    id: _Name
    source: _Name
    type: _Name
    data: dict[str, Any]
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
        msgspec.DecodeError: it is no JSON, or not shaped like an event; the message names the field.
        RecursionError: it is nested too deeply.
    """
    return _decoder.decode(raw)


def milliseconds(moment: datetime) -> int:
    """An aware datetime as milliseconds since the epoch."""
    return round(moment.timestamp() * 1000)
