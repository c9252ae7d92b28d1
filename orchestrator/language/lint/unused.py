"""W-UNUSED: declared, and nothing names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.bundle.inventory import beginnings
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.scope import NAMED_BY_FUNCTION
from orchestrator.language.spec.steps import SetValues
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.binding import Bound
    from orchestrator.language.lint.context import Context

_KINDS: Final = ("content", "offer", "segment", "calendar", "trait")
_ALL_OF: Final = {"content": "content", "offers": "offer"}
_OWN: Final = frozenset({"place", "preferred_channel", "preferred_hours", "topics", "name", "language", "zone"})
"""Traits that the engine itself reads."""


def unused(context: Context) -> Iterator[Diagnostic]:
    """Contents, offers, segments, calendars and traits that no field, condition or test names."""
    used = _used(context)
    for kind in _KINDS:
        for name, at in context.names.places[kind].items():
            if kind in used["all"] or name in used[kind]:
                continue
            if kind == "content" and any(name.startswith(prefix) for prefix in used["prefix"]):
                continue
            yield diagnostic(
                "W-UNUSED", f"nothing uses the {kind} `{name}`", at, length=len(name), hint="use it or delete it"
            )
    for draft in context.sound("scenario"):
        if draft.element.stop_when is not None and not any(s.kind == "send" for s in all_steps(draft.element.steps)):
            message = "`stop_when` counts the messages of a scenario, and this one sends none"
            yield diagnostic("W-UNUSED", message, draft.element.place("stop_when"), hint="delete it")


def _used(context: Context) -> dict[str, set[str]]:
    used: dict[str, set[str]] = {kind: set() for kind in (*_KINDS, "all", "prefix")}
    used["trait"] |= _OWN
    for draft in context.drafts.documents:
        for reference in draft.references:
            kind = "trait" if reference.kind == "ledger" else reference.kind
            if kind in used:
                used[kind].add(reference.name)
            elif kind == "source" and reference.name in _ALL_OF:
                used["all"].add(_ALL_OF[reference.name])
        if draft.kind == "test":
            for expectation in (*draft.element.expect, *draft.element.never):
                used["trait"].update(path.partition(".")[0] for path in (*expectation.profile, *expectation.context))
        if draft.kind == "scenario":
            used["trait"].update(_sets(draft.element))
    for bound in context.bound:
        _add_bound(bound, used)
    return used


def _sets(scenario: object) -> set[str]:
    steps = all_steps(scenario.steps)  # type: ignore[attr-defined]
    return {name for step in steps if isinstance(step.body, SetValues) for name in step.body.profile}


def _add_bound(bound: Bound, used: dict[str, set[str]]) -> None:
    for path in bound.expression.reads:
        if path[0] == "profile" and len(path) > 1:
            used["trait"].update((path[1], path[1].removesuffix("_label")))
    for call in bound.expression.calls:
        kind, index = NAMED_BY_FUNCTION.get(call.name, ("", 0))
        if kind in used and len(call.args) > index:
            used[kind].add(str(call.args[index]))
    if bound.pending.expects == "string":  # `{is: CEL}`: names made at run time begin with a text of it
        used["prefix"] |= beginnings(bound.expression.source)
