"""What somebody meant who wrote a value in another way than it is written here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.source.nodes import Mapping, Scalar
from orchestrator.language.source.position import NOWHERE
from orchestrator.language.spec.fields import fields_of
from orchestrator.language.spec.reader import Reader

if TYPE_CHECKING:
    from orchestrator.language.source.nodes import Node
    from orchestrator.language.spec.fields import Element

_EMPTY: Final = Mapping(NOWHERE)
_PART: Final = re.compile(r"\s*(\d+)\s*([a-z]*)\s*(?:,|and\b)?", re.IGNORECASE)
_PARTS_OF: Final = re.compile(r"\s*(\d*\.\d+)\s*([a-z]+)\s*", re.IGNORECASE)
_SMALLER: Final = {"w": ("d", 7), "d": ("h", 24), "h": ("m", 60), "m": ("s", 60), "s": ("ms", 1000)}
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
    whole = _PARTS_OF.fullmatch(text)
    if whole is not None:
        return _in_smaller_units(float(whole[1]), _LETTERS.get(whole[2].lower(), ""))
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


def _in_smaller_units(amount: float, unit: str) -> str | None:
    """`1.5` of an hour as `1h30m`; None where that does not come out even."""
    if unit not in _SMALLER:
        return None
    smaller, times = _SMALLER[unit]
    rest = round((amount - int(amount)) * times, 6)
    if rest != int(rest):
        return None
    return f"{int(amount)}{unit}{int(rest)}{smaller}" if amount >= 1 else f"{int(rest)}{smaller}"


def in_full(cls: type[Element], node: Node) -> str | None:
    """`order_placed` as `{on: order_placed}`: the map with the one field that the value can stand for."""
    if not isinstance(node, Scalar) or not node.text:
        return None
    specs = fields_of(cls)
    needed = {spec.name for spec in specs if spec.required}
    for spec in specs:
        if needed <= {spec.name} and not any(rule.broken(frozenset({spec.name}), _EMPTY) for rule in cls.constraints):
            trial = Reader()
            spec.type.read(node, trial)
            if not trial.diagnostics:
                return f"{{{spec.name}: {node.text}}}"
    if len(needed) == 1 and any(spec.name == "on" for spec in specs):  # `exit: bought`: the event, and what it needs
        return f"{{on: {node.text}, {next(iter(needed))}: ...}}"
    return None
