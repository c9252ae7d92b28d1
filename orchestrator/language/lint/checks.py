"""Every check, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.lint.references import references

if TYPE_CHECKING:
    from orchestrator.language.lint.context import Check

CHECKS: Final[tuple[Check, ...]] = (references,)
