"""`== != < <= > >= in`, exact for values of any type.

Numbers compare by value across int, uint and double; a bool is no number; values of different
kinds are never equal, and have no order.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from orchestrator.language.cel.runtime.failures import no_overload
from orchestrator.language.cel.values import Duration, Timestamp, TypeValue, UInt

MAPS: Final = (dict, Mapping)  # the first is what nearly all are, and quick to tell
SCALARS: Final = frozenset({str, bool, int, UInt, float, bytes, type(None), Timestamp, Duration, TypeValue})
_NUMBERS: Final = frozenset({int, UInt, float})
_ORDER: Final[dict[type, str]] = {
    int: "number", UInt: "number", float: "number", str: "string", bytes: "bytes", bool: "bool",
    Timestamp: "timestamp", Duration: "duration",
}  # fmt: skip


def equal(a: Any, b: Any) -> bool:
    """CEL's `==`: never an error."""
    one, other = type(a), type(b)
    if one is other and one in SCALARS:
        return bool(a == b)
    if one in _NUMBERS and other in _NUMBERS:
        return bool(a == b)
    if one in SCALARS or other in SCALARS:
        return False
    if isinstance(a, MAPS):
        return isinstance(b, MAPS) and _equal_maps(a, b)
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(equal, a, b))
    return False


def _equal_maps(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> bool:
    return len(a) == len(b) and all(has_key(b, key) and equal(value, b[key]) for key, value in a.items())


def unequal(a: Any, b: Any) -> bool:
    return not equal(a, b)


def has_key(holder: Mapping[Any, Any], key: Any) -> bool:
    """Whether a map has this key: 1, 1u and 1.0 are one key, true is another (in Python they are the same)."""
    if key not in holder:
        return False
    if key in (0, 1):
        stored = next((one for one in holder if one == key), key)
        return (type(stored) is bool) == (type(key) is bool)
    return True


def is_key(value: Any) -> bool:
    """Whether a value of this type can be looked for among the keys of a map."""
    return type(value) in _KEYS


_KEYS: Final = frozenset({str, int, UInt, bool, float})


def contained(value: Any, holder: Any) -> bool:
    """`value in holder`: among the elements of a list or the keys of a map."""
    if isinstance(holder, (list, tuple)):
        return any(equal(value, one) for one in holder)
    if isinstance(holder, MAPS) and is_key(value):
        return has_key(holder, value)
    raise no_overload("in", value, holder)


def _ordering(symbol: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def apply(a: Any, b: Any) -> bool:
        kind = _ORDER.get(type(a))
        if kind is None or kind != _ORDER.get(type(b)):
            raise no_overload(symbol, a, b)
        return compare(a, b)

    return apply


less = _ordering("<", operator.lt)
less_or_equal = _ordering("<=", operator.le)
greater = _ordering(">", operator.gt)
greater_or_equal = _ordering(">=", operator.ge)
