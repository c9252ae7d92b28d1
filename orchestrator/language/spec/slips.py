"""What somebody meant who wrote a value in another way than it is written here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.source.nodes import Scalar
from orchestrator.language.spec.fields import fields_of
from orchestrator.language.spec.reader import Reader

if TYPE_CHECKING:
    from orchestrator.language.source.nodes import Node
    from orchestrator.language.spec.fields import Element

_PART: Final = re.compile(r"\s*(\d+)\s*([a-z]*)\s*(?:,|and\b)?", re.IGNORECASE)
_UNITS: Final = "wdhms"
_LETTERS: Final = {
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), "ms"),
}


def as_duration(text: str) -> str | None:
    """`2 days` as `2d`, `1h30` as `1h30m`; None where nothing of the kind was meant."""
    found, position, unit = "", 0, ""
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            return None
        # What has no unit is of the next smaller one, as people say it: an hour thirty.
        smaller = _UNITS[_UNITS.index(unit) + 1 :][:1] if unit in _UNITS and unit else ""
        unit = _LETTERS.get(part[2].lower(), "") if part[2] else smaller
        if not unit:
            return None
        found, position = f"{found}{part[1]}{unit}", part.end()
    return found or None


def in_full(cls: type[Element], node: Node) -> str | None:
    """`order_placed` as `{on: order_placed}`: the map with the one field that the value can stand for."""
    if not isinstance(node, Scalar) or not node.text:
        return None
    specs = fields_of(cls)
    needed = {spec.name for spec in specs if spec.required}
    for spec in specs:
        if needed <= {spec.name}:
            trial = Reader()
            spec.type.read(node, trial)
            if not trial.diagnostics:
                return f"{{{spec.name}: {node.text}}}"
    return None
