"""E-FIELD, E-TYPE and E-NOT-RUN: figures that could not be counted as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.kpi import Kpi, Measure
from orchestrator.language.spec.not_run import EVENTS_NOT_RUN
from orchestrator.language.spec.scope import ENGINE_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.binding import Bound
    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position

TOLD: Final = frozenset({
    "contact_sent", "contact_suppressed", "entered", "exited", "task_opened", "task_closed", "task_overdue",
    "offer_shown", "offer_redeemed", "offer_refused", "offer_expired",
})  # fmt: skip
"""What the engine tells of that figures count."""
_HOLDOUT: Final = "holdout"
_ENTRIES: Final = ("persons", "instances", "events")
_OF_INSTANCES: Final = frozenset({"entered", "exited"})

_WITHOUT_EVENTS: Final = {
    "customers": ("all who are known at the end", ("on", "where", "within")),
    "placements": ("what `show` has placed", ("on", "where")),
    "facts": ("rows as they are at the end", ("on", "within")),
}
"""What is counted of no event, in words, and what cannot be said of it."""


def kpis(context: Context) -> Iterator[Diagnostic]:
    for draft in context.sound("kpi"):
        kpi: Kpi = draft.element
        yield from _measure(kpi.of)
        if isinstance(kpi.over, Measure):
            yield from _measure(kpi.over)
            yield from _denominator(kpi.over)
        yield from _rows(kpi)
        yield from _window(kpi)
        yield from _times(kpi)
        yield from _versus(kpi)
        yield from _events(draft)
    for bound in context.bound:
        if bound.draft.kind == "kpi":
            yield from _condition(bound)


def _field(message: str, at: Position, hint: str) -> Diagnostic:
    return diagnostic("E-FIELD", message, at, hint=hint)


def _measure(measure: Measure) -> Iterator[Diagnostic]:
    count = measure.count
    if count == "facts" and measure.fact is None:
        yield _field("`count: facts` needs `fact`", measure.place("count"), "say whose rows: `fact: NAME`")
    elif count != "facts" and measure.fact is not None:
        yield _field("`fact` says whose rows are counted", measure.place("fact"), "with `count: facts`")
    if count in _WITHOUT_EVENTS:
        said, others = _WITHOUT_EVENTS[count]
        for name in others:
            if name in measure.places:
                message = f"`{count}` are {said}: `{name}` says nothing of them"
                yield _field(message, measure.place(name), "count `persons`, or leave it out")
    elif measure.time is None and not measure.on and count != "instances":
        what = f"`count: {count}`" if count else "`sum`"
        yield _field(f"{what} needs `on`", measure.at, "say of which events: `on: [order_placed]`")
    elif count == "instances" and set(measure.on) - _OF_INSTANCES:
        hint = "count `events`, or `instances` that `entered` or `exited`"
        yield _field("such events are not those of instances", measure.place("on"), hint)
    elif measure.time is not None and measure.on:
        yield _field("`time` has its own events", measure.place("on"), "leave `on` out")


def _denominator(over: Measure) -> Iterator[Diagnostic]:
    if over.time is not None:
        yield _field("nothing is divided by a time", over.place("time"), "write it as `of`, without `over`")
    if "within" in over.places:
        yield _field("`within` counts from what `over` counts", over.place("within"), "write it in `of`")


def _rows(kpi: Kpi) -> Iterator[Diagnostic]:
    """Rows are nobody's, and of no time."""
    if any(isinstance(one, Measure) and one.count == "facts" for one in (kpi.of, kpi.over)):
        for name in ("by", "versus"):
            if name in kpi.places:
                yield _field(
                    f"rows of a fact are nobody's: `{name}` says nothing of them", kpi.place(name), "leave it out"
                )


def _window(kpi: Kpi) -> Iterator[Diagnostic]:
    if kpi.of.within is not None and kpi.of.time is None:
        if not isinstance(kpi.over, Measure):
            hint = "give `over` what it is counted after: `{count: persons, on: delivered}`"
            yield _field("`within` of what? `over` counts nothing", kpi.of.place("within"), hint)
        elif kpi.over.count == "customers":
            yield _field("`within` of what? `customers` have no time", kpi.of.place("within"), "leave it out")


def _times(kpi: Kpi) -> Iterator[Diagnostic]:
    if kpi.of.time is not None:
        for name in ("over", "versus"):
            if name in kpi.places:
                yield _field(f"a time is told as it is: `{name}` says nothing of it", kpi.place(name), "leave it out")
    elif kpi.percentiles:
        yield _field("`percentiles` are those of a time", kpi.place("percentiles"), "with `of: {time: {from, to}}`")
    for percentile in kpi.percentiles:
        if not 0 < percentile <= 100:
            message = f"{percentile:g} is no percentile"
            yield diagnostic("E-TYPE", message, kpi.place("percentiles"), hint="above 0, and 100 at most")


def _versus(kpi: Kpi) -> Iterator[Diagnostic]:
    if kpi.versus is None or kpi.of.time is not None:
        return
    at, over = kpi.place("versus"), kpi.over
    if kpi.versus != _HOLDOUT:
        if not kpi.by:
            yield _field("`versus` names a group, and there is none", at, "say `by` what the figure is told")
    elif not isinstance(over, Measure) or over.count not in _ENTRIES or set(over.on) - {"entered"}:
        hint = "write `over: {count: persons, on: entered}`"
        yield _field("who is held out is known of entries: `over` must count them", at, hint)
    elif over.count != "instances" and not over.on:
        return  # told above: it needs `on`
    elif kpi.of.within is None:
        hint = "say how long after the entry: `of: {..., within: 30d}`"
        yield _field("what is counted must belong to an entry", at, hint)


def _events(draft: Draft) -> Iterator[Diagnostic]:
    for reference in draft.references:
        told = reference.name in TOLD or reference.name in EVENTS_NOT_RUN  # which is told already
        if reference.kind == "event" and reference.name in ENGINE_EVENTS and not told:
            message = f"this release does not count `{reference.name}`"
            hint = "of what the engine tells: " + " ".join(f"`{name}`" for name in sorted(TOLD))
            yield diagnostic("E-NOT-RUN", message, reference.at, length=reference.length, hint=hint)


def _condition(bound: Bound) -> Iterator[Diagnostic]:
    """Figures know the event, and not how things stood with the customer then."""
    others = {path[0] for path in bound.expression.reads} - {"event"}
    names = [f"`{name}`" for name in sorted(others)] + [f"`{call.name}(...)`" for call in bound.expression.calls]
    for name in names:
        message = f"a figure is counted from events alone: {name} is not known there"
        hint = "let the event carry it, or tell the figure `by: [segment]`"
        yield diagnostic("E-TYPE", message, bound.pending.node.at, length=bound.pending.node.length, hint=hint)
