"""How conditions see an event, an entry and the profile: as maps that are filled when they are read."""

from typing import Any, Final, Protocol

from orchestrator.language.cel import Timestamp
from orchestrator.model.event import Event

_NONE: Final[frozenset[str]] = frozenset()


class EventMap(dict[str, Any]):
    """Properties and identifiers by name, and the envelope under `meta`.

    A property that is declared and that this event lacks reads as null; any other name is an error (KeyError).
    """

    __slots__ = ("declared", "envelope")

    def __init__(
        self, data: dict[str, Any], envelope: Event | dict[str, Any], declared: frozenset[str] = _NONE
    ) -> None:
        super().__init__(data)
        self.envelope = envelope
        self.declared = declared

    def __missing__(self, name: str) -> Any:
        if name == "meta":
            meta = self["meta"] = _meta(self.envelope)
            return meta
        if name in self.declared:
            return None
        raise KeyError(name)


def _meta(envelope: Event | dict[str, Any]) -> dict[str, Any]:
    raw = envelope if isinstance(envelope, dict) else envelope_of(envelope)
    return {**raw, "time": Timestamp.of_ms(raw["time"]), "received": Timestamp.of_ms(raw["received"])}


def envelope_of(event: Event) -> dict[str, Any]:
    """An event's envelope as plain data: what an instance keeps of it."""
    return {
        "id": event.id,
        "type": event.type,
        "channel": event.channel,
        "time": event.time,
        "received": event.received,
        "source": event.source,
        "thread": event.thread,
        "late": event.late,
    }


def stored_event(event: Event, fields: frozenset[str] | None) -> dict[str, Any]:
    """An event as plain data; `fields` are the properties to keep, None keeps all."""
    data = event.data
    kept = data if fields is None else {name: data[name] for name in fields if name in data}
    return {"data": kept, "meta": envelope_of(event)}


def opened_event(stored: dict[str, Any], declared: frozenset[str]) -> EventMap:
    """A stored event as conditions see it; `AS` names of a sequence are maps of their own."""
    opened = EventMap(stored["data"], stored["meta"], declared)
    for name, other in stored.get("as", {}).items():
        opened[name] = opened_event(other, declared)
    if "item" in stored:
        opened["item"] = stored["item"]
    return opened


class Reads(Protocol):
    """What a map asks for a value it has not got yet."""

    def read(self, name: str) -> Any:
        """The value of a name.

        Raises:
            KeyError: there is no such name.
        """


class Lazy(dict[str, Any]):
    """A map whose values are computed when they are first read: the profile at one version."""

    __slots__ = ("source",)

    def __init__(self, source: Reads) -> None:
        super().__init__()
        self.source = source

    def __missing__(self, name: str) -> Any:
        value = self[name] = self.source.read(name)
        return value


class KeyedReads(Protocol):
    """A keyed trait: what its map asks."""

    def keys(self) -> list[str]:
        """The keys that have a value of their own."""

    def value(self, key: str) -> Any:
        """The value of a key, or the default."""


class Keyed(dict[str, Any]):
    """A keyed trait: an unknown key gives its default; the keys that exist are filled in when somebody looks at all."""

    __slots__ = ("filled", "known", "source")

    def __init__(self, source: KeyedReads) -> None:
        super().__init__()
        self.source = source
        self.known = source.keys()
        self.filled = False

    def __missing__(self, key: str) -> Any:
        value = self.source.value(key)
        if key in self.known:
            self[key] = value
        return value

    def _fill(self) -> None:
        if not self.filled:
            for key in self.known:
                self[key]
            self.filled = True

    def __contains__(self, key: object) -> bool:
        return key in self.known

    def __len__(self) -> int:
        return len(self.known)

    def __iter__(self) -> Any:
        return iter(self.known)

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self.known else default

    def keys(self) -> Any:
        self._fill()
        return super().keys()

    def values(self) -> Any:
        self._fill()
        return super().values()

    def items(self) -> Any:
        self._fill()
        return super().items()
