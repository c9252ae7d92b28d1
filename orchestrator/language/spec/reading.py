"""Reads a map into an element by the element's field specification."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from orchestrator.language.source.cel_slip import corrected_line
from orchestrator.language.source.core_schema import is_null
from orchestrator.language.source.nearest import nearest
from orchestrator.language.source.nodes import Mapping, Node, Scalar, Sequence
from orchestrator.language.spec.fields import Element, fields_by_name, fields_of
from orchestrator.language.spec.foreign import OUR_WORDS
from orchestrator.language.spec.reader import INVALID, Reader
from orchestrator.language.spec.slips import as_duration, in_full

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as TMapping

    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.fields import FieldSpec

_EVERYTHING: Final = frozenset({"all", "any"})
E = TypeVar("E", bound=Element)


class Strays(NamedTuple):
    """Fields that stand one level too deep or too high.

    Attributes:
        inside: Key that does not belong into the map → where it belongs.
        outside: Fields of the map that were written beside it, and are told there.
    """

    inside: TMapping[str, str] = MappingProxyType({})
    outside: frozenset[str] = frozenset()


def read_element(
    cls: type[E], node: Node, reader: Reader, beside: Iterable[str] = (), strays: Strays | None = None
) -> Any:
    """The element that a map describes, or INVALID when the node is no map.

    Args:
        cls: What to read.
        node: From where.
        reader: Collects the problems; fields that are wrong get their defaults, so that all is found at once.
        beside: Keys of the map that someone else reads.
        strays: Fields that were written next to the map or into it by mistake.
    """
    strays = strays or Strays()
    if not isinstance(node, Mapping):
        fields = ", ".join(f"`{spec.name}`" for spec in fields_of(cls))
        full = in_full(cls, node)
        hint = f"write `{full}`" if full else _list_field(cls, node)
        return reader.wrong_type(f"a map with {fields}", node, hint)
    specs = fields_by_name(cls)
    values: dict[str, Any] = {}
    places: dict[str, Position] = {}
    meant: set[str | None] = set()
    for key, value in node.entries:
        spec = specs.get(key.text)
        if spec is not None:
            places[spec.name] = value.at
            read = INVALID if _says_all(spec, value, reader) else spec.type.read(value, reader)
            if read is not INVALID:
                values[spec.attribute] = read
        elif key.text not in beside:
            meant.add(unknown_field(node, key, (*specs, *beside), reader, strays.inside.get(key.text)))
    _complete(cls, node, {*places, *meant, *strays.outside}, reader)
    return cls(at=node.at, places=places, **values)


def _says_all(spec: FieldSpec, value: Node, reader: Reader) -> bool:
    """Report `channels: all` and `class: any`: the tables name so what counts where nothing is said."""
    if spec.default not in _EVERYTHING or not isinstance(value, Scalar) or value.text != spec.default:
        return False
    message = f"`{value.text}` is what counts where `{spec.name}` is not given"
    reader.report("E-FIELD", message, value, f"leave `{spec.name}` out")
    return True


def _list_field(cls: type[Element], node: Node) -> str | None:
    """Where a list stands for its element: the one field that must be given may be that list."""
    needed = [spec.name for spec in fields_of(cls) if spec.required]
    return f"write `{needed[0]}:` above it" if isinstance(node, Sequence) and len(needed) == 1 else None


def _complete(cls: type[Element], node: Mapping, given: set[str | None], reader: Reader) -> None:
    """Report what is missing. A field that is only misspelt is not: to write it right is all there is to do."""
    first = node.entries[0][0] if node.entries else node
    for spec in fields_of(cls):
        if spec.required and spec.name not in given:
            reader.report("E-FIELD", f"`{spec.name}` is missing", first, f"{spec.name}: {spec.meaning}".rstrip(": "))
    named = frozenset(name for name in given if name)
    for rule in cls.constraints:
        broken = rule.broken(named, node)
        if broken is not None:
            reader.report("E-FIELD", broken, first)


def unknown_field(
    node: Mapping, key: Scalar, names: Iterable[str], reader: Reader, elsewhere: str | None = None
) -> str | None:
    """Report a key that the element does not know, with the best hint there is; gives the one that was meant.

    `elsewhere` says where this key belongs, when that is known.
    """
    if elsewhere is not None:
        reader.report("E-FIELD", f"`{key.text}` does not belong here", key, elsewhere)
        return key.text
    slip = _slip(node, key, reader)
    if slip is not None:
        message = "CEL with a comma, a bracket, a double quote or `: ` inside `{ }` goes in single quotes"
        reader.report("E-CEL", message, key, f"write {slip}")
        return None
    known = sorted(names)
    near = None
    hint = _cut_by_a_comma(node, key) or (_as_length(node, key) if "for" in known else None)
    if hint is not None:
        near = "for" if hint.startswith("write `for:") else None
    elif key.text in OUR_WORDS:
        hint = f"here that is {OUR_WORDS[key.text]}"
    else:
        near = nearest(key.text, known)
        hint = f"did you mean `{near}`?" if near else "known here: " + " ".join(f"`{name}`" for name in known)
    reader.report("E-FIELD", f"unknown field `{key.text}`", key, hint)
    return near


def _as_length(node: Mapping, key: Scalar) -> str | None:
    """What to write for `{days: 14}`, as other tools have it."""
    value = node.get(key.text)
    meant = as_duration(f"{value.text} {key.text}") if isinstance(value, Scalar) and value.text.isdigit() else None
    return f"write `for: {meant}`" if meant else None


def _cut_by_a_comma(node: Mapping, key: Scalar) -> str | None:
    """What to write for `{channel: sms, email}` and `{limit: 1,000}`: the word behind the comma is taken for a key."""
    behind: list[str] = []
    for other, value in reversed(node.entries[: [other for other, _ in node.entries].index(key) + 1]):
        if not node.flow or not isinstance(value, Scalar) or (not behind and not is_null(value)):
            return None
        if not is_null(value):
            return _listed(other.text, value, behind)
        behind.insert(0, other.text)
    return None


def _listed(field: str, first: Scalar, behind: list[str]) -> str | None:
    if not first.plain:
        return None
    if behind[-1].isdigit() and first.text[-1:].isdigit():
        return f"a number has no comma: `{first.text}{behind[-1]}`, or with decimals `{first.text}.{behind[-1]}`"
    listed = ", ".join((first.text, *behind))
    return f"several stand in brackets: `{field}: [{listed}]`; a text with a comma goes in quotes"


def _slip(node: Mapping, key: Scalar, reader: Reader) -> str | None:
    """The corrected line when this key is the rest of a CEL that a comma cut in two."""
    if not node.flow:
        return None
    value = node.get(key.text)
    if not isinstance(value, Scalar) or not is_null(value) or key.at.line > len(reader.lines):
        return None
    fixed = corrected_line(reader.lines[key.at.line - 1])
    return None if fixed is None else fixed.strip()
