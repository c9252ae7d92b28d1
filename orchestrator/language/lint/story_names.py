"""E-NAME: whom and what a test speaks of that is not there: what is never found is never seen to be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.spec.steps import End
from orchestrator.language.spec.walk import all_steps
from orchestrator.model import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.story import Expectation, Story


_GIVEN_BY_US: Final = frozenset(value for name, value in vars(reason).items() if name.isupper())


def story_names(context: Context) -> Iterator[Diagnostic]:
    """Look up the customers, the steps and the reasons that a test names."""
    reasons = _reasons(context)
    steps = {
        draft.element.scenario: {step.id for step in all_steps(draft.element.steps)}
        for draft in context.drafts.of("scenario")
    }
    for draft in context.sound("test"):
        story: Story = draft.element
        customers = _customers(story)
        yield from _strangers(story)
        for expected in (*story.expect, *story.never, *story.exactly):
            if expected.customer is not None and expected.customer not in customers:
                message = f"this test has no customer `{expected.customer}`"
                yield _undeclared(expected, "customer", message, customers)
            known = steps.get(expected.standing or "")
            if expected.step is not None and known is not None and expected.step not in known:
                yield _undeclared(expected, "step", f"`{expected.standing}` has no step `{expected.step}`", known)
            yield from _reason(expected, reasons)


def _strangers(story: Story) -> Iterator[Diagnostic]:
    """An event of somebody whom nothing else speaks of, where a customer is listed who is called nearly so."""
    expected = {one.customer for one in (*story.expect, *story.never, *story.exactly)}
    for event in (*story.history, *story.events):
        name = event.customer
        if name is None or name in story.customers or name in expected:
            continue
        hint = did_you_mean(name, story.customers)
        if hint:
            message = f"`{name}` is not listed, and nothing is expected of them"
            yield diagnostic("E-NAME", message, event.place("customer"), length=len(name), hint=hint)


def _reason(expected: Expectation, reasons: set[str]) -> Iterator[Diagnostic]:
    """A reason that nothing gives, where one that something gives is written nearly so."""
    why = expected.reason
    if why is not None and why not in reasons and not why.startswith("$") and did_you_mean(why, reasons):
        yield _undeclared(expected, "reason", f"nothing gives the reason `{why}`", reasons)


def _reasons(context: Context) -> set[str]:
    """Ours, and those that the bundle gives: ends of stories, pauses, what contents need."""
    found: list[str | None] = [draft.element.reason for draft in context.drafts.of("content")]
    for draft in context.drafts.of("scenario"):
        found += [one.reason for one in draft.element.exit]
        bodies = [step.body for step in all_steps(draft.element.steps)]
        found += [body.reason for body in bodies if isinstance(body, End)]
    if context.policy is not None:
        found += [pause.name for pause in context.policy.pauses]
    return {*_GIVEN_BY_US, *(name for name in found if name)}


def _customers(story: Story) -> set[str]:
    """Those that are listed, that events name, and that have an identifier of this name."""
    events = (*story.history, *story.events)
    named = {event.customer for event in events if event.customer is not None}
    return {*story.customers, *named, *(str(value) for event in events for value in event.ids.values())}


def _undeclared(expected: Expectation, field: str, message: str, known: Iterable[str]) -> Diagnostic:
    name = getattr(expected, field)
    hint = did_you_mean(name, known) or "known here: " + " ".join(f"`{one}`" for one in sorted(known))
    return diagnostic("E-NAME", message, expected.place(field), length=len(name), hint=hint)
