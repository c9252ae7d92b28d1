"""`int uint double string bytes bool timestamp duration type dyn`: from one type to another, or an error."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, Final

from orchestrator.language.cel.errors import CelError
from orchestrator.language.cel.limits import INT_MAX, INT_MIN, MAX_TEXT, UINT_MAX
from orchestrator.language.cel.runtime.arithmetic import instant, integer, unsigned
from orchestrator.language.cel.runtime.failures import no_overload, not_a_bool, too_large
from orchestrator.language.cel.runtime.times import format_duration, format_timestamp, parse_duration, parse_timestamp
from orchestrator.language.cel.values import NS_PER_SECOND, Duration, Timestamp, TypeValue, UInt, type_name

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,20}")
_DOUBLE: Final = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE
)
_BOOLS: Final = {
    "true": True, "True": True, "TRUE": True, "t": True, "1": True,
    "false": False, "False": False, "FALSE": False, "f": False, "0": False,
}  # fmt: skip


def to_int(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is UInt:
        return integer(int(value))
    if type(value) is float:
        if not INT_MIN < value < INT_MAX:
            raise CelError("the double does not fit a signed 64-bit integer")
        return int(value)
    if type(value) is str:
        return integer(_digits(value, "int"))
    if type(value) is Timestamp:
        return value.ns // NS_PER_SECOND
    raise no_overload("int", value)


def _digits(text: str, wanted: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise CelError(f"this string is not {'an unsigned' if wanted == 'uint' else 'an'} integer")
    return int(text)


def to_uint(value: Any) -> UInt:
    if type(value) is UInt:
        return value
    if type(value) is int:
        return unsigned(value)
    if type(value) is float:
        if not 0 <= value < UINT_MAX:
            raise CelError("the double does not fit an unsigned 64-bit integer")
        return UInt(int(value))
    if type(value) is str:
        return unsigned(_digits(value, "uint"))
    raise no_overload("uint", value)


def to_double(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is int or type(value) is UInt:
        return float(value)
    if type(value) is str:
        if len(value) > 400 or _DOUBLE.fullmatch(value) is None:
            raise CelError("this string is not a number")
        return float(value)
    raise no_overload("double", value)


def to_string(value: Any) -> str:  # noqa: PLR0911 - one line a type
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int or type(value) is UInt:
        return str(int(value))
    if type(value) is float:
        return format_double(value)
    if type(value) is bytes:
        return _decoded(value)
    if type(value) is Timestamp:
        return format_timestamp(value)
    if type(value) is Duration:
        return format_duration(value)
    raise no_overload("string", value)


def format_double(value: float) -> str:
    """The shortest digits that read back as the same double; an exponent only below 1e-4 and from 1e21.

    CEL leaves the format open; a message shall read 1500000, not 1.5e+06.
    """
    if not math.isfinite(value):
        return str(value)
    text = repr(value)
    if "e" in text and 1e-4 <= abs(value) < 1e21:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def _decoded(value: bytes) -> str:
    if len(value) > MAX_TEXT:
        raise too_large("this text", MAX_TEXT)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise CelError("these bytes are not UTF-8 text") from None


def to_bytes(value: Any) -> bytes:
    if type(value) is bytes:
        return value
    if type(value) is not str:
        raise no_overload("bytes", value)
    if len(value) > MAX_TEXT:
        raise too_large("these bytes", MAX_TEXT)
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise CelError("a text with half a surrogate pair has no bytes") from None


def to_bool(value: Any) -> bool:
    if type(value) is bool:
        return value
    if type(value) is not str:
        raise no_overload("bool", value)
    if value not in _BOOLS:
        raise CelError("this string is neither true nor false")
    return _BOOLS[value]


def to_timestamp(value: Any) -> Timestamp:
    if type(value) is Timestamp:
        return value
    if type(value) is str:
        return parse_timestamp(value)
    if type(value) is int:
        return instant(value * NS_PER_SECOND)
    raise no_overload("timestamp", value)


def to_duration(value: Any) -> Duration:
    if type(value) is Duration:
        return value
    if type(value) is str:
        return parse_duration(value)
    raise no_overload("duration", value)


def type_of(value: Any) -> TypeValue:
    return TypeValue(type_name(value))


def to_dyn(value: Any) -> Any:
    return value


_EXPECTED: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,), "int": (int,), "uint": (UInt,), "double": (float, int), "bytes": (bytes,),
    "timestamp": (Timestamp,), "duration": (Duration,), "list": (list, tuple), "map": (dict,), "record": (dict,),
}  # fmt: skip


_PLAINEST: Final[dict[str, type]] = {
    "string": str, "int": int, "bool": bool, "bytes": bytes, "timestamp": Timestamp, "duration": Duration,
    "list": list, "map": dict, "record": dict,
}  # fmt: skip


def expected(value: Any, kind: str) -> Any:
    """The value of a whole expression, if it is of the kind that its place asks for.

    Raises:
        CelError: It is of another kind; what the static types left open is decided here.
    """
    if type(value) is _PLAINEST.get(kind):  # the common case; `double` is not in it: an int becomes one
        return value
    if kind == "bool":
        if type(value) is not bool:
            raise not_a_bool(value)
        return value
    wanted = _EXPECTED.get(kind)
    if wanted is None or (
        isinstance(value, wanted) and type(value) is not bool and (UInt in wanted or type(value) is not UInt)
    ):
        return float(value) if kind == "double" else value
    raise CelError(f"a value of type {kind} is needed, this is {type_name(value)}")
