"""In which order the keys of a map are written: by the field specification, where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.formatting.tree import Branch
from orchestrator.language.spec.documents import KINDS
from orchestrator.language.spec.fields import fields_by_name
from orchestrator.language.spec.parts import NoneOr, OneOrMany, Part, ScalarOr, WordOr
from orchestrator.language.spec.step_list import Steps, step_words
from orchestrator.language.spec.types import ListOf, MapOf

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestrator.language.formatting.tree import Value
    from orchestrator.language.spec.fields import Element
    from orchestrator.language.spec.types import Type


class Shape:
    """What is known of a value: how its keys are ordered, and the shapes of what it holds. This one knows nothing."""

    def ordered(self, names: Sequence[str]) -> list[str]:
        """The keys of a map in the order to write them."""
        return list(names)

    def value(self, names: Iterable[str], name: str) -> Shape:
        """The shape of what a key holds, in a map with these keys."""
        return ANYTHING

    def item(self) -> Shape:
        """The shape of an item, in a list."""
        return ANYTHING


ANYTHING: Final = Shape()


class _PartShape(Shape):
    """An element: its fields in the order of their declaration, what it does not know behind them."""

    def __init__(self, cls: type[Element]) -> None:
        self.fields = fields_by_name(cls)
        self.places = {name: place for place, name in enumerate(self.fields)}

    def ordered(self, names: Sequence[str]) -> list[str]:
        return sorted(names, key=lambda name: self.places.get(name, len(self.places)))

    def value(self, names: Iterable[str], name: str) -> Shape:
        spec = self.fields.get(name)
        return ANYTHING if spec is None else shape_of(spec.type)


class _StepShape(Shape):
    """A step: its id, its word, the branches beside it."""

    def ordered(self, names: Sequence[str]) -> list[str]:
        words = step_words()
        beside = [branch for name in names if name in words for branch in words[name].beside]
        ranks = {"id": -2, **dict.fromkeys(words, -1), **{name: place for place, name in enumerate(beside)}}
        return sorted(names, key=lambda name: ranks.get(name, len(ranks)))

    def value(self, names: Iterable[str], name: str) -> Shape:
        word = step_words().get(name)
        if word is None:
            return _ListShape(self)
        body = _PartShape(word.body)
        return body if word.holds is None else body.value((), word.holds)


class _ListShape(Shape):
    """A list of one thing; where the thing may stand alone, it has the thing's keys."""

    def __init__(self, one: Shape) -> None:
        self.one = one

    def item(self) -> Shape:
        return self.one

    def ordered(self, names: Sequence[str]) -> list[str]:
        return self.one.ordered(names)

    def value(self, names: Iterable[str], name: str) -> Shape:
        return self.one.value(names, name)


class _MapShape(Shape):
    """A map with free keys, whose order is the author's."""

    def __init__(self, inner: Shape) -> None:
        self.inner = inner

    def value(self, names: Iterable[str], name: str) -> Shape:
        return self.inner


def shape_of(type_: Type) -> Shape:
    """The shape of what a field of this type holds."""
    shape = ANYTHING
    match type_:
        case Part():
            shape = _PartShape(type_.cls)
        case Steps():
            shape = _ListShape(_StepShape())
        case ListOf() | OneOrMany():
            shape = _ListShape(shape_of(type_.inner))
        case MapOf():
            shape = _MapShape(shape_of(type_.inner))
        case WordOr():
            shape = shape_of(type_.long)
        case NoneOr():
            shape = shape_of(type_.inner)
        case ScalarOr():
            shape = shape_of(type_.other)
    return shape


def document_shape(first_key: str) -> Shape:
    """The shape of a document, by its first key; one that is no kind of document (rows of a fact) has none."""
    return _PartShape(KINDS[first_key]) if first_key in KINDS else ANYTHING


def arrange(value: Value, shape: Shape) -> None:
    """Bring the keys of all maps of a tree into their order; comments go with them."""
    if not isinstance(value, Branch):
        return
    if not value.is_map:
        for entry in value.entries:
            arrange(entry.value, shape.item())
        return
    names = [entry.name for entry in value.entries]
    by_name = {entry.name: entry for entry in value.entries}
    for entry in value.entries:
        arrange(entry.value, shape.value(names, entry.name))
    value.entries = [by_name[name] for name in shape.ordered(names)]
