# ruff: noqa: RUF009 - the field specification is made of these calls
"""The document `kpi`: a figure about journeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestrator.language.spec.conditions import Cel
from orchestrator.language.spec.fields import Element, ExactlyOne, given, optional, required
from orchestrator.language.spec.parts import Part, ScalarOr
from orchestrator.language.spec.times import Duration
from orchestrator.language.spec.types import Choice, ListOf, Name, Names, Number, String

if TYPE_CHECKING:
    from orchestrator.language.cel import Expression

COUNTED: Final = ("persons", "events", "instances", "customers", "placements", "facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Element):
    """The time from one event to the next of the others of its person.

    Where both name a message it is the same one, where both belong to an instance that one.
    """

    from_: tuple[str, ...] = required(Names("event"), "from each of these events")
    to: tuple[str, ...] = required(Names("event"), "to the next of these")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Element):
    """What is counted, summed or timed.

    `on` names events of customers, and of the engine's `contact_sent`, `contact_suppressed`, `entered`, `exited`,
    `task_opened`, `task_closed` and `task_overdue`.

    With `within`, an event counts for the contact that it follows, one that `over` counts: the newest of its person, or
    that of its own message or instance. Who was reached by two campaigns and then orders has ordered for the later one.
    With `versus: holdout` it counts for every scenario that the person has entered in that time.

    An event with `event.proxy` true (a mail provider fetched the picture) is nobody's doing, and is counted
    only where `where` asks for `event.proxy`. What `where` cannot be evaluated for is not counted.
    """

    constraints = (ExactlyOne(("count", "sum", "time")),)

    count: str | None = optional(
        Choice(COUNTED),
        "`persons`: each once in a group; `events`; `instances`: entries, or what `on` says of instances; `customers`: "
        "all who are known at the end; `placements`: what `show` has placed in slots; `facts`: the rows of `fact` at "
        "the end, each of which `where` sees as `event`",
    )
    fact: str | None = optional(Name("fact"), "with `count: facts`: whose rows")
    sum: Expression | None = optional(Cel("double", ("event",)), "the sum of a value")
    time: Interval | None = optional(Part(Interval), "the time from one event to another, mean and `percentiles`")
    on: tuple[str, ...] = optional(Names("event"), "of these events")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of them (with `time`: of the first)")
    within: int | None = optional(
        Duration(), "only in `of`: so long after the counted contact; with `time`, what takes longer is left out"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi(Element):
    """A figure: `of` divided by `over`. `orchestrator kpi` counts it over recorded events, tests over their own."""

    kpi: str = required(Name(), "its name")
    of: Measure = required(Part(Measure), "numerator")
    over: Measure | float = given(ScalarOr(Number(), Part(Measure)), "1", "denominator")
    by: tuple[str, ...] = optional(
        Names(),
        "`scenario campaign content channel channels_reached path offer segment label.NAME week month`: a figure for "
        "each; "
        "`channels_reached` (`1` `2` `3+`): on how many channels a person was reached, who counts in the highest; "
        "`path` (`tv>web>store`): those channels, in the order in which the person first met them",
    )
    versus: str | None = optional(
        String(),
        "`holdout`, or a value of `by`: each other group beside that one, with difference, uplift (ratio − 1) and a "  # noqa: RUF001
        "95% interval of the difference",
    )
    percentiles: tuple[float, ...] = optional(ListOf(Number()), "with the measure `time`, such as [50, 90, 99]")
