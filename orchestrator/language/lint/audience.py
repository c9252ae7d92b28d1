"""E-AUDIENCE: a schedule that enters everyone by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.scenario import Entry


def audience(context: Context) -> Iterator[Diagnostic]:
    """`every` and `at` need an `audience` that is not always true."""
    for draft in context.sound("scenario"):
        scenario = draft.element
        given = scenario.audience
        everyone = given is None or given.constant == (True, True)
        cause = _wide(scenario.entry)
        if everyone and cause:
            at = scenario.place("audience") if given is not None else draft.named_at
            message = f"{cause} enters every customer there is"
            hint = "say who: `audience: profile.known`, or `in_segment(...)`, or a consent"
            yield diagnostic("E-AUDIENCE", message, at, length=len(draft.name), hint=hint)


def _wide(entry: Entry) -> str:
    if entry.every is not None:
        return "`every`"
    return "`at`" if entry.at_ is not None else ""
