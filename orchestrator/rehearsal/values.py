"""Values as a test writes them against values as the engine has them: `$NAME` bindings, paths into maps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from math import isclose
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.context import plain
from orchestrator.rehearsal.problem import Problem

if TYPE_CHECKING:
    from orchestrator.language.source.position import Position

_NAME: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
MISSING: Final = object()


class Bindings:
    """What `$NAME` stands for: bound at its first appearance, equal afterwards."""

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self.known = dict(known or {})

    def trial(self) -> Bindings:
        """A copy to try a match with; `known` is taken over when the match holds."""
        return Bindings(self.known)

    def fill(self, value: Any, at: Position) -> Any:
        """A value with what its `$NAME`s stand for.

        Raises:
            Problem: a name was not bound yet.
        """
        if isinstance(value, str):
            return self._filled(value, at)
        if isinstance(value, Mapping):
            return {key: self.fill(one, at) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.fill(one, at) for one in value]
        return value

    def _filled(self, text: str, at: Position) -> Any:
        found = _NAME.fullmatch(text)
        if found is None:
            return text
        if found[1] not in self.known:
            message = f"`{text}` is not bound yet: an expectation that names it must come before this event"
            raise Problem(at, message)
        return self.known[found[1]]

    def matches(self, expected: Any, actual: Any) -> bool:
        """Whether a value is as expected: maps may hold more, numbers are compared as numbers, `$NAME` is bound."""
        if isinstance(expected, str):
            return self._text(expected, actual)
        if isinstance(expected, Mapping):
            return isinstance(actual, Mapping) and all(
                self.matches(value, _entry(actual, key)) for key, value in expected.items()
            )
        if isinstance(expected, list | tuple):
            return (
                isinstance(actual, list | tuple)
                and len(expected) == len(actual)
                and all(self.matches(one, other) for one, other in zip(expected, actual, strict=True))
            )
        return equal(expected, actual)

    def _text(self, expected: str, actual: Any) -> bool:
        name = _NAME.fullmatch(expected)
        if name is None:
            return actual is not MISSING and (expected == actual or _same_moment(expected, actual))
        if name[1] in self.known:
            return equal(self.known[name[1]], actual)
        if actual is MISSING or actual in ("", None):
            return False
        self.known[name[1]] = actual
        return True


def equal(one: Any, other: Any) -> bool:
    """Equal, numbers as numbers: 5 is 5.0, but true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)
    return bool(one == other)


def _entry(found: Mapping[str, Any], key: str) -> Any:
    return found.get(key, MISSING)


def _same_moment(expected: str, actual: Any) -> bool:
    if not isinstance(actual, str) or not _MOMENT.match(expected) or not _MOMENT.match(actual):
        return False
    try:
        return datetime.fromisoformat(expected) == datetime.fromisoformat(actual)
    except (ValueError, TypeError):
        return False


def at_path(root: Any, path: str) -> Any:
    """The plain value at a dotted path, `MISSING` where there is none. Keys may hold dots: the longest that exists."""
    value, left = root, path
    while left:
        if isinstance(value, Mapping):
            key, left = _longest(value, left)
            try:
                value = value[key]
            except KeyError:
                return MISSING
        elif isinstance(value, list | tuple):
            index, _, left = left.partition(".")
            if not index.isdigit() or int(index) >= len(value):
                return MISSING
            value = value[int(index)]
        else:
            return MISSING
    return plain(value)


def _longest(mapping: Mapping[str, Any], path: str) -> tuple[str, str]:
    """The key to follow and the rest of the path. A key that is not there may have a default of its own."""
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        key = ".".join(parts[:count])
        if key in mapping:
            return key, ".".join(parts[count:])
    return (parts[0], ".".join(parts[1:])) if _is_lazy(mapping, parts[0]) else (path, "")


def _is_lazy(mapping: Mapping[str, Any], key: str) -> bool:
    """Whether a first part can be read on its own: a profile's name, else the whole rest is a key with a default."""
    try:
        return isinstance(mapping[key], Mapping | list | tuple)
    except KeyError:
        return False
