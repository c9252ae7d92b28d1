# ruff: noqa: RUF009 - the field specification is made of these calls
"""The document `test`: events given, and what must come of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.spec.fields import (
    AtMostOne,
    Element,
    ExactlyOne,
    Needs,
    given,
    optional,
    required,
)
from orchestrator.language.spec.languages import Language, TextType
from orchestrator.language.spec.parts import MapOfParts, OneOrMany, Part
from orchestrator.language.spec.times import Duration, Timestamp
from orchestrator.language.spec.types import Bool, Choice, Int, ListOf, MapOf, Name, Names, Plain, String

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.spec.values import Instant, Text

_PLAIN_MAP: Final = MapOf(Plain("value"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryCustomer(Element):
    """A customer as the test begins."""

    ids: Mapping[str, Any] = optional(
        MapOf(Plain("value or list"), ref="namespace", key="namespace"), "namespace → value, or list of values"
    )
    consent: Mapping[str, tuple[str, ...]] = optional(
        MapOf(Names(), ref="channel", key="channel"), "channel → purposes granted"
    )
    profile: Mapping[str, Any] = optional(_PLAIN_MAP, "traits, not computed ones")
    zone: str | None = optional(String("time zone"), "time zone", shown="the test's")
    language: str | None = optional(Language(), "their language", shown="the bundle's")
    account: str | None = optional(String("name"), "the account they belong to")
    in_: Mapping[str, str] = optional(
        MapOf(String("variant"), key="scenario or SCENARIO.STEP"), "`holdout`, or the variant of an experiment"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryEvent(Element):
    """An event that comes in. `at` lies in the attribute `at_`."""

    constraints = (AtMostOne(("customer", "ids")),)

    at_: int = required(Duration(signed=True), "when it arrives, after `start`")
    happened: int | None = optional(Duration(signed=True), "event time, offset to `start`", shown="`at`")
    customer: str | None = optional(Name("test_customer"), "whose")
    ids: Mapping[str, Any] = optional(MapOf(Plain("value"), ref="namespace", key="namespace"), "or these identifiers")
    channel: str = required(Name("channel"), "where it comes from")
    on: str = required(Name("event"), "its type")
    with_: Mapping[str, Any] = optional(_PLAIN_MAP, "its properties")
    id: str | None = optional(String("name"), "its id", shown="made")
    copies: int = given(Int(1, 100), "1", "how often it arrives")


EXPECTED: Final = (
    "sent", "held", "suppressed", "silence", "slot", "profile", "context", "task", "emitted", "published",
    "entered", "ended", "standing", "kpi", "rejected",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation(Element):
    """What must be seen. `at` lies in the attribute `at_`; `kind` says which of the words it is.

    In `never`, `before` or `after` stand instead of `at`.
    """

    constraints = (ExactlyOne(EXPECTED), Needs("gives", ("slot",)), Needs("values", ("slot",)), Needs("ask", ("slot",)),
                   Needs("kpi", ("value",)), Needs("value", ("kpi",)))  # fmt: skip

    at_: int | None = optional(Duration(signed=True), "when, after `start` (within 2 s)")
    before: int | None = optional(Duration(signed=True), "in `never`: before this time")
    after: int | None = optional(Duration(signed=True), "in `never`: after this time")
    customer: str | None = optional(Name("test_customer"), "who")
    sent: str | None = optional(Name("told"), "this content (or name of a variant) was sent")
    held: str | None = optional(Name("told"), "this content is held")
    suppressed: str | None = optional(Name("told"), "this content was suppressed")
    silence: bool | None = optional(Bool(), "nothing was sent by then since the start")
    slot: str | None = optional(Name("slot"), "this slot, asked now")
    profile: Mapping[str, Any] = optional(_PLAIN_MAP, "path → value")
    context: Mapping[str, Any] = optional(_PLAIN_MAP, "path → value, of what channels are told")
    task: str | None = optional(Name(), "a task in this queue")
    emitted: str | None = optional(Name("event"), "this event went out")
    published: str | None = optional(Name("content"), "this content was told on a public channel")
    entered: str | None = optional(Name("scenario"), "entered this scenario")
    ended: str | None = optional(Name("scenario"), "left this scenario")
    standing: str | None = optional(Name("scenario"), "is under way in this scenario")
    kpi: str | None = optional(Name("kpi"), "this figure, counted so far, is `value`")
    rejected: str | None = optional(String("event id"), "this event was rejected")
    channel: str | None = optional(Name("channel"), "with `sent` `held` `suppressed` `published`")
    reason: str | None = optional(String("reason"), "with `held` `suppressed` `ended` `rejected` `slot`")
    to: str | None = optional(String("address"), "with `sent`")
    offer: str | None = optional(Name("offer"), "with `sent` `slot`")
    ids: Mapping[str, Any] = optional(MapOf(Plain("value"), ref="namespace", key="namespace"), "with `slot`: who asks")
    ask: Mapping[str, Any] = optional(_PLAIN_MAP, "with `slot`: channel and attributes of the ask")
    event: Mapping[str, Any] = optional(_PLAIN_MAP, "with `slot`: the event that made the ask, `{on, with}`")
    gives: Any = optional(Plain("name or list"), "with `slot`: content, offer, or a list")
    values: Mapping[str, Any] = optional(_PLAIN_MAP, "with `slot`: values returned, the terms of an offer among them")
    key: str | None = optional(String("key"), "with `task` `entered` `ended` `standing`")
    due: int | None = optional(Duration(signed=True), "with `task`: when it is due, after `start`")
    state: str | None = optional(Choice(("open", "accepted", "closed", "overdue", "withdrawn")), "with `task`")
    with_: Mapping[str, Any] = optional(_PLAIN_MAP, "with `task` `emitted` `sent`: values")
    outcome: str | None = optional(Choice(("won", "lost", "done")), "with `ended`")
    step: str | None = optional(Name(), "with `standing`: at this step")
    value: Any = optional(
        Plain("value"), "with `kpi`: a number, or one for each group named: `{spring: 0.25}`, `{spring/3+: 0.5}`"
    )

    @property
    def kind(self) -> str:
        """The word given: "sent", "slot" ...; "" when none is."""
        return next((kind for kind in EXPECTED if kind in self.places), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(Element):
    """A scenario test: run on the production engine with a virtual clock."""

    test: Text = required(TextType(), "what it shows")
    only: tuple[str, ...] = optional(Names("scenario", single=False), "these scenarios alone", shown="all")
    start: Instant = required(Timestamp(), "when it begins")
    zone: str | None = optional(String("time zone"), "of `start` without offset", shown="the bundle's")
    customers: Mapping[str, StoryCustomer] = optional(
        MapOfParts(Part(StoryCustomer), key="customer"),
        "who is known at the start; a customer not listed is made by events",
    )
    facts: Mapping[str, Mapping[str, Mapping[str, Any]]] = optional(
        MapOf(MapOf(_PLAIN_MAP, key="key"), ref="fact", key="fact"), "fact → key → row, at the start"
    )
    history: tuple[StoryEvent, ...] = optional(
        ListOf(Part(StoryEvent)), "applied before `start` (`at` negative); expectations ignore it"
    )
    events: tuple[StoryEvent, ...] = optional(ListOf(Part(StoryEvent)), "what happens")
    expect: tuple[Expectation, ...] = optional(
        ListOf(Part(Expectation)), "what must be seen; anything not said may happen"
    )
    never: tuple[Expectation, ...] = optional(ListOf(Part(Expectation)), "what must not be seen")
    exactly: tuple[Expectation, ...] = optional(
        ListOf(Part(Expectation)), "the sends named here, and no other send to these customers"
    )
    until: int | None = optional(Duration(), "how long the clock runs", shown="last `at`")
    shuffle: int | None = optional(
        Duration(), "also run with events shuffled inside it: same end state, same action ids"
    )
    language: tuple[str, ...] = optional(OneOrMany(Language()), "also run in this language")
