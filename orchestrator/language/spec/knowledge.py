# ruff: noqa: RUF009 - the field specification is made of these calls
"""Documents about what is known beside traits: segments, conversations, intents, facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.language.spec.conditions import Cel, CelMap
from orchestrator.language.spec.fields import AtLeastOne, Element, given, optional, required
from orchestrator.language.spec.languages import TextType
from orchestrator.language.spec.parts import MapOfParts, OneOrMany, Part
from orchestrator.language.spec.times import Duration
from orchestrator.language.spec.types import Choice, Int, ListOf, MapOf, Name, Names, String

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.values import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Element):
    """A group of customers. Computed when read; `becomes: in_segment("loyal")` notices the change."""

    segment: str = required(Name(), "its name, for `in_segment(...)`")
    where: Expression = required(Cel("bool"), "who belongs to it")
    description: Text | None = optional(TextType(), "shown to people")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Element):
    """Events that are turns of a conversation."""

    on: tuple[str, ...] = required(Names("event"), "the events")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")
    by: str = required(Choice(("customer", "agent", "bot")), "who speaks")
    text: Expression | None = optional(Cel("string", ("event",)), "what is said")
    about: Expression | None = optional(Cel("string", ("event",)), "the thread's subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing(Element):
    """Events that close a thread."""

    on: tuple[str, ...] = required(Names("event"), "the events")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation(Element):
    """How turns become threads. One document for the bundle."""

    conversation: str = required(Name(), "the document's name")
    turns: tuple[Turn, ...] = required(OneOrMany(Part(Turn)), "list of `on where by text about`")
    thread: tuple[Expression, ...] = required(
        OneOrMany(Cel("string", ("turn",))),
        "the first that gives a thread; else the newest thread open; else a new one, named by the event's id",
    )
    open_for: int = given(Duration(), "7d", "a thread takes turns without a name for so long after its last turn")
    closed_on: tuple[Closing, ...] = optional(ListOf(Part(Closing)), "list of `on where`")
    keep: int = given(
        Int(1, 200),
        "20",
        "turns kept of each of the newest 50 threads, of each turn 4,000 characters; the whole is on the topics",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent(Element):
    """What a text means, by its words."""

    constraints = (AtLeastOne(("any", "all")),)

    any: tuple[str, ...] = optional(OneOrMany(String()), "one of these words or phrases, folded")
    all: tuple[str, ...] = optional(OneOrMany(String()), "all of these")
    none: tuple[str, ...] = optional(OneOrMany(String()), "none of these")
    find: Mapping[str, str] = optional(
        MapOf(String("RE2 pattern with one group")), "name → what `found(text, name)` takes from the text"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents(Element):
    """Intents, in order: the first that matches wins."""

    intents: str = required(Name(), "the document's name")
    define: Mapping[str, Intent] = required(MapOfParts(Part(Intent)), "intent → its words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latch(Element):
    """Hysteresis: stays as it was in between."""

    on: Expression = required(Cel("bool", ("event",)), "raises it")
    off: Expression = required(Cel("bool", ("event",)), "lowers it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Element):
    """What everyone shares: rows by key, changed by brand events, or from a file of the bundle."""

    facts: str = required(Name(), '`facts.campaign["station-q1"].creative`')
    key: Expression = required(
        Cel("key", ("event",)),
        "the row's key; several parts are joined with `/`. For rows of a file, `event` is the row",
    )
    on: tuple[str, ...] = optional(Names("event"), "brand events that change it; newest event time wins, per row")
    set: Mapping[str, Expression] = optional(CelMap(("event",)), "field → value; absent values leave the field")
    latch: Mapping[str, Latch] = optional(MapOfParts(Part(Latch), key="field"), "field → `{on, off}`: hysteresis")
    file: str | None = optional(String("path"), "rows from a YAML or CSV file in the bundle")
