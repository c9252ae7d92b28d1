"""The declared properties of events: JSON Schema from `topics/*.yaml`, compiled once into plain functions.

The keywords read here are those that a topic file needs: `type`, `enum`, `const`, `properties`, `required`,
`additionalProperties: false`, `items`, `minItems`, `maxItems`, `minLength`, `maxLength`, `minimum`, `maximum`.
Annotations (`title`, `description`, `examples`, `default`, `format`, `deprecated`) change nothing. Any other
keyword is an error when the file is loaded, so that nothing is silently unchecked. A declared property that is
null counts as absent.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from orchestrator.gateway.json_input import field_path

Check = Callable[[Any, str], Iterator[tuple[str, str]]]
"""Called with a value and its path; yields (path, message) per problem."""

_ANNOTATIONS: Final = frozenset({"title", "description", "examples", "example", "default", "format", "deprecated"})
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_WORDS: Final[Mapping[type, str]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


class SchemaError(ValueError):
    """A schema in a topic file that cannot be checked; the message names the keyword and its place."""


def compile_schema(schema: Mapping[str, Any], path: str = "data") -> Check:
    """A function that checks a value against `schema`.

    Args:
        schema: a JSON Schema object with the keywords that this module reads.
        path: where the schema stands, for error messages.

    Raises:
        SchemaError: a keyword or a type that is not read here.
    """
    checks = [_compile_keyword(keyword, schema, path) for keyword in schema if keyword not in _ANNOTATIONS]
    present = [check for check in checks if check is not None]

    def run(value: Any, where: str) -> Iterator[tuple[str, str]]:
        for check in present:
            found = False
            for problem in check(value, where):
                found = True
                yield problem
            if found:  # a value of the wrong type has one problem, not one per keyword
                return

    return run


def _compile_keyword(keyword: str, schema: Mapping[str, Any], path: str) -> Check | None:
    if keyword in _BOUNDS:
        return _bound(keyword, schema[keyword])
    if keyword not in _COMPILERS:
        raise SchemaError(f"{path}: the schema keyword {keyword!r} is not checked here; leave it out")
    return _COMPILERS[keyword](schema, path)


def _type(schema: Mapping[str, Any], path: str) -> Check:
    names = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
    unknown = [name for name in names if name not in _TYPES]
    if unknown:
        raise SchemaError(f"{path}: {unknown[0]!r} is no JSON type; write one of {', '.join(_TYPES)}")
    kinds = frozenset(kind for name in names for kind in _TYPES[name])
    whole = "integer" in names
    expected = " or ".join(_article(name) for name in names)

    def check(value: Any, where: str) -> Iterator[tuple[str, str]]:
        kind = type(value)
        if kind not in kinds and not (whole and kind is float and value.is_integer()):
            yield where, f"must be {expected}, is {_WORDS.get(kind, 'something else')}"

    return check


def _article(name: str) -> str:
    return name if name == "null" else f"an {name}" if name[0] in "aio" else f"a {name}"


def _enum(schema: Mapping[str, Any], _path: str) -> Check:
    return _one_of(list(schema["enum"]))


def _const(schema: Mapping[str, Any], _path: str) -> Check:
    return _one_of([schema["const"]])


def _one_of(allowed: list[Any]) -> Check:
    shown = ", ".join(str(item) for item in allowed)
    if len(shown) > 200:
        shown = f"{len(allowed)} declared values"

    def check(value: Any, where: str) -> Iterator[tuple[str, str]]:
        if not any(_same(value, item) for item in allowed):
            yield where, f"must be one of: {shown}"

    return check


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON: 1 is 1.0 and is not true, however deep they stand."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other)


def _properties(schema: Mapping[str, Any], path: str) -> Check:
    checks = {name: compile_schema(child, f"{path}.{name}") for name, child in schema["properties"].items()}

    def check(value: Any, where: str) -> Iterator[tuple[str, str]]:
        if type(value) is not dict:
            return
        for name in checks.keys() & value.keys():
            if value[name] is not None:
                yield from checks[name](value[name], field_path(where, name))

    return check


def _required(schema: Mapping[str, Any], _path: str) -> Check:
    names = tuple(schema["required"])

    def check(value: Any, where: str) -> Iterator[tuple[str, str]]:
        if type(value) is dict:
            for name in names:
                if value.get(name) is None:
                    yield field_path(where, name), "is required"

    return check


def _additional(schema: Mapping[str, Any], path: str) -> Check | None:
    if schema["additionalProperties"] is True:
        return None
    if schema["additionalProperties"] is not False:
        raise SchemaError(f"{path}: additionalProperties must be true or false")
    known = frozenset(schema.get("properties", ()))

    def check(value: Any, where: str) -> Iterator[tuple[str, str]]:
        if type(value) is dict:
            for name in value.keys() - known:
                yield field_path(where, name), "is not declared for this event"

    return check


def _items(schema: Mapping[str, Any], path: str) -> Check:
    child = compile_schema(schema["items"], f"{path}[]")

    def check(value: Any, where: str) -> Iterator[tuple[str, str]]:
        if type(value) is list:
            for index, item in enumerate(value):
                yield from child(item, f"{where}[{index}]")

    return check


_COMPILERS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Check | None]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "items": _items,
}

_BOUNDS: Final[Mapping[str, tuple[tuple[type, ...], Callable[[Any, Any], bool], str]]] = {
    "minItems": ((list,), lambda value, bound: len(value) >= bound, "must have at least {} items"),
    "maxItems": ((list,), lambda value, bound: len(value) <= bound, "must have at most {} items"),
    "minLength": ((str,), lambda value, bound: len(value) >= bound, "must have at least {} characters"),
    "maxLength": ((str,), lambda value, bound: len(value) <= bound, "must have at most {} characters"),
    "minimum": ((int, float), lambda value, bound: value >= bound, "must be at least {}"),
    "maximum": ((int, float), lambda value, bound: value <= bound, "must be at most {}"),
}


def _bound(keyword: str, bound: float) -> Check:
    kinds, holds, message = _BOUNDS[keyword]

    def check(value: Any, where: str) -> Iterator[tuple[str, str]]:
        if type(value) in kinds and not holds(value, bound):
            yield where, message.format(bound)

    return check
