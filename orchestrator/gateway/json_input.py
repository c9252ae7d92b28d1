"""JSON as it comes from outside: decoded strictly, and bounded before anything else looks at it."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import orjson

MAX_DEPTH: Final = 32
"""How many lists and maps of a body may be nested in each other, the body included."""
_decode: Final = msgspec.json.Decoder().decode
_INT64: Final = range(-(2**63), 2**63)
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


class NotJsonError(ValueError):
    """These bytes are no JSON; the message says what and where, without quoting them."""


def decode_json(raw: bytes) -> Any:
    """Decode JSON (RFC 8259): UTF-8 only, no NaN or Infinity, no lone surrogates, nothing after the end.

    Raises:
        NotJsonError: it is none.
    """
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotJsonError(_why(raw)) from None


def _why(raw: bytes) -> str:
    """What is wrong with these bytes, as the parser that tells it best says it."""
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return f"is not valid JSON: {error.msg} at byte {error.pos}"
    return "is not valid JSON: a number in it is too long, or it is nested too deeply"


def field_path(parent: str, name: str) -> str:
    """`parent.name`; a name that is no plain word (it might hold anything) is shown as `?`."""
    shown = name if _PLAIN_NAME.fullmatch(name) else "?"
    return f"{parent}.{shown}" if parent else shown


def bounds_problems(value: Any, most: int = MAX_DEPTH) -> Iterator[tuple[str, str]]:
    """What breaks the bounds that everything behind the gateway relies on.

    Args:
        value: decoded JSON.
        most: how deeply it may be nested, itself included.

    Yields:
        (path, message) per problem: nested too deeply, or an integer beyond 64 bits. A part that is
        nested too deeply is named once and not looked into.
    """
    todo: list[tuple[Any, str, int]] = [(value, "", 1)]
    while todo:
        item, where, depth = todo.pop()
        kind = type(item)
        if kind is int:
            if item not in _INT64:
                yield where, "is an integer beyond 64 bits; send it as a string"
        elif kind is dict or kind is list:
            if depth > most:
                yield _shortened(where), f"is nested deeper than {most} levels"
            else:
                todo.extend(_children(item, where, depth + 1))


def _children(item: dict[str, Any] | list[Any], where: str, depth: int) -> Iterator[tuple[Any, str, int]]:
    if isinstance(item, dict):
        for name, child in item.items():
            if type(child) in (dict, list, int):
                yield child, field_path(where, name), depth
    else:
        for index, child in enumerate(item):
            if type(child) in (dict, list, int):
                yield child, f"{where}[{index}]", depth


def _shortened(path: str) -> str:
    return path if len(path) <= 120 else path[:117] + "..."
