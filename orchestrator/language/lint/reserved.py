"""E-NAME: names that would hide what is always there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.bundle.schemas import RESERVED
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position

_KEPT_BY_ENGINE: Final = frozenset(
    {"id", "ids", "known", "consent", "segments", "offers", "threads", "open_questions", "version"}
)
"""What `profile` always holds and no trait may be named; declared ones such as `language` may be traits."""
_ROOTS: Final = frozenset(
    {"now", "event", "item", "entry", "steps", "vars", "profile", "account", "ask", "facts", "offer"}
)


def reserved(context: Context) -> Iterator[Diagnostic]:
    """Traits, derived properties and `as` names that would hide what every condition may read."""
    for draft in context.drafts.of("traits"):
        for name, trait in draft.element.define.items() if draft.element.of == "customer" else ():
            if name in _KEPT_BY_ENGINE:
                yield _hidden(f"`profile.{name}` is always there", name, trait.named_at or trait.at)
    for draft in context.drafts.of("events"):
        for declaration in draft.element.define.values():
            for name in RESERVED.intersection(declaration.derive):
                yield _hidden(f"`event.{name}` is always there", name, declaration.place("derive"))
    for draft in context.sound("scenario"):
        for moment in draft.element.entry.sequence:
            if moment.as_ in _ROOTS or moment.as_ == "meta":
                yield _hidden(f"`{moment.as_}` is always there", moment.as_, moment.place("as"))


def _hidden(message: str, name: str, at: Position) -> Diagnostic:
    return diagnostic("E-NAME", f"{message} and means something else", at, length=len(name), hint="choose another name")
