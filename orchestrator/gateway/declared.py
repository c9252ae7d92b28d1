"""What topic files and a release's `events` declare together, and what an event has beside that.

What is not declared is no fault: a producer may ship before the marketers do. It is told all the same, since it is
just what a slip of the pen looks like, and nothing else would ever say so.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from orchestrator.gateway.json_input import field_path
from orchestrator.language.source.nearest import nearest

MOST_NAMED: Final = 5
"""Of one event's undeclared properties, so many are named; the others are counted."""

Code = Literal["undeclared_type", "undeclared_property"]


class Undeclared(msgspec.Struct, frozen=True):
    """Something of an event that nobody declares: which field, and what was perhaps meant. It quotes no value."""

    code: Code
    path: str
    message: str


class Declared:
    """The event types of one release's channels, with their properties.

    Args:
        types: channel -> event type -> its properties; None where it may have any.
        always: properties that every event may have: identifiers, references.
    """

    def __init__(self, types: Mapping[str, Mapping[str, frozenset[str] | None]], always: Iterable[str]) -> None:
        self._types = types
        self._always = frozenset(always)
        self._channels: dict[str, tuple[str, ...]] = {}
        for channel in sorted(types):
            for name in types[channel]:
                self._channels[name] = (*self._channels.get(name, ()), channel)

    def beside(self, channel: str, event_type: str, data: Mapping[str, Any]) -> tuple[Undeclared, ...]:
        """What of an event is not declared: its type, else some of its properties."""
        here = self._types.get(channel, {})
        if event_type not in here:
            return (Undeclared("undeclared_type", "type", self._unknown_type(event_type, here)),)
        names = here[event_type]
        if names is None:
            return ()
        unknown = [name for name in data if name not in names and name not in self._always]
        return _properties(unknown, names | self._always) if unknown else ()

    def _unknown_type(self, event_type: str, here: Iterable[str]) -> str:
        elsewhere = self._channels.get(event_type)
        if elsewhere is not None:
            return f"is not declared on this channel, only on: {', '.join(elsewhere)}"
        return f"is not declared{_hint(event_type, frozenset(here)) or _hint(event_type, frozenset(self._channels))}"


def _properties(unknown: list[str], names: frozenset[str]) -> tuple[Undeclared, ...]:
    code: Code = "undeclared_property"
    found = [
        Undeclared(code, field_path("data", name), f"is not declared for this event{_hint(name, names)}")
        for name in unknown[:MOST_NAMED]
    ]
    more = len(unknown) - MOST_NAMED
    if more > 0:
        found.append(Undeclared(code, "data", f"has {more} more that are not declared for this event"))
    return tuple(found)


@lru_cache(maxsize=4096)
def _hint(name: str, names: frozenset[str]) -> str:
    near = nearest(name[:100], names)
    return f"; did you mean {near!r}?" if near is not None else ""
