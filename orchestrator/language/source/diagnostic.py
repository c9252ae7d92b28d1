from __future__ import annotations

import enum

import msgspec

from orchestrator.language.source.position import Position  # noqa: TC001 - msgspec reads the annotations


class Severity(enum.StrEnum):
    """What a diagnostic means for the bundle: an error refuses it, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found wrong in a bundle. Data only; `rendering` makes text of it.

    Attributes:
        code: Stable code of the check, `E-...` or `W-...`.
        severity: Follows from the code's first letter unless the bundle is strict.
        message: What is wrong, one sentence without a full stop.
        position: Where it is.
        length: How many characters to underline there, at least 1.
        hint: What to write instead, or None.
        other: The second place, where two conflict.
        other_says: What stands at the second place, such as "first declared here".
    """

    code: str
    severity: Severity
    message: str
    position: Position
    length: int = 1
    hint: str | None = None
    other: Position | None = None
    other_says: str = "first given here"


def diagnostic(
    code: str,
    message: str,
    position: Position,
    *,
    length: int = 1,
    hint: str | None = None,
    other: Position | None = None,
    other_says: str = "first given here",
) -> Diagnostic:
    """Make a diagnostic whose severity follows from its code."""
    severity = Severity.ERROR if code.startswith("E-") else Severity.WARNING
    return Diagnostic(
        code=code,
        severity=severity,
        message=message,
        position=position,
        length=max(length, 1),
        hint=hint,
        other=other,
        other_says=other_says,
    )
