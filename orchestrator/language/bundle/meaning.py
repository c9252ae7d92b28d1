"""What of a scenario must not change without a new version."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from orchestrator.language.spec.types import plain_data

if TYPE_CHECKING:
    from orchestrator.language.source.nodes import Mapping

_TEXT: Final = frozenset({"description", "labels", "entries", "in_flight", "moved"})
"""Fields that may change freely: text for people, and what is said of releases themselves."""


def meaning_of(root: Mapping) -> str:
    """A hash of a scenario's document but for its text; comments, order of keys and layout do not count."""
    meaning = {name: value for name, value in plain_data(root).items() if name not in _TEXT}
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()
