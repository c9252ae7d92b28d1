"""W-TIME-EDGE: a `becomes` that can turn true by time alone, or by a fact, when nothing happens to the customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.depends import OF_FACTS, Depends, depends_on
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context

_BY_TIME: Final = frozenset({"count", "seen", "since", "open"})
_FADING: Final = ("window", "keep_for", "half_life", "reset_after")


def time_edge(context: Context) -> Iterator[Diagnostic]:
    segments = {draft.name: draft.element for draft in context.sound("segment")}
    for draft in context.sound("scenario"):
        becomes = draft.element.entry.becomes
        if becomes is None:
            continue
        depends = depends_on(becomes, context.typing.traits["profile"], segments)
        if cause := _by_time(depends):
            message = f"{cause} changes by time alone; that is noticed at the customer's next event or timer"
            hint = "if that is too late, enter by an event and wait with `delay`"
        elif cause := _by_facts(depends):
            message = f"{cause} changes without the customer; that is noticed at their next event or timer"
            hint = "if that is too late, enter by an event and wait with `wait_until`: it looks when the fact changes"
        else:
            continue
        yield diagnostic("W-TIME-EDGE", message, draft.element.entry.place("becomes"), hint=hint)


def _by_time(depends: Depends) -> str:
    for expression in depends.expressions:
        if any(path[0] == "now" for path in expression.reads):
            return "`now`"
        for call in expression.calls:
            if call.name in _BY_TIME:
                return f"`{call.name}(...)`"
    for name, trait in depends.traits.items():
        if any(getattr(trait, fading) is not None for fading in _FADING):
            return f"`profile.{name}`"
    return ""


def _by_facts(depends: Depends) -> str:
    for expression in depends.expressions:
        for path in sorted(expression.reads):
            if path[0] == "facts":
                return f"`{'.'.join(path[:2])}`"
        for call in expression.calls:
            if call.name in OF_FACTS:
                return f"`{call.name}(...)`"
    return ""
