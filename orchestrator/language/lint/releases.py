"""E-VERSION and E-MOVED: what a new release does to those who are under way. Needs the live bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.bundle.meaning import meaning_of
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import nearest
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.scenario import Scenario


def releases(context: Context) -> Iterator[Diagnostic]:
    """Compare every scenario with its live self."""
    if context.previous is None:
        return
    for draft in context.sound("scenario"):
        before = context.previous.scenarios.get(draft.name)
        if before is not None:
            yield from _version(draft, before, context.previous.meanings[draft.name])
            yield from _moved(draft, before)


def _version(draft: Draft, before: Scenario, meaning: str) -> Iterator[Diagnostic]:
    now = draft.element
    at = now.place("version") if "version" in now.places else draft.named_at
    if now.version < before.version:
        message = f"version {now.version} is lower than the live version {before.version}"
        yield diagnostic("E-VERSION", message, at, hint=f"write `version: {before.version + 1}`")
    elif now.version == before.version and meaning_of(draft.root) != meaning:
        message = f"the meaning of `{draft.name}` changed, its version did not"
        hint = f"write `version: {before.version + 1}`; instances under way go by `in_flight: {now.in_flight}`"
        yield diagnostic("E-VERSION", message, at, length=len(draft.name), hint=hint)


def _moved(draft: Draft, before: Scenario) -> Iterator[Diagnostic]:
    now = draft.element
    if now.in_flight != "follow" or now.version <= before.version:
        return
    ids = {step.id for step in all_steps(now.steps)}
    for step in all_steps(before.steps):
        if step.id not in ids and step.id not in now.moved:
            near = nearest(step.id, ids) or "NEW_ID"
            message = f"the step `{step.id}` of version {before.version} is gone; who stands there would be ended"
            hint = f"write `moved: {{{step.id}: {near}}}`, or `in_flight: pin`"
            yield diagnostic("E-MOVED", message, draft.named_at, length=len(draft.name), hint=hint)
    for old, new in now.moved.items():
        if new not in ids:
            message = f"`moved` leads from `{old}` to `{new}`, and there is no such step"
            yield diagnostic("E-MOVED", message, now.place("moved"), hint="name a step of this version")
