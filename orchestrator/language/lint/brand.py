"""E-STEP E-FIELD E-EVENT: stories of the brand that need somebody to be told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.scope import ENGINE_EVENTS
from orchestrator.language.spec.steps import SetValues
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.scenario import Scenario

WORDS: Final = frozenset({
    "emit", "task", "set", "delay", "split", "silence", "wait_until", "parallel", "go_to", "end", "publish",
})  # fmt: skip
"""What a story of the brand may do."""
_OF_PERSONS: Final = ("audience", "holdout", "owns", "stop_when", "score")
_MAY_BEGIN: Final = ("becomes", "every", "at")
_HEARD: Final = frozenset({"task_opened", "task_closed", "task_overdue"})


def brand(context: Context) -> Iterator[Diagnostic]:
    """Look at each scenario `for: brand`: what it does, what begins it, what it listens to."""
    for draft in context.sound("scenario"):
        if draft.element.for_ == "brand":
            yield from _words(draft.element)
            yield from _fields(draft.element)
            yield from _events(context, draft)


def _words(scenario: Scenario) -> Iterator[Diagnostic]:
    for step in all_steps(scenario.steps):
        if step.kind and step.kind not in WORDS:
            message = f"`{step.kind}` needs a customer, and a story of the brand has none"
            hint = "a story `for: brand` may " + " ".join(f"`{word}`" for word in sorted(WORDS))
            yield diagnostic("E-STEP", message, step.id_at, length=len(step.id), hint=hint)
        elif isinstance(step.body, SetValues) and step.body.profile:
            message = f"`{step.id}` keeps something of a customer, and a story of the brand has none"
            hint = "keep it in the story: `set: {vars: ...}`"
            yield diagnostic("E-STEP", message, step.body.place("profile"), hint=hint)


def _fields(scenario: Scenario) -> Iterator[Diagnostic]:
    for name in _OF_PERSONS:
        if name in scenario.places:
            hint = "leave it out, or tell the story to customers: `for: customer`"
            yield diagnostic("E-FIELD", f"`{name}` is about customers", scenario.place(name), hint=hint)
    for name in _MAY_BEGIN:
        if name in scenario.entry.places:
            message = f"a story of the brand begins with an event of the brand, not by `{name}`"
            hint = "write `entry: {on: ...}`"
            yield diagnostic("E-FIELD", message, scenario.entry.place(name), hint=hint)


def _events(context: Context, draft: Draft) -> Iterator[Diagnostic]:
    emitted = {step.body.place("event") for step in all_steps(draft.element.steps) if step.kind == "emit"}
    for reference in draft.references:
        if reference.kind != "event" or reference.at in emitted or reference.name in _HEARD:
            continue
        named = context.typing.events.named(reference.name)
        if reference.name in ENGINE_EVENTS or any(
            one.declaration is not None and one.declaration.for_ != "brand" for one in named
        ):
            message = f"`{reference.name}` happens to a customer, and a story of the brand hears of none"
            hint = "name an event that is declared `for: brand`"
            yield diagnostic("E-EVENT", message, reference.at, length=reference.length, hint=hint)
