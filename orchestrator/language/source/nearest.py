from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The declared name most like this one, or None when none is near."""
    by_folded = {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """The hint `did you mean ...?`, or None."""
    found = nearest(name, names)
    return None if found is None else f"did you mean `{found}`?"
