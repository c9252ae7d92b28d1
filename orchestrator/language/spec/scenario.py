# ruff: noqa: RUF009 - the field specification is made of these calls
"""The document `scenario`: whose story it is, who enters, what ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.language.spec.conditions import Cel
from orchestrator.language.spec.fields import (
    Element,
    ExactlyOne,
    Needs,
    given,
    optional,
    required,
)
from orchestrator.language.spec.languages import TextType
from orchestrator.language.spec.parts import OneOrMany, Part, WordOr
from orchestrator.language.spec.step_list import Steps
from orchestrator.language.spec.times import Duration, TimeOfDay, Timestamp
from orchestrator.language.spec.types import Choice, Int, ListOf, MapOf, Name, Names, Percent, String

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.steps import Step
    from orchestrator.language.spec.values import Instant, Text

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTH_DAYS = tuple(str(day) for day in range(1, 29))


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal(Element):
    """Reaching it ends the instance: outcome `won`, reason `converted`."""

    on: tuple[str, ...] = required(Names("event"), "the event that is the goal")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")
    keep_watching: int = given(Duration(), "7d", "how long the instance rests after its last step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit(Element):
    """One of the other ends of an instance; the first that matches wins."""

    constraints = (ExactlyOne(("on", "when")), Needs("where", ("on",)))

    on: tuple[str, ...] = optional(Names("event"), "an event that ends it")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")
    when: Expression | None = optional(
        Cel("bool"), "a level: looked at after every event, timer and fact that it reads"
    )
    reason: str = required(Name(), "counted and shown, as in `unsubscribed`; the outcome is `lost`")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWhen(Element):
    """A circuit breaker over all customers: of the messages that the scenario sent lately, too many met such an event.

    A message counts once, at the time when it was sent. The event is about the message that it names (`message`: an
    id, or a content's name for the newest); one that names none is about the newest message on its channel, else the
    newest. When it trips, nobody enters any more and the scenario's marketing is suppressed, both `stopped`; service
    and transactional messages, goals, exits and waits go on. A person reopens it: `orchestrator reopen SCENARIO`. Then
    counting begins anew, with the messages sent from there on.
    """

    on: tuple[str, ...] = required(Names("event"), "what a message must not meet")
    over: float = required(Percent(), "more than this part of the messages that the scenario sent within `in`")
    in_: int = given(Duration(), "24h", "the window; it moves on in steps of a sixtieth of it")
    at_least: int = given(Int(1), "100", "and not before it has sent so many of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Element):
    """One element of a sequence."""

    constraints = (ExactlyOne(("on", "absent")), Needs("absent", ("for",)), Needs("for", ("absent",)))

    as_: str | None = optional(Name(), "the name by which later elements, `key` and `entry` know the event")
    on: tuple[str, ...] = optional(Names("event"), "the event")
    absent: tuple[str, ...] = optional(Names("event"), "last element only: none of these happened")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")
    for_: int | None = optional(Duration(), "with `absent`: for so long after the element before it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Every(Element):
    """A schedule."""

    days: tuple[str, ...] = required(
        Names(),
        "weekdays (`mon` … `sun`) or days of the month (1–28)",  # noqa: RUF001 - a range
    )
    time: int = required(TimeOfDay(), "at what o'clock")
    zone: str = given(Choice(("customer", "brand")), "customer", "whose clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReEntryAfter(Element):
    """May enter again, but not at once."""

    after: int = required(Duration(), "counted from the earlier instance's entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Element):
    """How an instance begins."""

    constraints = (
        ExactlyOne(("on", "sequence", "becomes", "every", "at")),
        Needs("where", ("on",)),
        Needs("sequence", ("within",)),
        Needs("within", ("sequence",)),
        Needs("each", ("on", "sequence")),
    )

    on: tuple[str, ...] = optional(
        Names("event"),
        "event type; one `for: brand` in a scenario `for: brand` only",
    )
    where: Expression | None = given(Cel("bool", ("event", "item")), "true", "with `on`: which of these events")
    sequence: tuple[Moment, ...] = optional(
        ListOf(Part(Moment)),
        "in order of event time, other events may lie between; elements: `as on where`, or last `absent on where for`",
    )
    within: int | None = optional(Duration(), "first to last element of the sequence; required with it")
    becomes: Expression | None = optional(
        Cel("bool"),
        "false to true, compared at the end of each round with the look before. With `key`: true, and a key "
        "other than at the look before",
    )
    every: Every | None = optional(Part(Every), "a schedule")
    at_: Instant | None = optional(Timestamp(), "once; without offset it is each customer's local time")
    each: Expression | None = optional(
        Cel("list", ("event",)), "one entry per element, which is `item` (in `where`, `key`; later `entry.item`)"
    )
    key: Expression | None = given(Cel("key", ("event", "item", "as")), '""', "one live instance per customer and key")
    re_entry: str | ReEntryAfter = given(
        WordOr(("never", "always"), Part(ReEntryAfter)),
        "always",
        "may the same key enter again when the earlier instance has ended; `after` counts from its entry",
    )
    if_live: str = given(
        Choice(("ignore", "restart")),
        "ignore",
        "the same key is live: nothing, or end it (`restarted`) and enter",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(Element):
    """A story that is told to one customer at a time: who enters, what happens, what ends it."""

    scenario: str = required(Name(), "identity; never reuse it for another meaning")
    version: int = given(Int(1), "1", "a release; raise it when the meaning changes")
    description: Text | None = optional(TextType(), "shown to people")
    for_: str = given(
        Choice(("customer", "account", "brand")),
        "customer",
        "whose story it is; those of accounts: E-NOT-RUN",
    )
    labels: Mapping[str, str] = optional(
        MapOf(String(), key="label"), "free; KPIs group by them (`moment: want_to_know`)"
    )
    priority: int = given(Int(0, 100), "50", "who wins attention. Custom: rescue 70, cross-sell 50, newsletter 30")
    score: Expression | None = given(Cel("double"), "0.0", "ranks equals in priority")
    owns: tuple[str, ...] = optional(
        Names(single=False),
        "subjects this instance owns: while it lives, other scenarios' marketing `about` them is suppressed, `owned`",
    )
    audience: Expression | None = given(Cel("bool"), "true", "checked at entry only")
    while_: Expression | None = given(
        Cel("bool"),
        "true",
        "checked after every event and timer; false ends the instance, `condition_no_longer_true`",
    )
    entry: Entry = required(Part(Entry), "how an instance begins")
    entries: str = given(Choice(("open", "closed")), "open", "closed: nobody new enters, live instances go on")
    holdout: float = given(
        Percent(), "0%", "sticky control group; its instances live for the goal and exits only, contact no one"
    )
    goal: Goal | None = optional(Part(Goal), "reaching it ends the instance: outcome `won`, reason `converted`")
    exit: tuple[Exit, ...] = optional(OneOrMany(Part(Exit)), "the other ends, first match wins")
    lives: int = given(Duration(), "90d", "then the instance ends, `too_old`")
    stop_when: StopWhen | None = optional(Part(StopWhen), "circuit breaker over all customers")
    in_flight: str = given(
        Choice(("pin", "follow", "drain", "end")), "pin", "what a new version means for live instances"
    )
    moved: Mapping[str, str] = optional(MapOf(Name(), key="old step id"), "old step id → new, for `follow`")
    steps: tuple[Step, ...] = required(Steps(), "what happens")
