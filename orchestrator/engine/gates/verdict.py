"""What a gate answers when it does not let a message through."""

from typing import Any, NamedTuple


class Verdict(NamedTuple):
    """Suppressed, or held until a moment (ms; 0: until what holds it is over). `detail` says with which numbers."""

    reason: str
    held: bool = False
    until: int = 0
    detail: dict[str, Any] | None = None


def hold(reason: str, until: int, detail: dict[str, Any] | None = None) -> Verdict:
    """Held: a candidate again, from the top, at `until` or when the pause lifts."""
    return Verdict(reason, True, until, detail)
