"""W-TIME-EDGE: a `becomes` that can turn true by time alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.cel import Expression
    from orchestrator.language.lint.context import Context

_BY_TIME: Final = frozenset({"count", "seen", "since", "open"})
_FADING: Final = ("window", "keep_for", "half_life", "reset_after")


def time_edge(context: Context) -> Iterator[Diagnostic]:
    for draft in context.sound("scenario"):
        becomes = draft.element.entry.becomes
        cause = _cause(becomes, context) if becomes is not None else ""
        if cause:
            message = f"{cause} changes by time alone; that is noticed at the customer's next event or timer"
            hint = "if that is too late, enter by an event and wait with `delay`"
            yield diagnostic("W-TIME-EDGE", message, draft.element.entry.place("becomes"), hint=hint)


def _cause(expression: Expression, context: Context) -> str:
    if any(path[0] == "now" for path in expression.reads):
        return "`now`"
    for call in expression.calls:
        if call.name in _BY_TIME:
            return f"`{call.name}(...)`"
    for path in sorted(expression.reads):
        trait = context.typing.traits["profile"].get(path[1]) if path[0] == "profile" and len(path) > 1 else None
        if trait is not None and any(getattr(trait, name) is not None for name in _FADING):
            return f"`profile.{path[1]}`"
    return ""
