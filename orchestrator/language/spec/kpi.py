# ruff: noqa: RUF009 - the field specification is made of these calls
"""The document `kpi`: a figure about journeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestrator.language.spec.conditions import Cel
from orchestrator.language.spec.fields import Element, ExactlyOne, given, optional, required
from orchestrator.language.spec.parts import Part, ScalarOr
from orchestrator.language.spec.times import Duration
from orchestrator.language.spec.types import Choice, ListOf, Name, Names, Number

if TYPE_CHECKING:
    from orchestrator.language.cel import Expression

COUNTED: Final = ("persons", "events", "instances", "customers", "placements", "facts")
BUILT_IN: Final = (
    "reaction_time", "consistency_rate", "personalisation_rate", "redundancy_rate", "pressure", "content_use",
    "content_gaps", "fragmentation_rate", "handover_loss", "effort", "path_report", "touchpoint_map",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Element):
    """The time between two events of one person or key."""

    from_: tuple[str, ...] = required(Names("event"), "from this event")
    to: tuple[str, ...] = required(Names("event"), "to this one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Element):
    """What is counted, summed or timed."""

    constraints = (ExactlyOne(("count", "sum", "time")),)

    count: str | None = optional(Choice(COUNTED), "how many")
    sum: Expression | None = optional(Cel("double", ("event",)), "the sum of a value")
    time: Interval | None = optional(Part(Interval), "`{from, to}`")
    on: tuple[str, ...] = optional(Names("event"), "of these events")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of them")
    within: int | None = optional(Duration(), "after the counted contact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi(Element):
    """A figure: `of` divided by `over`."""

    kpi: str = required(Name(), "its name")
    of: Measure = required(Part(Measure), "numerator")
    over: Measure | float = given(ScalarOr(Number(), Part(Measure)), "1", "denominator")
    by: tuple[str, ...] = optional(
        Names(),
        "`scenario campaign content channel channels_reached segment label.NAME week month`",
    )
    versus: str | None = optional(
        Name(),
        "`holdout` or a value of `by`: reports difference, ratio − 1 and a 95% interval",  # noqa: RUF001
    )
    percentiles: tuple[float, ...] = optional(ListOf(Number()), "with the measure `time`")
