"""Types of fields that hold CEL. Reading keeps the source; it is compiled when all documents are known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from orchestrator.language.source.core_schema import is_null, plain_value
from orchestrator.language.source.nodes import Mapping, Node, Scalar, Sequence
from orchestrator.language.spec.naming import NAME, bracketed
from orchestrator.language.spec.reader import INVALID, Reader
from orchestrator.language.spec.types import JSON, Type
from orchestrator.language.spec.values import KeyedBy, NameOr

_CALCULATES = re.compile(r"[()\"+?\[\]]")
_KEY_OF = re.compile(r"key_of\(\s*([\w.\-]+)\s*\)")


class Pending(msgspec.Struct, frozen=True, gc=False):
    """CEL that is read and not yet compiled.

    Attributes:
        source: The CEL text.
        node: Where it stands.
        expects: Name of the type it must have ("bool", "double" ...), or None for any.
        adds: Names in scope here beside those of the document ("event", "item" ...).
    """

    source: str
    node: Scalar
    expects: str | None
    adds: tuple[str, ...]


@dataclass(frozen=True)
class Cel(Type):
    """A condition or value in CEL.

    Attributes:
        expects: Name of the type it must have, None for any.
        adds: Names in scope here beside those of the document.
    """

    expects: str | None = None
    adds: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return "cel" if self.expects is None else f"cel → {'string' if self.expects == 'key' else self.expects}"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Scalar):
            hint = "CEL with a comma, a bracket, a quote or `: ` in it goes in single quotes"
            return reader.wrong_type("a condition or value in CEL", node, hint)
        if is_null(node):
            return reader.wrong_type("a condition or value in CEL", node)
        return Pending(_source(node), node, self.expects, self.adds)

    def of(self, text: str) -> Any:
        return None

    def schema(self) -> JSON:
        return {"type": ["string", "number", "boolean"]}


def _source(node: Scalar) -> str:
    """The CEL of a scalar: a number or a boolean is itself, text is CEL."""
    value = plain_value(node)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return node.text


@dataclass(frozen=True)
class CelMap(Type):
    """Names with values in CEL."""

    adds: tuple[str, ...] = ()
    words = "map of cel"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Mapping):
            return reader.wrong_type("a map (name: value in CEL)", node)
        one = Cel(adds=self.adds)
        read = ((key.text, one.read(value, reader)) for key, value in node.entries)
        return {key: value for key, value in read if value is not INVALID}

    def schema(self) -> JSON:
        return {"type": "object", "additionalProperties": Cel().schema()}

    def empty(self) -> Any:
        return {}


@dataclass(frozen=True)
class NameOrCel(Type):
    """A name, or `{is: CEL}`. `words_too` are names with a meaning of their own."""

    ref: str | None = None
    adds: tuple[str, ...] = ()
    words_too: tuple[str, ...] = ()
    words = "name*"

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Mapping):
            return self._expression(node, reader)
        if isinstance(node, Scalar) and node.text == "" and not node.plain:
            return NameOr(name="")
        if not isinstance(node, Scalar) or is_null(node):
            hint = "one name: write what holds it once for each" if isinstance(node, Sequence) else None
            return reader.wrong_type("a name, or `{is: CEL}`", node, hint)
        if not NAME.fullmatch(node.text):
            hint = "a name has letters, digits and `_ . -` only; the text itself stands in a `content`"
            if _CALCULATES.search(node.text):
                hint = f"write `{{is: '{node.text}'}}` when it is known only at run time"
            return reader.wrong_type("a name, or `{is: CEL}`", node, hint)
        if self.ref is not None and node.text not in self.words_too:
            reader.refer(self.ref, node)
        return NameOr(name=node.text)

    def _expression(self, node: Mapping, reader: Reader) -> Any:
        given = node.get("is")
        if given is None or len(node.entries) != 1:
            return reader.wrong_type("a name, or `{is: CEL}`", node)
        value = Cel("string", self.adds).read(given, reader)
        return value if value is INVALID else NameOr(expr=value)

    def schema(self) -> JSON:
        expression = {
            "type": "object",
            "properties": {"is": Cel().schema()},
            "required": ["is"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "string"}, expression]}


@dataclass(frozen=True)
class NamesOrCel(Type):
    """A list of names, each a name or `{is: CEL}`."""

    ref: str | None = None
    words = "list of name*"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Sequence):
            return reader.wrong_type("a list of names", node, bracketed(node))
        one = NameOrCel(self.ref)
        values = [one.read(item, reader) for item in node.items]
        return tuple(value for value in values if value is not INVALID)

    def schema(self) -> JSON:
        return {"type": "array", "items": NameOrCel().schema()}

    def empty(self) -> Any:
        return ()


@dataclass(frozen=True)
class KeyedByType(Type):
    """CEL, or `key_of(TRAIT)`: the keys of another keyed trait."""

    words = "cel → string, or `key_of(TRAIT)`"

    def read(self, node: Node, reader: Reader) -> Any:
        match = _KEY_OF.fullmatch(node.text) if isinstance(node, Scalar) else None
        if match is not None and isinstance(node, Scalar):
            reader.refer("trait", node, match[1])
            return KeyedBy(trait=match[1])
        value = Cel("key", ("event", "item")).read(node, reader)
        return value if value is INVALID else KeyedBy(expr=value)

    def schema(self) -> JSON:
        return {"type": "string"}
