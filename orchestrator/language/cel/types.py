"""The static types of expressions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


def _no_fields() -> Mapping[str, "Type"]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Type:
    """A type: a kind with its parameters, or a record with named fields.

    Attributes:
        kind: `int uint double string bytes bool null timestamp duration type dyn`, `list` (one
            parameter), `map` (key, value), `nullable` (one), `record`, or `var` inside signatures.
        parameters: The element types.
        name: Of a record or a variable of a signature.
        fields: Of a record: field name to type.
        open: Of a record: an undeclared field is `dyn` instead of an error.
    """

    kind: str
    parameters: tuple["Type", ...] = ()
    name: str = ""
    fields: Mapping[str, "Type"] = field(default_factory=_no_fields, hash=False, repr=False)
    open: bool = False

    @property
    def nullable(self) -> bool:
        return self.kind == "nullable"

    @property
    def plain(self) -> "Type":
        """The type without `nullable`."""
        return self.parameters[0] if self.kind == "nullable" else self

    def __str__(self) -> str:
        if self.kind == "nullable":
            return f"{self.parameters[0]} or null"
        if self.kind in ("record", "var"):
            return self.name
        if self.parameters:
            return f"{self.kind}({', '.join(map(str, self.parameters))})"
        return self.kind


INT = Type("int")
UINT = Type("uint")
DOUBLE = Type("double")
STRING = Type("string")
BYTES = Type("bytes")
BOOL = Type("bool")
NULL = Type("null")
TIMESTAMP = Type("timestamp")
DURATION = Type("duration")
TYPE = Type("type")
DYN = Type("dyn")

NUMERIC = frozenset({"int", "uint", "double"})


def list_of(element: Type) -> Type:
    return Type("list", (element,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", (key, value))


def nullable(inner: Type) -> Type:
    """A record field of this type may be absent: reading it gives null, `has()` is false."""
    return inner if inner.kind in ("nullable", "dyn", "null") else Type("nullable", (inner,))


def record(name: str, fields: Mapping[str, Type], open: bool = False) -> Type:  # noqa: A002 - the word of the language
    """A map with known string keys.

    Args:
        name: What error messages call it, such as `event`.
        fields: Field name to type; `nullable(T)` where a value may lack it.
        open: Whether other fields may be there too; these are `dyn`.
    """
    return Type("record", (), name, MappingProxyType(dict(fields)), open)


def variable(name: str) -> Type:
    """A type parameter of a signature."""
    return Type("var", (), name)


def same_or_dyn(types: list[Type]) -> Type:
    """The type of a list of values with these types: the common one, else `dyn`."""
    plain = {one.plain for one in types if one.kind != "null"}
    if len(plain) != 1:
        return NULL if not plain and types else DYN
    (common,) = plain
    return nullable(common) if any(one.kind in ("null", "nullable") for one in types) else common


Bindings = dict[str, Type]


def accepts(wanted: Type, given: Type, bindings: Bindings) -> bool:
    """Whether a value of type `given` may stand where `wanted` is asked for.

    `dyn` fits everywhere (checked when evaluated), nullable fits like its inner type (null is an
    error when evaluated), an int fits a double. Type parameters of `wanted` are bound in `bindings`.
    """
    wanted, given = wanted.plain, given.plain
    if wanted.kind == "var":
        return _bind(wanted, given, bindings)
    if "dyn" in (wanted.kind, given.kind) or (wanted.kind, given.kind) == ("double", "int"):
        return True
    if wanted.kind == "map" and given.kind == "record":
        given = map_of(STRING, DYN)
    if wanted.kind == "record" and given.kind == "map":
        return accepts(given.parameters[0], STRING, bindings)
    if wanted.kind != given.kind:
        return False
    if wanted.kind == "record":
        return wanted.name == given.name
    return all(accepts(w, g, bindings) for w, g in zip(wanted.parameters, given.parameters, strict=False))


def _bind(wanted: Type, given: Type, bindings: Bindings) -> bool:
    bound = bindings.get(wanted.name)
    if bound is None or bound.kind in ("dyn", "null"):
        bindings[wanted.name] = given
        return True
    if given.kind == "null" or accepts(bound, given, {}):
        return True
    if bound.kind in NUMERIC and given.kind in NUMERIC:  # numbers compare across their types
        bindings[wanted.name] = DYN
        return True
    return False


def resolve(wanted: Type, bindings: Bindings) -> Type:
    """`wanted` with its type parameters replaced by what they are bound to, `dyn` where unbound."""
    if wanted.kind == "var":
        return bindings.get(wanted.name, DYN)
    if not wanted.parameters:
        return wanted
    return Type(wanted.kind, tuple(resolve(one, bindings) for one in wanted.parameters))


def type_of_value(value: Any) -> Type:
    """The type of a literal: scalar Python values only, else `dyn`."""
    return _OF_PYTHON.get(type(value), DYN)


_OF_PYTHON: dict[type, Type] = {
    bool: BOOL, int: INT, float: DOUBLE, str: STRING, bytes: BYTES, type(None): NULL,
}  # fmt: skip
