"""What is wrong with a test itself, so that it cannot be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.language.source.position import Position


class Problem(Exception):  # noqa: N818 - it is the problem; `code` and text follow the diagnostics
    """A test asks for what cannot be: it fails at this place of its file."""

    def __init__(self, at: Position, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.message = message
