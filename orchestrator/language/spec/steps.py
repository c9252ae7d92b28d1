# ruff: noqa: RUF009 - the field specification is made of these calls
"""The steps of a scenario: one struct a step word, and how a list of steps is read."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as plain_field
from typing import TYPE_CHECKING, Any

from orchestrator.language.spec.conditions import Cel, CelMap, NameOrCel
from orchestrator.language.spec.fields import (
    AtLeastOne,
    AtMostOne,
    Element,
    ExactlyOne,
    Needs,
    given,
    optional,
    required,
)
from orchestrator.language.spec.parts import Part
from orchestrator.language.spec.step_list import Steps
from orchestrator.language.spec.times import Duration, TimeOfDay
from orchestrator.language.spec.types import Choice, Choices, Int, ListOf, Name, Names, Percent, String

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.values import NameOr

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Element):
    """One step: its id, its word, what the word is given, and the branches beside it.

    Attributes:
        id: Unique in the scenario; survives edits.
        kind: The step word: "send", "wait_until" ...
        body: The struct of that word: `Send`, `WaitUntil` ...
        branches: Label and steps of each branch, in file order. Labels: `then` and `on_timeout` of waits, the
            `name` of an awaited event, variant or parallel track, `1` `2` ... of a split's cases and `else`.
        then: Steps beside `wait_until`, after a match.
        on_timeout: Steps beside `wait_until` and `reserve`, after the timeout.
        else_: Steps beside `split`, where no case is true.
        id_at: Where the id stands.
    """

    id: str
    kind: str
    body: Body
    branches: tuple[tuple[str, tuple[Step, ...]], ...] = ()
    then: tuple[Step, ...] = ()
    on_timeout: tuple[Step, ...] = ()
    else_: tuple[Step, ...] = ()
    id_at: Any = plain_field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Element):
    """Waits for a time. `for` is exact; `time` is the customer's local clock. A time already past passes at once."""

    constraints = (
        ExactlyOne(("for", "until", "time")),
        Needs("days_later", ("time",)),
        Needs("weekdays", ("time",)),
        AtMostOne(("days_later", "weekdays")),
    )

    for_: int | None = optional(Duration(), "exactly so long")
    until: Expression | None = optional(Cel("timestamp"), "until this moment")
    time: int | None = optional(TimeOfDay(), "until it is this o'clock in the customer's zone")
    days_later: int = given(
        Int(0, 400), "0", "with `time`: 1 is tomorrow at that time, 0 the next time it is that o'clock"
    )
    weekdays: tuple[str, ...] = optional(Choices(_WEEKDAYS), "with `time`: only on these", shown="any")
    calendar: str | None = optional(Name("calendar"), "an end outside of it moves to the next opening")


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence(Element):
    """Passes when none of these events happened for so long.

    Starts at the event time of the event that led here (a timer: its due time); each match starts it again.
    """

    of: tuple[str, ...] = required(Names("event"), "the events that break it")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")
    for_: int = required(Duration(), "how long")
    grace: int = given(Duration(), "0s", "the timer acts that much later; until then events up to the due time count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited(Element):
    """One of several awaited events, with the branch it leads to."""

    name: str = required(Name(), "the branch's name, `steps.ID.matched`")
    on: tuple[str, ...] = required(Names("event"), "the event")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")
    of: str | None = optional(
        Name("step"), "only events about that step's message, task or placement; where it made none, no wait"
    )
    then: tuple[Step, ...] = optional(Steps(), "what follows it")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntil(Element):
    """Waits for an event (`on`), for one of several (`any`), or until a condition is true (`when`)."""

    constraints = (
        ExactlyOne(("on", "when", "any")),
        ExactlyOne(("timeout", "until")),
        Needs("where", ("on",)),
        Needs("of", ("on",)),
        Needs("grace", ("on", "any")),
    )

    on: tuple[str, ...] = optional(Names("event"), "the first match of these")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")
    of: str | None = optional(
        Name("step"), "only events about that step's message, task or placement; where it made none, no wait"
    )
    when: Expression | None = optional(
        Cel("bool"),
        "a level: passes at once if it is true already, else after the event, timer or fact that makes it true",
    )
    any: tuple[Awaited, ...] = optional(
        ListOf(Part(Awaited)), "several awaited events that lead to different branches; the first listed that matches"
    )
    timeout: int | None = optional(Duration(), "how long at most")
    until: Expression | None = optional(Cel("timestamp"), "or until when")
    grace: int = given(Duration(), "0s", "the timer acts that much later; until then events up to the due time count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback(Element):
    """The next channel, when a message is not delivered."""

    after: int = required(Duration(), "not delivered by then")
    times: int = given(Int(1, 10), "1", "so often at most")


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Element):
    """Sends a content. The instance stands here until it is sent or suppressed."""

    content: NameOr = required(NameOrCel("content"), "the name of a content, never text")
    channel: tuple[str, ...] = given(
        Names("send_channel"),
        "preferred",
        "a channel, `preferred`, `last_used`; a list is an order of choice and may contain the two words",
    )
    with_: Mapping[str, Expression] = optional(CelMap(), "values for the template")
    offer: NameOr | None = optional(
        NameOrCel("offer"),
        'recorded as shown when sent; `""` or not open: `no_offer`',
        shown="the content's",
    )
    to: Expression | None = optional(
        Cel("string"), "an address, or an id of a member (`for: account`)", shown="the customer"
    )
    thread: Expression | None = optional(Cel("string"), "continues this conversation")
    sender: NameOr | None = optional(NameOrCel(), "an agent")
    fallback: Fallback | None = optional(Part(Fallback), "not delivered by then: the next channel")
    on_unsent: str = given(Choice(("continue", "exit")), "continue", "what a suppressed message means for the story")


@dataclass(frozen=True, slots=True, kw_only=True)
class Show(Element):
    """Places a content in slots, and goes on at once; it stands until `for` is over, or the instance ends."""

    constraints = (ExactlyOne(("content", "offer")),)

    slots: tuple[str, ...] = required(Names("slot", single=False), "where: by any of a slot's names")
    content: NameOr | None = optional(NameOrCel("content"), "what")
    offer: NameOr | None = optional(NameOrCel("offer"), "or which offer, by itself")
    with_: Mapping[str, Expression] = optional(CelMap(), "values returned beside it, looked at when the slot is asked")
    for_: int | None = optional(Duration(), "how long", shown="as long as the instance")
    priority: int | None = optional(Int(0, 100), "against the slot's own candidates", shown="the scenario's")
    limit: int | None = optional(Int(1), "shown at most so often, then it is gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(Element):
    """Asks a slot as a channel would; gives `steps.ID.content offer items`."""

    slot: str = required(Name("slot"), "which")


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOn(Element):
    """An event that closes a task."""

    on: tuple[str, ...] = required(Names("event"), "the event")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Element):
    """Work for a person: call centre, store."""

    constraints = (AtMostOne(("due", "due_at")),)

    queue: NameOr = required(NameOrCel(), "whose work")
    key: Expression | None = optional(
        Cel("string"),
        "one open task per queue and key: a second is added to the first. A task whose key is a thread receives "
        "that thread's later turns",
        shown="instance",
    )
    due: int | None = optional(Duration(), "how soon", shown="`respond_within` of the entry's channel")
    due_at: Expression | None = optional(Cel("timestamp"), "or when")
    assignee: Expression | None = optional(Cel("string"), "who", shown="the thread's last agent")
    calendar: str | None = optional(Name("calendar"), "a due time outside of it moves to the next opening")
    with_: Mapping[str, Expression] = optional(CelMap(), "shown to the person; the conversation always is")
    close_on: tuple[CloseOn, ...] = optional(ListOf(Part(CloseOn)), "what closes it")
    on_exit: str = given(Choice(("keep", "withdraw")), "keep", "when the instance ends first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve(Element):
    """Waits for one of `size` places that all customers share, first come first served."""

    pool: NameOr = required(NameOrCel(), "which places")
    size: Expression = required(Cel("int"), "how many there are")
    for_: int = required(Duration(), "held for so long, or until the instance ends")


@dataclass(frozen=True, slots=True, kw_only=True)
class Award(Element):
    """One entry in a ledger per `ref`, however often it runs."""

    ledger: str = required(Name("ledger"), "a trait of kind `ledger`")
    amount: Expression = required(Cel("double", ("event",)), "how much")
    ref: Expression = required(Cel("key", ("event",)), "what for: one entry per ref")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit(Element):
    """An event for other systems; `events` declares it."""

    event: str = required(Name("event"), "its type")
    with_: Mapping[str, Expression] = optional(CelMap(), "its properties")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(Element):
    """`for: brand` only: one command per public channel, told in its own variant."""

    content: NameOr = required(NameOrCel("content"), "what")
    channels: tuple[str, ...] = required(Names("channel", single=False), "public channels")
    with_: Mapping[str, Expression] = optional(CelMap(), "values for the template")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetValues(Element):
    """Sets variables of the instance, or stored traits of the profile."""

    constraints = (AtLeastOne(("vars", "profile")),)

    vars: Mapping[str, Expression] = optional(CelMap(), "known as `vars.NAME` from here on")
    profile: Mapping[str, Expression] = optional(CelMap(), "only traits declared `stored`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Element):
    """One case of a split."""

    when: Expression = required(Cel("bool"), "the first case whose condition is true")
    then: tuple[Step, ...] = required(Steps(), "leads here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Element):
    """The first true branch. In YAML the word holds the list itself: `split: [{when, then}, ...]`."""

    cases: tuple[Case, ...] = required(ListOf(Part(Case)), "list of `when then`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm(Element):
    """One variant of an experiment."""

    name: str = required(Name(), "`steps.ID.variant`")
    weight: float = required(Percent(), "its share")
    then: tuple[Step, ...] = optional(Steps(), "what its customers get")


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment(Element):
    """Draws a variant, once per customer; weights sum to 100%."""

    variants: tuple[Arm, ...] = required(ListOf(Part(Arm)), "list of `name weight then`")
    salt: str | None = optional(String(), "the same salt draws the same part of the customers", shown="scenario + id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(Element):
    """One of the things done side by side."""

    name: str = required(Name(), "its name")
    steps: tuple[Step, ...] = required(Steps(), "what happens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Element):
    """Does several things side by side; goes on when all are through. In YAML the word holds the list itself."""

    tracks: tuple[Track, ...] = required(ListOf(Part(Track)), "list of `name steps`")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoTo(Element):
    """Goes on at another step; backwards needs `limit`."""

    step: str = required(Name("step"), "its id")
    limit: int | None = optional(Int(1), "visits per instance; needed backwards")


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Element):
    """Ends the instance."""

    outcome: str = given(Choice(("won", "lost", "done")), "done", "how it ended")
    reason: str | None = optional(Name(), "counted and shown")


Body = (
    Delay | Silence | WaitUntil | Send | Show | Decide | Task | Reserve | Award | Emit | Publish
    | SetValues | Split | Experiment | Parallel | GoTo | End
)  # fmt: skip
