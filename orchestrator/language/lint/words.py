"""Values in the words of the language, for messages."""

from __future__ import annotations

from typing import Final

_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def duration(ms: int) -> str:
    """A duration as the language writes it: `1h30m`."""
    if ms == 0:
        return "0s"
    parts = []
    rest = abs(ms)
    for unit, length in _UNITS:
        if rest >= length:
            parts.append(f"{rest // length}{unit}")
            rest %= length
    return ("-" if ms < 0 else "") + "".join(parts)


def percent(part: float) -> str:
    """A part as the language writes it: `12.5%`."""
    return f"{round(part * 100, 6):g}%"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Names in backquotes: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}" if quoted else ""
