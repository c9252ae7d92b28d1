"""E-NOT-RUN: words of the language that this release reads and does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.inside import place_inside
from orchestrator.language.spec import steps
from orchestrator.language.spec.not_run import (
    BRAND_EVENTS,
    EVENTS_NOT_RUN,
    STEPS_NOT_RUN,
)
from orchestrator.language.spec.scope import NAMED_BY_FUNCTION
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.binding import Bound
    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position

_MAY_NAME_BRAND_EVENTS: Final = frozenset({"facts", "test"})


def not_run(context: Context) -> Iterator[Diagnostic]:
    """Whatever would be accepted and then never happen."""
    for draft in context.drafts.documents:
        look = _LOOK.get(draft.kind)
        if look is not None:
            yield from look(draft)
        if draft.kind not in _MAY_NAME_BRAND_EVENTS and not _is_for_brand(draft):
            yield from _brand_events(context, draft)
        yield from _engine_events(draft)
    for bound in context.bound:
        yield from _functions(context, bound)


def _problem(what: str, at: Position, text: str, hint: str) -> Diagnostic:
    return diagnostic("E-NOT-RUN", f"this release does not run {what}", at, length=len(text), hint=hint)


def _scenario(draft: Draft) -> Iterator[Diagnostic]:
    scenario = draft.element
    if scenario.for_ == "account":
        hint = "tell it to each customer: `for: customer`"
        yield _problem(f"a scenario `for: {scenario.for_}`", scenario.place("for"), scenario.for_, hint)
    for step in all_steps(scenario.steps):
        if step.kind in STEPS_NOT_RUN:
            yield _problem(f"the step `{step.kind}`", step.id_at, step.id, STEPS_NOT_RUN[step.kind])


def _is_for_brand(draft: Draft) -> bool:
    return draft.kind == "scenario" and draft.element.for_ == "brand"


def _offer(draft: Draft) -> Iterator[Diagnostic]:
    limit = draft.element.limit
    if limit is not None and limit.total is not None:
        hint = "let the system that has the places count them, and close the offer by a fact: `requires`"
        yield _problem("a total over all customers", limit.place("total"), str(limit.total), hint)


def _traits(draft: Draft) -> Iterator[Diagnostic]:
    if draft.element.of != "customer":
        hint = "keep it with each customer: `of: customer`"
        yield _problem("traits of an account", draft.element.place("of"), draft.element.of, hint)
    for trait in draft.element.define.values():
        if trait.business:
            yield _problem("events of an account", trait.place("business"), "true", "delete it")


def _events(draft: Draft) -> Iterator[Diagnostic]:
    for declared in draft.element.define.values():
        if declared.for_ == "account":
            hint = "declare it `for: customer`, and let it carry an identifier of one"
            yield _problem("events of an account", declared.place("for"), declared.for_, hint)


def _brand_events(context: Context, draft: Draft) -> Iterator[Diagnostic]:
    emitted = {
        step.body.place("event")
        for step in (all_steps(draft.element.steps) if draft.kind == "scenario" else ())
        if isinstance(step.body, steps.Emit)
    }
    for reference in draft.references:
        if reference.kind == "event" and reference.at not in emitted and _is_of_brand(context, reference.name):
            yield _unheard(reference.name, reference.at)


def _engine_events(draft: Draft) -> Iterator[Diagnostic]:
    for reference in draft.references:
        if reference.kind == "event" and reference.name in EVENTS_NOT_RUN:
            yield _unmade(reference.name, reference.at)


def _unmade(name: str, at: Position) -> Diagnostic:
    message = f"this release makes no event `{name}`"
    return diagnostic("E-NOT-RUN", message, at, length=len(name), hint=EVENTS_NOT_RUN[name])


def _unheard(name: str, at: Position) -> Diagnostic:
    message = f"this release brings the event `{name}` to no customer: it is declared `for: brand`"
    return diagnostic("E-NOT-RUN", message, at, length=len(name), hint=BRAND_EVENTS)


def _is_of_brand(context: Context, name: str) -> bool:
    named = context.typing.events.named(name)
    return bool(named) and all(one.declaration is not None and one.declaration.for_ == "brand" for one in named)


def _functions(context: Context, bound: Bound) -> Iterator[Diagnostic]:
    for call in bound.expression.calls:
        named = NAMED_BY_FUNCTION.get(call.name, ("", 0))
        if named[0] == "event" and str(call.args[named[1]]) in EVENTS_NOT_RUN:
            yield _unmade(str(call.args[named[1]]), _at(bound, named[1], call))
        elif named[0] == "event" and _is_of_brand(context, str(call.args[named[1]])):
            yield _unheard(str(call.args[named[1]]), _at(bound, named[1], call))


def _at(bound: Bound, index: int, call: Any) -> Position:
    return place_inside(bound.pending.node, bound.draft.lines, call.places[index][0])


_LOOK: Final = {
    "scenario": _scenario,
    "offer": _offer,
    "traits": _traits,
    "events": _events,
}
