"""The types of fields. Each reads a node, names itself for people, and gives its JSON Schema."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from orchestrator.language.source.core_schema import is_null, is_quoted_number, plain_value
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.source.nodes import Mapping, Node, Scalar, Sequence
from orchestrator.language.source.position import NOWHERE
from orchestrator.language.spec.naming import NAME, bracketed, not_a_name
from orchestrator.language.spec.reader import INVALID, Reader

JSON = dict[str, Any]

_DURATION = re.compile(r"-?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
_PART = re.compile(r"(\d+)(ms|[wdhms])")
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_SPOKEN = {"test_customer": "customer of the test", "told": "content or variant", "source": "fact, or `content`"}
"""What names refer to, in words, where the word of the code is none for people."""
_IN_QUOTES = re.compile(r'"[^"]*"')
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


def milliseconds(text: str) -> int | None:
    """A duration such as `90s`, `2h`, `1h30m`, `7d` in milliseconds; None when it is none."""
    if not _DURATION.fullmatch(text) or not text.strip("-"):
        return None
    total = sum(int(amount) * _UNITS[unit] for amount, unit in _PART.findall(text))
    return -total if text.startswith("-") else total


class Type(ABC):
    """How a field is written."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The type as the reference pages name it."""

    @abstractmethod
    def read(self, node: Node, reader: Reader) -> Any:
        """The value, or INVALID after reporting what is wrong."""

    @abstractmethod
    def schema(self) -> JSON:
        """JSON Schema of what may be written."""

    def empty(self) -> Any:
        """The value of an optional field that is absent."""
        return None

    def of(self, text: str) -> Any:
        """The value of a default written as in YAML."""
        reader = Reader()
        value = self.read(Scalar(text, plain=True, at=NOWHERE, length=1), reader)
        if value is INVALID:
            raise ValueError(f"bad default {text!r}: {reader.diagnostics[0].message}")
        return value


@dataclass(frozen=True)
class Name(Type):
    """One name; `ref` says what it must be the name of."""

    ref: str | None = None

    @property
    def words(self) -> str:
        return "name" if self.ref is None else f"name of {article(_SPOKEN.get(self.ref, self.ref))}"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Scalar) or is_null(node):
            return reader.wrong_type("a name", node)
        if not NAME.fullmatch(node.text):
            return not_a_name(node, reader)
        if self.ref is not None:
            reader.refer(self.ref, node)
        return node.text

    def schema(self) -> JSON:
        return {"type": "string", "pattern": "^[A-Za-z0-9_.\\-]+$"}


@dataclass(frozen=True)
class Names(Type):
    """A list of names; where `single`, one name may stand for a list of one."""

    ref: str | None = None
    single: bool = True

    @property
    def words(self) -> str:
        what = "names" if self.ref is None else f"names of {self.ref}s"
        return "name or list" if self.single else f"list of {what}"

    def read(self, node: Node, reader: Reader) -> Any:
        one = Name(self.ref)
        if isinstance(node, Sequence):
            values = [one.read(item, reader) for item in node.items]
            return tuple(value for value in values if value is not INVALID)
        if not self.single or isinstance(node, Mapping):
            return reader.wrong_type("a list of names", node, bracketed(node))
        value = one.read(node, reader)
        return value if value is INVALID else (value,)

    def schema(self) -> JSON:
        one = Name().schema()
        many = {"type": "array", "items": one}
        return {"anyOf": [one, many]} if self.single else many

    def empty(self) -> Any:
        return ()


def article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


@dataclass(frozen=True)
class Choice(Type):
    """One of a few words."""

    values: tuple[str, ...]

    @property
    def words(self) -> str:
        return " ".join(f"`{value}`" for value in self.values)

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Scalar) and node.text in self.values:
            return node.text
        return reader.wrong_type(_one_of(self.values), node, nearest_hint(node, self.values))

    def schema(self) -> JSON:
        return {"enum": list(self.values)}


@dataclass(frozen=True)
class Choices(Type):
    """A list of words out of a few."""

    values: tuple[str, ...]

    @property
    def words(self) -> str:
        return "list of " + " ".join(f"`{value}`" for value in self.values)

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Sequence):
            return reader.wrong_type(f"a list of {_one_of(self.values)}", node, bracketed(node))
        one = Choice(self.values)
        values = [one.read(item, reader) for item in node.items]
        return tuple(value for value in values if value is not INVALID)

    def schema(self) -> JSON:
        return {"type": "array", "items": {"enum": list(self.values)}}

    def empty(self) -> Any:
        return ()


def _one_of(values: tuple[str, ...]) -> str:
    *first, last = (f"`{value}`" for value in values)
    return f"{', '.join(first)} or {last}" if first else last


def nearest_hint(node: Node, names: tuple[str, ...]) -> str | None:
    return did_you_mean(node.text, names) if isinstance(node, Scalar) else None


@dataclass(frozen=True)
class Percent(Type):
    """A part of a whole, 0..1."""

    words = "percent"

    def read(self, node: Node, reader: Reader) -> Any:
        match = _PERCENT.fullmatch(node.text) if isinstance(node, Scalar) else None
        if match is None or float(match[1]) > 100:
            hint = _as_percent(node.text) if isinstance(node, Scalar) else None
            return reader.wrong_type("a percent from `0%` to `100%`", node, hint)
        return float(match[1]) / 100

    def schema(self) -> JSON:
        return {"type": "string", "pattern": "^\\d+(\\.\\d+)?%$"}


