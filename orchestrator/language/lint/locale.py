"""W-LOCALE: a branch on the language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.steps import Split, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context


def locale(context: Context) -> Iterator[Diagnostic]:
    for bound in context.bound:
        part = bound.part
        if (
            isinstance(part, Step)
            and isinstance(part.body, Split)
            and ("profile", "language") in bound.expression.reads
        ):
            at, length = bound.pending.node.at, bound.pending.node.length
            message = f"`{part.id}` branches on the language"
            hint = "texts of a content are a map by language: `{fr: ..., de: ...}`; one story for all"
            yield diagnostic("W-LOCALE", message, at, length=length, hint=hint)
