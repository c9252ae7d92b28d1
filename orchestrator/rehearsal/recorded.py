"""Recorded events: a file of JSON lines, in the order of their arrival."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from orchestrator.model.event import milliseconds
from orchestrator.stream.lane.intake import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EVERY: Final = 1_000


class Recorded(NamedTuple):
    """One event as it came: when it arrived (ms), its channel's topic, its bytes, and its identifiers' properties."""

    at: int
    topic: str
    value: bytes
    data: dict[str, Any]


class _Event(msgspec.Struct):
    """What has to be known of an event to let it arrive."""

    channel: str = ""
    time: datetime | None = None
    received: int | datetime | None = None
    data: dict[str, Any] = {}


class _Line(msgspec.Struct):
    """A line: an event, or a record of a topic with the event as its `value` (an object, or its text)."""

    value: msgspec.Raw = msgspec.Raw()
    topic: str = ""
    timestamp: int = 0


_line: Final = msgspec.json.Decoder(_Line).decode
_event: Final = msgspec.json.Decoder(_Event).decode
_text: Final = msgspec.json.Decoder(str).decode


def read_line(line: bytes) -> Recorded:
    """An event from a line.

    The line holds an event as it stands on a topic, with `received` (ms, or a timestamp) where its arrival is known;
    or `{"topic", "timestamp", "value"}`, as tools that dump topics write a record.

    Raises:
        ValueError: it holds neither, or says neither when the event arrived nor when it happened.
    """
    record = _line(line)
    raw = bytes(record.value) or line.strip()
    value = _text(raw).encode() if raw[:1] == b'"' else raw
    event = _event(value)
    topic = record.topic or (CHANNEL + event.channel if event.channel else "")
    if not topic.startswith(CHANNEL):
        raise ValueError("it names no channel")
    at = record.timestamp or _arrival(event)
    if not at:
        raise ValueError("it says neither when it arrived nor when it happened")
    return Recorded(at, topic, value, event.data)


def line_of(topic: str, at: int, value: bytes | None) -> bytes:
    """A record of a topic as a line that `read_line` reads; one that holds no text is a line that holds no event."""
    try:
        text = value.decode() if value is not None else None
    except UnicodeDecodeError:
        text = None
    return msgspec.json.encode({"topic": topic, "timestamp": at, "value": text}) + b"\n"


def _arrival(event: _Event) -> int:
    known = event.received if event.received is not None else event.time
    if isinstance(known, datetime):
        return milliseconds(known)
    return known or 0


class EventFile:
    """A file of recorded events, which is read twice: once for the order, once for the events.

    Attributes:
        count: how many events there are.
        first, last: when the first and the last arrived, ms.
        faults: number and fault of the lines that hold no event.
    """

    def __init__(self, path: Path, progress: Callable[[int], None] | None = None) -> None:
        self._path = path
        self.faults: list[tuple[int, str]] = []
        self._places = sorted(self._scan(progress))
        self.count = len(self._places)
        self.first = self._places[0][0] if self._places else 0
        self.last = self._places[-1][0] if self._places else 0

    def _scan(self, progress: Callable[[int], None] | None) -> Iterator[tuple[int, int]]:
        """Arrival and place in the file of each event."""
        place = 0
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    try:
                        yield read_line(line).at, place
                    except (ValueError, msgspec.MsgspecError) as error:
                        self.faults.append((number, str(error)))
                place += len(line)
                if progress is not None and number % EVERY == 0:
                    progress(place)

    def __iter__(self) -> Iterator[Recorded]:
        with self._path.open("rb") as file:
            for _, place in self._places:
                file.seek(place)
                yield read_line(file.readline())
