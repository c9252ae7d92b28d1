"""Types of fields that hold parts with fields of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.language.source.nodes import Mapping, Node, Scalar
from orchestrator.language.spec.fields import Element, fields_of
from orchestrator.language.spec.naming import NAME, not_a_name
from orchestrator.language.spec.reader import INVALID, Reader
from orchestrator.language.spec.reading import read_element
from orchestrator.language.spec.slips import in_full
from orchestrator.language.spec.types import JSON, MapOf, Type, nearest_hint


@dataclass(frozen=True)
class Part(Type):
    """A map with fields of its own; with `short`, a scalar alone stands for a map with that one field."""

    cls: type[Element]
    short: str | None = None

    @property
    def words(self) -> str:
        long = "`{" + " ".join(spec.name for spec in fields_of(self.cls)) + "}`"
        return long if self.short is None else f"{self.short} or {long}"

    def read(self, node: Node, reader: Reader) -> Any:
        if self.short is not None and isinstance(node, Scalar):
            key = Scalar(self.short, plain=True, at=node.at, length=node.length)
            node = Mapping(node.at, node.length, [(key, node)], flow=True)
        return read_element(self.cls, node, reader)

    def schema(self) -> JSON:
        long = part_schema(self.cls)
        if self.short is None:
            return long
        (short,) = (spec.type.schema() for spec in fields_of(self.cls) if spec.name == self.short)
        return {"anyOf": [short, long]}


def part_schema(cls: type[Element]) -> JSON:
    """JSON Schema of an element: its fields with their meanings, and no others."""
    specs = fields_of(cls)
    properties = {spec.name: {**spec.type.schema(), "description": spec.meaning} for spec in specs}
    needed = [spec.name for spec in specs if spec.required]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": needed} if needed else schema


@dataclass(frozen=True)
class WordOr(Type):
    """One of a few words, or something longer."""

    values: tuple[str, ...]
    long: Type

    @property
    def words(self) -> str:
        return " ".join(f"`{value}`" for value in self.values) + f" or {self.long.words}"

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Scalar) and node.text in self.values:
            return node.text
        if isinstance(node, Scalar) and isinstance(self.long, Part):
            full = in_full(self.long.cls, node)
            hint = f"write `{full}`" if full else nearest_hint(node, self.values)
            return reader.wrong_type(self.words, node, hint)
        return self.long.read(node, reader)

    def schema(self) -> JSON:
        return {"anyOf": [{"enum": list(self.values)}, self.long.schema()]}


@dataclass(frozen=True)
class OneOrMany(Type):
    """An element, or a list of them; always read as a tuple."""

    inner: Type

    @property
    def words(self) -> str:
        return f"{self.inner.words} or list"

    def read(self, node: Node, reader: Reader) -> Any:
        items = node.items if not isinstance(node, Scalar | Mapping) else [node]
        values = [self.inner.read(item, reader) for item in items]
        return tuple(value for value in values if value is not INVALID)

    def schema(self) -> JSON:
        one = self.inner.schema()
        return {"anyOf": [one, {"type": "array", "items": one}]}

    def empty(self) -> Any:
        return ()


@dataclass(frozen=True)
class NoneOr(Type):
    """The word `none`, or a value; `none` reads as None."""

    inner: Type

    @property
    def words(self) -> str:
        return f"{self.inner.words} or `none`"

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Scalar) and node.text == "none":
            return None
        return self.inner.read(node, reader)

    def schema(self) -> JSON:
        return {"anyOf": [{"const": "none"}, self.inner.schema()]}


@dataclass(frozen=True)
class ScalarOr(Type):
    """A scalar is read as one type, anything else as another."""

    scalar: Type
    other: Type

    @property
    def words(self) -> str:
        return f"{self.scalar.words}, or {self.other.words}"

    def read(self, node: Node, reader: Reader) -> Any:
        return (self.scalar if isinstance(node, Scalar) else self.other).read(node, reader)

    def schema(self) -> JSON:
        return {"anyOf": [self.scalar.schema(), self.other.schema()]}


@dataclass(frozen=True)
class MapOfParts(MapOf):
    """A map of elements by name; each remembers where its name stands."""

    def key_read(self, key: Scalar, reader: Reader) -> None:
        if self.ref is None and not NAME.fullmatch(key.text):
            not_a_name(key, reader)
        else:
            super().key_read(key, reader)

    def named(self, value: Any, key: Scalar) -> Any:
        if isinstance(value, Element):
            object.__setattr__(value, "named_at", key.at)
        return value
