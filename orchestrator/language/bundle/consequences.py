"""Problems that only follow from another one: told beside it, they would lead away from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.source.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.language.bundle.draft import Drafts
    from orchestrator.language.source.diagnostic import Diagnostic

_OF_NAMES: Final = frozenset({"E-NAME", "E-CONTENT", "E-EVENT", "E-TOUCHPOINT", "E-CEL"})
_ONLY_OF_WHAT_IS_SOUND: Final = frozenset({"W-UNUSED"})


def without_consequences(found: Iterable[Diagnostic], drafts: Drafts) -> list[Diagnostic]:
    """Leave out names that are declared in what could not be read, and what is unused while something is refused.

    Args:
        found: All problems.
        drafts: The documents, and the text that none could be made of.
    """
    found = list(found)
    refused = any(one.severity is Severity.ERROR for one in found)
    return [
        one
        for one in found
        if not (refused and one.code in _ONLY_OF_WHAT_IS_SOUND)
        and not (one.code in _OF_NAMES and drafts.unread and _is_declared_in(drafts.unread, _underlined(one, drafts)))
    ]


def _underlined(one: Diagnostic, drafts: Drafts) -> str:
    lines = drafts.lines.get(one.position.file, [])
    if not 0 < one.position.line <= len(lines):
        return ""
    begin = one.position.column - 1
    return lines[one.position.line - 1][begin : begin + one.length].strip("\"'")


def _is_declared_in(texts: list[str], name: str) -> bool:
    """Whether a line of these begins with the name, or with a word and the name: `NAME: ...`, `content: NAME`."""
    if not name:
        return False
    line = re.compile(rf"^\s*(?:{re.escape(name)}:|[a-z_]+: +[\"']?{re.escape(name)}[\"']?\s*(?:#.*)?$)", re.MULTILINE)
    return any(line.search(text) for text in texts)