def _as_percent(text: str) -> str | None:
    """A bare number as a percent; a part of one is most likely a share of the whole: a half is 50%."""
    bare = text.rstrip("% ")
    if not bare.replace(".", "", 1).isdigit() or float(bare) > 100:
        return None
    return f"write `{float(bare) * 100:g}%`" if 0 < float(bare) < 1 and bare == text else f"write `{bare}%`"


@dataclass(frozen=True)
class Bool(Type):
    """`true` or `false`."""

    words = "bool"

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Scalar) and node.plain and node.text in {"true", "false"}:
            return node.text == "true"
        yes = isinstance(node, Scalar) and node.text.lower() in {"yes", "on", "true"}
        no = isinstance(node, Scalar) and node.text.lower() in {"no", "off", "false"}
        hint = "write `true`" if yes else "write `false`" if no else None
        return reader.wrong_type("`true` or `false`", node, hint)

    def schema(self) -> JSON:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Int(Type):
    """A whole number within bounds."""

    low: int = 0
    high: int = 2**53

    @property
    def words(self) -> str:
        return f"{self.low}–{self.high}" if self.high < 2**53 else "int"  # noqa: RUF001 - a range

    def read(self, node: Node, reader: Reader) -> Any:
        value = plain_value(node) if isinstance(node, Scalar) else None
        bounds = f"from {self.low}" + (f" to {self.high}" if self.high < 2**53 else "")
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            return reader.wrong_type(f"a whole number {bounds}", node, _unquoted(node))
        return value

    def schema(self) -> JSON:
        upper = {"maximum": self.high} if self.high < 2**53 else {}
        return {"type": "integer", "minimum": self.low, **upper}


def _unquoted(node: Node) -> str | None:
    return f"a number has no quotes: `{node.text}`" if isinstance(node, Scalar) and is_quoted_number(node) else None


@dataclass(frozen=True)
class Number(Type):
    """A number."""

    words = "number"

    def read(self, node: Node, reader: Reader) -> Any:
        value = plain_value(node) if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return reader.wrong_type("a number", node, _unquoted(node))
        return float(value)

    def schema(self) -> JSON:
        return {"type": "number"}


@dataclass(frozen=True)
class String(Type):
    """Any text of one language, as it stands: titles, patterns, words, paths."""

    words: str = "text"

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Scalar) and not is_null(node):
            return node.text
        return reader.wrong_type(self.words, node)

    def schema(self) -> JSON:
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True)
class Value(Type):
    """A plain text, number or boolean."""

    words = "value"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Scalar):
            return reader.wrong_type("a text, a number or a boolean", node)
        if _IN_QUOTES.fullmatch(node.text) and not node.plain:  # as a text stands in CEL
            return reader.wrong_type("a value as it is", node, f"this is no CEL: write `{node.text[1:-1]}`")
        return plain_value(node)

    def schema(self) -> JSON:
        return {"type": ["string", "number", "boolean", "null"]}


@dataclass(frozen=True)
class Plain(Type):
    """Any YAML, as plain data."""

    words: str = "data"

    def read(self, node: Node, reader: Reader) -> Any:
        return plain_data(node)

    def schema(self) -> JSON:
        return {}


def plain_data(node: Node) -> Any:
    """A node as dicts, lists, texts, numbers, booleans and None."""
    if isinstance(node, Scalar):
        return plain_value(node)
    if isinstance(node, Sequence):
        return [plain_data(item) for item in node.items]
    return {key.text: plain_data(value) for key, value in node.entries}


@dataclass(frozen=True)
class ListOf(Type):
    """A list."""

    inner: Type

    @property
    def words(self) -> str:
        return f"list of {self.inner.words}"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Sequence):
            return reader.wrong_type(self.words, node, "begin each with `- `, or write `[...]`")
        values = [self.inner.read(item, reader) for item in node.items]
        return tuple(value for value in values if value is not INVALID)

    def schema(self) -> JSON:
        return {"type": "array", "items": self.inner.schema()}

    def empty(self) -> Any:
        return ()


@dataclass(frozen=True)
class MapOf(Type):
    """A map whose keys are free, or names that `ref` says are declared."""

    inner: Type
    ref: str | None = None
    key: str = "name"

    @property
    def words(self) -> str:
        return f"map {self.key} → {self.inner.words}"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Mapping):
            return reader.wrong_type(f"a map ({self.key}: {self.inner.words})", node)
        values = {}
        for key, value in node.entries:
            self.key_read(key, reader)
            read = self.inner.read(value, reader)
            if read is not INVALID:
                values[key.text] = self.named(read, key)
        return values

    def key_read(self, key: Scalar, reader: Reader) -> None:
        if self.ref is not None:
            reader.refer(self.ref, key)

    def named(self, value: Any, key: Scalar) -> Any:
        return value

    def schema(self) -> JSON:
        return {"type": "object", "additionalProperties": self.inner.schema()}

    def empty(self) -> Any:
        return {}
