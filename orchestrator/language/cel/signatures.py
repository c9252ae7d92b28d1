"""The functions every expression has: those of CEL, of its strings and math extensions, and `fold`."""

from __future__ import annotations

from typing import Final, NamedTuple

from orchestrator.language.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
    list_of,
    map_of,
    variable,
)


class Signature(NamedTuple):
    """One way to call a standard function.

    Attributes:
        parameters: Argument types; for a method the first is what stands before the dot.
        result: The type of its value.
        runtime: The function of the runtime, exact for arguments of any type.
        inline: Python for arguments whose static types are the parameters', `{0}` is the first; it
            raises for null. None: always the function.
        method: Called as `a.f(b)`.
        plain: Called as `f(a, b)`.
    """

    parameters: tuple[Type, ...]
    result: Type
    runtime: str
    inline: str | None = None
    method: bool = False
    plain: bool = True


_A, _B = variable("A"), variable("B")
_LIST, _MAP = list_of(_A), map_of(_A, _B)
_NUMBERS: Final = (INT, UINT, DOUBLE)


def _method(runtime: str, *parameters: Type, result: Type, inline: str | None = None) -> Signature:
    return Signature(parameters, result, runtime, inline, method=True, plain=False)


def _plain(runtime: str, *parameters: Type, result: Type) -> Signature:
    return Signature(parameters, result, runtime)


def _conversion(result: Type, runtime: str, *sources: Type) -> list[Signature]:
    return [_plain(runtime, source, result=result) for source in sources]


def _accessor(name: str, of_duration: bool = False) -> list[Signature]:
    found = [_method(name, TIMESTAMP, result=INT), _method(name, TIMESTAMP, STRING, result=INT)]
    return [*found, _method(name, DURATION, result=INT)] if of_duration else found


def _text(runtime: str, *more: Type, result: Type = STRING, inline: str | None = None) -> Signature:
    return _method(runtime, STRING, *more, result=result, inline=inline)


_CORE: Final[dict[str, list[Signature]]] = {
    "size": [Signature((one,), INT, "size", "len({0})", method=True) for one in (STRING, BYTES, _LIST, _MAP)],
    "contains": [_text("contains", STRING, result=BOOL, inline="({1} in {0})")],
    "startsWith": [_text("starts_with", STRING, result=BOOL, inline="{0}.startswith({1})")],
    "endsWith": [_text("ends_with", STRING, result=BOOL, inline="{0}.endswith({1})")],
    "matches": [Signature((STRING, STRING), BOOL, "matches", None, method=True)],
    "int": _conversion(INT, "to_int", INT, UINT, DOUBLE, STRING, TIMESTAMP),
    "uint": _conversion(UINT, "to_uint", INT, UINT, DOUBLE, STRING),
    "double": _conversion(DOUBLE, "to_double", INT, UINT, DOUBLE, STRING),
    "string": _conversion(STRING, "to_string", STRING, INT, UINT, DOUBLE, BOOL, BYTES, TIMESTAMP, DURATION),
    "bytes": _conversion(BYTES, "to_bytes", BYTES, STRING),
    "bool": _conversion(BOOL, "to_bool", BOOL, STRING),
    "timestamp": _conversion(TIMESTAMP, "to_timestamp", TIMESTAMP, STRING, INT),
    "duration": _conversion(DURATION, "to_duration", DURATION, STRING),
    "type": [_plain("type_of", _A, result=TYPE)],
    "dyn": [_plain("to_dyn", _A, result=DYN)],
}

_TIME: Final[dict[str, list[Signature]]] = {
    "getFullYear": _accessor("full_year"),
    "getMonth": _accessor("month"),
    "getDate": _accessor("date"),
    "getDayOfMonth": _accessor("day_of_month"),
    "getDayOfWeek": _accessor("day_of_week"),
    "getDayOfYear": _accessor("day_of_year"),
    "getHours": _accessor("hours", of_duration=True),
    "getMinutes": _accessor("minutes", of_duration=True),
    "getSeconds": _accessor("seconds", of_duration=True),
    "getMilliseconds": _accessor("milliseconds", of_duration=True),
}

_STRINGS: Final[dict[str, list[Signature]]] = {
    "charAt": [_text("char_at", INT)],
    "indexOf": [_text("index_of", STRING, result=INT), _text("index_of", STRING, INT, result=INT)],
    "lastIndexOf": [_text("last_index_of", STRING, result=INT), _text("last_index_of", STRING, INT, result=INT)],
    "join": [_method("join", list_of(STRING), result=STRING), _method("join", list_of(STRING), STRING, result=STRING)],
    "lowerAscii": [_text("lower_ascii")],
    "upperAscii": [_text("upper_ascii")],
    "replace": [_text("replace", STRING, STRING), _text("replace", STRING, STRING, INT)],
    "reverse": [_text("reverse")],
    "split": [_text("split", STRING, result=list_of(STRING)), _text("split", STRING, INT, result=list_of(STRING))],
    "substring": [_text("substring", INT), _text("substring", INT, INT)],
    "trim": [_text("trim")],
    "fold": [_plain("fold", STRING, result=STRING)],
}

_MATH: Final[dict[str, list[Signature]]] = {
    "math.ceil": [_plain("ceil", DOUBLE, result=DOUBLE)],
    "math.floor": [_plain("floor", DOUBLE, result=DOUBLE)],
    "math.round": [_plain("round_half_away", DOUBLE, result=DOUBLE)],
    "math.sqrt": [_plain("square_root", DOUBLE, result=DOUBLE)],
    "math.trunc": [_plain("trunc", DOUBLE, result=DOUBLE)],
    "math.abs": [_plain("absolute", one, result=one) for one in _NUMBERS],
    "math.sign": [_plain("sign", one, result=one) for one in _NUMBERS],
    "math.isNaN": [_plain("is_nan", DOUBLE, result=BOOL)],
    "math.isInf": [_plain("is_inf", DOUBLE, result=BOOL)],
    "math.isFinite": [_plain("is_finite", DOUBLE, result=BOOL)],
    "math.greatest": [_plain("greatest", _A, result=DYN)],
    "math.least": [_plain("least", _A, result=DYN)],
}

STANDARD: Final[dict[str, list[Signature]]] = {**_CORE, **_TIME, **_STRINGS, **_MATH}
VARIADIC: Final = frozenset({"math.greatest", "math.least"})  # at least one argument of their one parameter

TYPE_IDENTIFIERS: Final[dict[str, str]] = {
    "int": "int", "uint": "uint", "double": "double", "bool": "bool", "string": "string", "bytes": "bytes",
    "list": "list", "map": "map", "null_type": "null_type", "type": "type",
    "google.protobuf.Timestamp": "google.protobuf.Timestamp",
    "google.protobuf.Duration": "google.protobuf.Duration",
}  # fmt: skip
