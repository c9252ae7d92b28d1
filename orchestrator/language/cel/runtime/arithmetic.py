"""`+ - * / %` and the minus sign: exact for values of any type, 64-bit numbers, no silent overflow.

Beyond CEL, an int and a double mix: the int counts as a double (JSON writes 72 and 72.5).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from orchestrator.language.cel.errors import CelError
from orchestrator.language.cel.limits import INT_MAX, INT_MIN, MAX_ITEMS, MAX_TEXT, UINT_MAX
from orchestrator.language.cel.runtime.failures import no_overload, too_large
from orchestrator.language.cel.values import DURATION_MAX, TIMESTAMP_MAX, TIMESTAMP_MIN, Duration, Timestamp, UInt


def integer(value: int) -> int:
    """The value, if it fits a signed 64-bit integer."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError("the result does not fit a signed 64-bit integer")


def unsigned(value: int) -> UInt:
    """The value as an unsigned integer, if it fits."""
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise CelError("the result does not fit an unsigned 64-bit integer")


def instant(ns: int) -> Timestamp:
    """The timestamp, if it lies in the years 1 to 9999."""
    if TIMESTAMP_MIN <= ns <= TIMESTAMP_MAX:
        return Timestamp(ns)
    raise CelError("a timestamp lies in the years 1 to 9999")


def length(ns: int) -> Duration:
    """The duration, if it is not longer than 10,000 years."""
    if -DURATION_MAX <= ns <= DURATION_MAX:
        return Duration(ns)
    raise CelError("a duration is at most 10,000 years")


def elapsed(later: Timestamp, earlier: Timestamp) -> Duration:
    """The time between two timestamps, if its nanoseconds fit 64 bits: about 292 years."""
    return Duration(integer(later.ns - earlier.ns))


def add_int(a: int, b: int) -> int:
    return integer(a + b)


def subtract_int(a: int, b: int) -> int:
    return integer(a - b)


def multiply_int(a: int, b: int) -> int:
    return integer(a * b)


def quotient(a: int, b: int) -> int:
    """A / b, rounded towards zero."""
    if b == 0:
        raise CelError("division by zero")
    found = abs(a) // abs(b)
    return found if (a < 0) == (b < 0) else -found


def remainder(a: int, b: int) -> int:
    """A % b, with the sign of a."""
    if b == 0:
        raise CelError("modulus by zero")
    integer(quotient(a, b))  # the smallest int has no quotient by -1
    found = abs(a) % abs(b)
    return -found if a < 0 else found


def divide_int(a: int, b: int) -> int:
    return integer(quotient(a, b))


def divide_double(a: float, b: float) -> float:
    """A / b of IEEE 754: by zero it is infinite, or not a number."""
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a) or math.isnan(b):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def concat(a: Any, b: Any) -> Any:
    """Two strings, or two byte strings, as one."""
    if len(a) + len(b) > MAX_TEXT:
        raise too_large("this text", MAX_TEXT)
    return a + b


def concat_lists(a: Any, b: Any) -> list[Any]:
    if len(a) + len(b) > MAX_ITEMS:
        raise too_large("this list", MAX_ITEMS)
    return [*a, *b]


def as_double(value: Any) -> Any:
    """A number that is declared a double: JSON writes 72.0 as 72. Other values stay what they are."""
    return float(value) if type(value) is int else value


_Ways = dict[tuple[type, type], Callable[[Any, Any], Any]]


def _numeric(on_ints: Callable[[Any, Any], Any], on_doubles: Callable[[float, float], float]) -> _Ways:
    def mixed(a: float, b: float) -> float:
        return on_doubles(float(a), float(b))

    return {(int, int): on_ints, (float, float): on_doubles, (int, float): mixed, (float, int): mixed}


_ADD: Final[_Ways] = {
    **_numeric(add_int, lambda a, b: a + b),
    (UInt, UInt): lambda a, b: unsigned(int(a) + int(b)),
    (str, str): concat,
    (bytes, bytes): concat,
    (Timestamp, Duration): lambda a, b: instant(a.ns + b.ns),
    (Duration, Timestamp): lambda a, b: instant(a.ns + b.ns),
    (Duration, Duration): lambda a, b: length(a.ns + b.ns),
} | {(one, other): concat_lists for one in (list, tuple) for other in (list, tuple)}
_SUBTRACT: Final[_Ways] = {
    **_numeric(subtract_int, lambda a, b: a - b),
    (UInt, UInt): lambda a, b: unsigned(int(a) - int(b)),
    (Timestamp, Timestamp): elapsed,
    (Timestamp, Duration): lambda a, b: instant(a.ns - b.ns),
    (Duration, Duration): lambda a, b: length(a.ns - b.ns),
}
_MULTIPLY: Final[_Ways] = {
    **_numeric(multiply_int, lambda a, b: a * b),
    (UInt, UInt): lambda a, b: unsigned(int(a) * int(b)),
}
_DIVIDE: Final[_Ways] = {
    **_numeric(divide_int, divide_double),
    (UInt, UInt): lambda a, b: UInt(quotient(int(a), int(b))),
}
_MODULO: Final[_Ways] = {
    (int, int): remainder,
    (UInt, UInt): lambda a, b: UInt(remainder(int(a), int(b))),
}


def _operator(symbol: str, ways: _Ways) -> Callable[[Any, Any], Any]:
    def apply(a: Any, b: Any) -> Any:
        way = ways.get((type(a), type(b)))
        if way is None:
            raise no_overload(symbol, a, b)
        return way(a, b)

    return apply


add = _operator("+", _ADD)
subtract = _operator("-", _SUBTRACT)
multiply = _operator("*", _MULTIPLY)
divide = _operator("/", _DIVIDE)
modulo = _operator("%", _MODULO)


def negate(value: Any) -> Any:
    """The minus sign before a value."""
    if type(value) is int:
        return integer(-value)
    if type(value) is float:
        return -value
    raise no_overload("-", value)
