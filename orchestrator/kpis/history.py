"""What happened to people over a span of time: all that figures are made of."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENGINE: Final = "engine"
"""The channel of what the engine tells."""
ROW: Final = "row of a fact"
"""The type of what `count: facts` counts: no event can have this name."""


class Source(NamedTuple):
    """Where something comes from: the scenario and instance, the content and channel of a message.

    Attributes:
        message: id of the message, "" where it is none, and of none.
        holdout: the instance is of those who only watch.
    """

    scenario: str = ""
    key: str = ""
    content: str = ""
    channel: str = ""
    message: str = ""
    holdout: bool = False


NOWHERE: Final = Source()


class Occurrence(msgspec.Struct, frozen=True):
    """One thing that happened to one person.

    Attributes:
        at: event time, ms.
        person: the customer whose it is, as things stood at the end.
        type, channel: of the event; `engine` is the channel of what the engine tells.
        event: its properties, and `meta`, as conditions see them.
        source: where it comes from, as far as that is known.
    """

    at: int
    person: str
    type: str
    channel: str
    event: Mapping[str, Any]
    source: Source = NOWHERE


class History:
    """Everything that happened, by type and in order of time, and who was there at its end.

    Args:
        occurrences: in any order.
        people: every customer at the end -> the segments they were in.
        strangers: how many outcomes of messages came of which nothing is known.
        facts: fact -> key -> row, as they are at the end.
    """

    def __init__(
        self,
        occurrences: Iterable[Occurrence],
        people: Mapping[str, frozenset[str]],
        strangers: int = 0,
        facts: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
    ) -> None:
        self.people = people
        self._facts = facts or {}
        self.strangers = strangers
        self._by_type: defaultdict[str, list[Occurrence]] = defaultdict(list)
        for one in sorted(occurrences, key=attrgetter("at")):
            self._by_type[one.type].append(one)

    def named(self, names: Iterable[str]) -> list[Occurrence]:
        """What happened under these names, oldest first; `email.opened` is the type `opened` on the channel `email`."""
        found = {id(one): one for name in names for one in self._under(name)}
        return sorted(found.values(), key=attrgetter("at"))

    def _under(self, name: str) -> list[Occurrence]:
        channel, dot, type_ = name.partition(".")
        if name in self._by_type or not dot:
            return self._by_type.get(name, [])
        return [one for one in self._by_type.get(type_, ()) if one.channel == channel]

    def rows(self, fact: str) -> list[Occurrence]:
        """The rows of a fact, by key: each stands for itself, and is nobody's."""
        rows = self._facts.get(fact, {})
        return [Occurrence(0, key, ROW, "", rows[key]) for key in sorted(rows)]
