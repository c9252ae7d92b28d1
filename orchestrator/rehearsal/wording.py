"""Times, values and expectations as people read them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.local_time import zone

if TYPE_CHECKING:
    from orchestrator.language.spec.story import Expectation

SHOWN: Final = 4
"""So many of what came instead are told."""
_PARTS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms"))


def length(ms: int) -> str:
    """A duration as scenarios write it: `1h30m`, `2d`, `-7d`, `0s`."""
    if ms == 0:
        return "0s"
    left, words = abs(ms), ""
    for size, unit in _PARTS:
        count, left = divmod(left, size)
        if count:
            words += f"{count}{unit}"
    return f"-{words}" if ms < 0 else words


def clock(at: int, where: str) -> str:
    """A moment on the clock of a zone: `Mon 2026-03-02 09:15:00`."""
    return datetime.fromtimestamp(at / 1000, zone(where)).strftime("%a %Y-%m-%d %H:%M:%S")


def told(expected: Expectation) -> str:
    """An expectation in words."""
    subject = getattr(expected, expected.kind)
    words = {"profile": "", "context": "", "silence": ""}.get(expected.kind, f" {subject}")
    who = f"{expected.customer}: " if expected.customer is not None else ""
    skipped = {"at", "before", "after", "customer", expected.kind}
    more = {name: getattr(expected, _attribute(name)) for name in expected.places if name not in skipped}
    if expected.due is not None:
        more["due"] = length(expected.due)
    if expected.kind in {"profile", "context"}:
        more = {**subject, **more}
    said = ", ".join(f"{name}: {short(value)}" for name, value in more.items())
    return f"{who}{expected.kind}{words}" + (f" ({said})" if said else "")


def _attribute(name: str) -> str:
    return {"with": "with_"}.get(name, name)


def short(value: Any) -> str:
    """A value in few characters."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
