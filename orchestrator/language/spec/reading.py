"""Reads a map into an element by the element's field specification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from orchestrator.language.source.cel_slip import corrected_line
from orchestrator.language.source.core_schema import is_null
from orchestrator.language.source.nearest import nearest
from orchestrator.language.source.nodes import Mapping, Node, Scalar
from orchestrator.language.spec.fields import Element, fields_by_name, fields_of
from orchestrator.language.spec.foreign import OUR_WORDS
from orchestrator.language.spec.reader import INVALID, Reader
from orchestrator.language.spec.slips import in_full

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.language.source.position import Position

E = TypeVar("E", bound=Element)


def read_element(cls: type[E], node: Node, reader: Reader, beside: Iterable[str] = ()) -> Any:
    """The element that a map describes, or INVALID when the node is no map.

    Args:
        cls: What to read.
        node: From where.
        reader: Collects the problems; fields that are wrong get their defaults, so that all is found at once.
        beside: Keys of the map that someone else reads.
    """
    if not isinstance(node, Mapping):
        fields = ", ".join(f"`{spec.name}`" for spec in fields_of(cls))
        meant = in_full(cls, node)
        return reader.wrong_type(f"a map with {fields}", node, f"write `{meant}`" if meant else None)
    specs = fields_by_name(cls)
    values: dict[str, Any] = {}
    places: dict[str, Position] = {}
    for key, value in node.entries:
        spec = specs.get(key.text)
        if spec is not None:
            places[spec.name] = value.at
            read = spec.type.read(value, reader)
            if read is not INVALID:
                values[spec.attribute] = read
        elif key.text not in beside:
            unknown_field(node, key, (*specs, *beside), reader)
    _complete(cls, node, places, reader)
    return cls(at=node.at, places=places, **values)


def _complete(cls: type[Element], node: Mapping, places: dict[str, Position], reader: Reader) -> None:
    first = node.entries[0][0] if node.entries else node
    for spec in fields_of(cls):
        if spec.required and spec.name not in places:
            reader.report("E-FIELD", f"`{spec.name}` is missing", first, f"{spec.name}: {spec.meaning}".rstrip(": "))
    given = frozenset(places)
    for rule in cls.constraints:
        broken = rule.broken(given, node)
        if broken is not None:
            reader.report("E-FIELD", broken, first)


def unknown_field(node: Mapping, key: Scalar, names: Iterable[str], reader: Reader) -> None:
    """Report a key that the element does not know, with the best hint there is."""
    slip = _slip(node, key, reader)
    if slip is not None:
        message = "CEL with a comma, a double quote or `: ` inside `{ }` goes in single quotes"
        reader.report("E-CEL", message, key, f"write {slip}")
        return
    known = sorted(names)
    hint = None
    if key.text in OUR_WORDS:
        hint = f"here that is {OUR_WORDS[key.text]}"
    else:
        near = nearest(key.text, known)
        hint = f"did you mean `{near}`?" if near else "known here: " + " ".join(f"`{name}`" for name in known)
    reader.report("E-FIELD", f"unknown field `{key.text}`", key, hint)


def _slip(node: Mapping, key: Scalar, reader: Reader) -> str | None:
    """The corrected line when this key is the rest of a CEL that a comma cut in two."""
    if not node.flow:
        return None
    value = node.get(key.text)
    if not isinstance(value, Scalar) or not is_null(value) or key.at.line > len(reader.lines):
        return None
    fixed = corrected_line(reader.lines[key.at.line - 1])
    return None if fixed is None else fixed.strip()
