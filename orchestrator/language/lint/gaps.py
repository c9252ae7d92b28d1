"""W-GAP: a stage of the journey for which a channel has nothing to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.lint.words import listed
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position


def gaps(context: Context) -> Iterator[Diagnostic]:
    """Cells of stage and channel without content, for the stages and channels that staged contents use."""
    cells: dict[str, set[str]] = {}
    places: dict[str, Position] = {}
    for draft in context.sound("content"):
        for stage in draft.element.stage:
            cells.setdefault(stage, set()).update(draft.element.variants)
            places.setdefault(stage, draft.element.place("stage"))
    channels = set().union(*cells.values()) if cells else set()
    for stage, covered in cells.items():
        missing = sorted(channels - covered - _staged_for_all(context))
        if missing:
            message = f"stage `{stage}` has no content for {listed(missing)}"
            hint = "write one, or a content without `stage`: that suits all"
            yield diagnostic("W-GAP", message, places[stage], hint=hint)


def _staged_for_all(context: Context) -> set[str]:
    """Channels that a content without a stage covers."""
    return {
        channel for draft in context.sound("content") if not draft.element.stage for channel in draft.element.variants
    }
