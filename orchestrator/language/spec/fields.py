"""How the fields of a document are declared: once, for parsing, defaults, lint, JSON Schema and reference pages."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from orchestrator.language.source.position import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestrator.language.source.nodes import Mapping as MappingNode
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.types import Type

_SPEC: Final = "spec"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a document or of a part of one.

    Attributes:
        name: As written in YAML.
        attribute: Where the value lies in the struct: the name, with `_` behind a word that Python keeps.
        type: How it is written.
        required: It has no default.
        default: The default as the reference shows it.
        meaning: One sentence or two for the reference.
        absent: Makes the value of an absent field.
    """

    name: str
    attribute: str
    type: Type
    required: bool
    default: str
    meaning: str
    absent: Callable[[], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A document or a part of one, as read from a file.

    Attributes:
        at: Where it begins.
        places: Where the value of each field begins that was given, by YAML name.
        named_at: Where its name stands, for an element in a map by name; else None.
        constraints: What must hold between its fields (class attribute).
    """

    constraints: ClassVar[tuple[Rule, ...]] = ()

    at: Position = dataclasses.field(default=NOWHERE, compare=False, repr=False)
    places: Mapping[str, Position] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    named_at: Position | None = dataclasses.field(default=None, compare=False, repr=False)

    def place(self, name: str) -> Position:
        """Where a field's value begins; where the element begins when it was not given."""
        return self.places.get(name, self.at)


def required(type_: Type, meaning: str) -> Any:
    """A field that must be given."""
    return _declare(type_, meaning, "–", type_.empty, is_required=True)  # noqa: RUF001 - as in the tables


def given(type_: Type, default: str, meaning: str) -> Any:
    """A field with a default, written as in YAML."""
    value = type_.of(default)
    return _declare(type_, meaning, default, lambda: value)


def optional(type_: Type, meaning: str, *, shown: str = "none", absent: Any = None) -> Any:
    """A field that may be absent; `shown` says in the reference what that means."""
    make = type_.empty if absent is None else lambda: absent
    return _declare(type_, meaning, shown, make)


def _declare(type_: Type, meaning: str, default: str, absent: Callable[[], Any], *, is_required: bool = False) -> Any:
    metadata = {_SPEC: (type_, is_required, default, meaning, absent)}
    return dataclasses.field(default_factory=absent, metadata=metadata)


def fields_of(cls: type[Element]) -> tuple[FieldSpec, ...]:
    """The fields of an element, in the order of their declaration."""
    return _fields(cast("Any", cls))


def fields_by_name(cls: type[Element]) -> dict[str, FieldSpec]:
    """The same, by the name in YAML."""
    return _fields_by_name(cast("Any", cls))


@cache
def _fields(cls: type[Any]) -> tuple[FieldSpec, ...]:
    specs = []
    for declared in dataclasses.fields(cls):
        if _SPEC in declared.metadata:
            type_, is_required, default, meaning, absent = declared.metadata[_SPEC]
            name = declared.name.rstrip("_")
            specs.append(FieldSpec(name, declared.name, type_, is_required, default, meaning, absent))
    return tuple(specs)


@cache
def _fields_by_name(cls: type[Any]) -> dict[str, FieldSpec]:
    return {spec.name: spec for spec in fields_of(cls)}


class Rule:
    """What must hold between the fields of one element."""

    def words(self) -> str:
        """The rule as a sentence for the reference."""
        raise NotImplementedError

    def broken(self, given: frozenset[str], node: MappingNode) -> str | None:
        """What is wrong with these given fields, or None."""
        raise NotImplementedError


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@dataclass(frozen=True, slots=True)
class ExactlyOne(Rule):
    """Exactly one of these fields is given."""

    names: tuple[str, ...]

    def words(self) -> str:
        return f"Exactly one of {_listed(self.names)}."

    def broken(self, given: frozenset[str], node: MappingNode) -> str | None:
        found = tuple(name for name in self.names if name in given)
        if len(found) == 1:
            return None
        return f"exactly one of {_listed(self.names)} is needed, found {_listed(found) or 'none'}"


@dataclass(frozen=True, slots=True)
class AtMostOne(Rule):
    """Not more than one of these fields is given."""

    names: tuple[str, ...]

    def words(self) -> str:
        return f"At most one of {_listed(self.names)}."

    def broken(self, given: frozenset[str], node: MappingNode) -> str | None:
        found = tuple(name for name in self.names if name in given)
        return f"{_listed(found)} exclude each other" if len(found) > 1 else None


@dataclass(frozen=True, slots=True)
class AtLeastOne(Rule):
    """One or more of these fields are given."""

    names: tuple[str, ...]

    def words(self) -> str:
        return f"At least one of {_listed(self.names)}."

    def broken(self, given: frozenset[str], node: MappingNode) -> str | None:
        return None if given.intersection(self.names) else f"one of {_listed(self.names)} is needed"


@dataclass(frozen=True, slots=True)
class Needs(Rule):
    """When the first is given, one of the others must be too."""

    name: str
    others: tuple[str, ...]

    def words(self) -> str:
        return f"`{self.name}` needs {' or '.join(f'`{other}`' for other in self.others)}."

    def broken(self, given: frozenset[str], node: MappingNode) -> str | None:
        if self.name not in given or given.intersection(self.others):
            return None
        return f"`{self.name}` needs {' or '.join(f'`{other}`' for other in self.others)} beside it"
