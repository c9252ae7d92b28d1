"""W-NO-EXPECT: a test that cannot fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context


def expectations(context: Context) -> Iterator[Diagnostic]:
    """`exactly: []` expects something, that nothing is sent; so does `shuffle`, that order makes no difference."""
    for draft in context.sound("test"):
        story = draft.element
        if not (story.expect or story.never or story.shuffle or "exactly" in story.places):
            message = "this test expects nothing: it holds whatever the scenarios do"
            hint = "say what must be seen (`expect`), what must not (`never`), or all that is sent (`exactly`)"
            yield diagnostic("W-NO-EXPECT", message, story.place("test"), hint=hint)
