"""Which types the operators take, and what they give."""

from __future__ import annotations

from typing import Final

from orchestrator.language.cel.types import (
    BOOL,
    DOUBLE,
    DURATION,
    DYN,
    NUMERIC,
    STRING,
    TIMESTAMP,
    Type,
    accepts,
    list_of,
    same_or_dyn,
)

ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%"})
ORDER: Final = frozenset({"<", "<=", ">", ">="})
_ORDERED: Final = frozenset({"string", "bytes", "bool", "timestamp", "duration"})
_WITH_TIME: Final[dict[tuple[str, str, str], Type]] = {
    ("+", "timestamp", "duration"): TIMESTAMP,
    ("+", "duration", "timestamp"): TIMESTAMP,
    ("+", "duration", "duration"): DURATION,
    ("-", "timestamp", "timestamp"): DURATION,
    ("-", "timestamp", "duration"): TIMESTAMP,
    ("-", "duration", "duration"): DURATION,
}


def binary(operator: str, left: Type, right: Type) -> Type | None:
    """The type of `left operator right`, None when the operator does not take them."""
    left, right = left.plain, right.plain
    if operator in ARITHMETIC:
        return _arithmetic(operator, left, right)
    if operator in ORDER:
        return BOOL if _ordered(left, right) else None
    if operator == "in":
        return BOOL if _contained(left, right) else None
    return BOOL if comparable(left, right) else None


def _arithmetic(operator: str, left: Type, right: Type) -> Type | None:
    kinds = (left.kind, right.kind)
    if "dyn" in kinds:
        other = right if left.kind == "dyn" else left
        if operator == "+":
            return other if other.kind in ("string", "bytes") else None if other.kind in _NEVER_ADDED else DYN
        return DYN if other.kind in NUMERIC or (other.kind in _TIMES and operator == "-") or other is DYN else None
    if left.kind in NUMERIC and right.kind in NUMERIC:
        return _numbers(operator, left, right)
    if operator == "+" and left.kind == right.kind:
        if left.kind in ("string", "bytes"):
            return left
        if left.kind == "list":
            return list_of(same_or_dyn([left.parameters[0], right.parameters[0]]))
    return _WITH_TIME.get((operator, *kinds))


_TIMES: Final = frozenset({"timestamp", "duration"})
_NEVER_ADDED: Final = frozenset({"bool", "null", "map", "record", "type"})


def _numbers(operator: str, left: Type, right: Type) -> Type | None:
    if operator == "%" and "double" in (left.kind, right.kind):
        return None
    if left.kind == right.kind:
        return left
    return DOUBLE if "uint" not in (left.kind, right.kind) else None


def _ordered(left: Type, right: Type) -> bool:
    kinds = (left.kind, right.kind)
    if all(kind in NUMERIC or kind == "dyn" for kind in kinds):
        return True
    if "dyn" in kinds:
        return (set(kinds) - {"dyn"}) <= _ORDERED
    return left.kind == right.kind and left.kind in _ORDERED


def comparable(left: Type, right: Type) -> bool:
    """Whether values of the two types can be equal at all."""
    left, right = left.plain, right.plain
    if "null" in (left.kind, right.kind) or (left.kind in NUMERIC and right.kind in NUMERIC):
        return True
    if left.kind in ("map", "record") and right.kind in ("map", "record") and "record" in (left.kind, right.kind):
        return True
    if left.kind == right.kind == "list":
        return comparable(left.parameters[0], right.parameters[0])
    if left.kind == right.kind == "map":
        return all(comparable(a, b) for a, b in zip(left.parameters, right.parameters, strict=True))
    return accepts(left, right, {}) or accepts(right, left, {})


def _contained(left: Type, right: Type) -> bool:
    if right.kind in ("list", "map"):
        return comparable(left, right.parameters[0])
    if right.kind == "record":
        return comparable(left, STRING)
    return right.kind == "dyn"
