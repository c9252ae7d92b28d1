"""The functions `math.*`, a part of CEL's math extension."""

import math
from collections.abc import Callable
from typing import Any

from orchestrator.language.cel.errors import CelError
from orchestrator.language.cel.runtime.arithmetic import integer
from orchestrator.language.cel.runtime.comparison import greater, less
from orchestrator.language.cel.runtime.failures import no_overload
from orchestrator.language.cel.values import UInt


def _rounding(name: str, apply: Callable[[float], float]) -> Callable[[Any], float]:
    def rounded(value: Any) -> float:
        if type(value) is not float and type(value) is not int:
            raise no_overload(name, value)
        return math.copysign(float(apply(float(value))), value) if math.isfinite(value) else float(value)

    return rounded


def _half_away(value: float) -> float:
    whole = math.trunc(value)
    return whole + math.copysign(1, value) if abs(value - whole) >= 0.5 else whole


ceil = _rounding("math.ceil", math.ceil)
floor = _rounding("math.floor", math.floor)
trunc = _rounding("math.trunc", math.trunc)
round_half_away = _rounding("math.round", _half_away)


def square_root(value: Any) -> float:
    """Not a number for a negative one."""
    if type(value) is not float and type(value) is not int:
        raise no_overload("math.sqrt", value)
    return math.sqrt(value) if value >= 0 else math.nan


def absolute(value: Any) -> Any:
    if type(value) is int:
        return integer(abs(value))
    if type(value) is float or type(value) is UInt:
        return abs(value) if type(value) is float else value
    raise no_overload("math.abs", value)


def sign(value: Any) -> Any:
    if type(value) not in (int, float, UInt):
        raise no_overload("math.sign", value)
    if value != value or value == 0:  # noqa: PLR0124 - not a number stays so
        return value
    return type(value)(1 if value > 0 else -1)


def _test(name: str, apply: Callable[[float], bool]) -> Callable[[Any], bool]:
    def tested(value: Any) -> bool:
        if type(value) is not float and type(value) is not int:
            raise no_overload(name, value)
        return apply(value)

    return tested


is_nan = _test("math.isNaN", math.isnan)
is_inf = _test("math.isInf", math.isinf)
is_finite = _test("math.isFinite", math.isfinite)


def greatest(*values: Any) -> Any:
    """The largest of the arguments, or of one list of numbers; the first of equals."""
    return _extreme("math.greatest", values, greater)


def least(*values: Any) -> Any:
    """The smallest of the arguments, or of one list of numbers; the first of equals."""
    return _extreme("math.least", values, less)


def _extreme(name: str, values: tuple[Any, ...], better: Callable[[Any, Any], bool]) -> Any:
    numbers = values[0] if len(values) == 1 and isinstance(values[0], (list, tuple)) else values
    if not numbers:
        raise CelError(f"`{name}` of an empty list")
    if not all(type(one) in (int, float, UInt) for one in numbers):
        raise no_overload(name, *numbers[:4])
    best = numbers[0]
    for one in numbers[1:]:
        if better(one, best):
            best = one
    return best
