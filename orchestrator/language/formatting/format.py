from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.language.formatting.order import ANYTHING, arrange, document_shape
from orchestrator.language.formatting.printing import print_sheets
from orchestrator.language.formatting.reading import read_sheets
from orchestrator.language.formatting.tree import Branch, Leaf
from orchestrator.language.source import Mapping, Scalar, Sequence, read_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.formatting.order import Shape
    from orchestrator.language.formatting.tree import Sheet, Value
    from orchestrator.language.source import Diagnostic, Document, Node, Position

_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")


class Formatted(NamedTuple):
    """What came of formatting a file.

    Attributes:
        data: The file in its canonical layout; None when it was refused.
        diagnostics: What is wrong with its YAML, where that is why.
        refusal: What formatting would have changed that it must not, where that is why; else "".
    """

    data: bytes | None
    diagnostics: tuple[Diagnostic, ...] = ()
    refusal: str = ""


def format_file(file: str, data: bytes) -> Formatted:
    """Lay a YAML file of a bundle out canonically. What it means, and every comment, stays.

    Keys come in the order of the field specification; maps with free keys keep theirs. Scalars stay as written, and
    brackets where the author has written them, if the line is not too long and no comment stands inside.

    Args:
        file: Path for positions.
        data: The file's bytes.
    """
    documents, found = read_documents(file, data)
    if found:
        return Formatted(None, tuple(found))
    text = "\n".join(_LINE_BREAK.split(data.decode("utf-8-sig")))
    sheets = read_sheets(text)
    if any("\n" in key for sheet in sheets for key in _keys(sheet.root)):
        return Formatted(None, refusal="a key goes over several lines")
    shapes = [_shape(sheet.root) for sheet in sheets]
    for sheet, shape in zip(sheets, shapes, strict=True):
        if sheet.root is not None:
            arrange(sheet.root, shape)
    out = print_sheets(sheets)
    lost = _lost(documents, read_documents(file, out.encode()), Counter(_comments(sheets)), out)
    return Formatted(out.encode()) if lost is None else Formatted(None, refusal=lost)


def _shape(root: Value | None) -> Shape:
    if isinstance(root, Branch) and root.is_map and root.entries:
        return document_shape(root.entries[0].name)
    return ANYTHING


def _lost(
    before: list[Document], after: tuple[list[Document], list[Diagnostic]], comments: Counter[str], out: str
) -> str | None:
    """What the canonical layout would change that it must not, in words; None when nothing."""
    documents, found = after
    if found:
        return f"formatted, it would not be YAML any more: {found[0].message} at line {found[0].position.line}"
    if len(documents) != len(before):
        return "formatting would change the number of its documents"
    for one, other in zip(before, documents, strict=True):
        place = _difference(one.root, other.root, _node_shape(one.root))
        if place is not None:
            return f"formatting would change what line {place.line} means"
    if Counter(_comments(read_sheets(out))) != comments:
        return "formatting would lose a comment"
    return None


def _node_shape(root: Node) -> Shape:
    known = isinstance(root, Mapping) and root.entries
    return document_shape(root.entries[0][0].text) if known else ANYTHING  # type: ignore[union-attr] # a map


def _difference(one: Node, other: Node, shape: Shape) -> Position | None:
    """Where two nodes mean different things first; None when they mean the same."""
    if isinstance(one, Scalar):
        same = isinstance(other, Scalar) and one.text == other.text and one.plain == other.plain
        return None if same else one.at
    if isinstance(one, Sequence):
        if not isinstance(other, Sequence) or len(one.items) != len(other.items):
            return one.at
        pairs = zip(one.items, other.items, strict=True)
        return next((at for a, b in pairs if (at := _difference(a, b, shape.item())) is not None), None)
    names = [key.text for key, _ in one.entries]
    if not isinstance(other, Mapping) or [key.text for key, _ in other.entries] != shape.ordered(names):
        return one.at
    values = {key.text: value for key, value in other.entries}
    for key, value in one.entries:
        at = _difference(value, values[key.text], shape.value(names, key.text))
        if at is not None:
            return at
    return None


def _keys(value: Value | None) -> Iterator[str]:
    for entry in value.entries if isinstance(value, Branch) else ():
        yield entry.key or ""
        yield from _keys(entry.value)


def _comments(sheets: list[Sheet]) -> Iterator[str]:
    """Every comment of a file; the one in the first line of a `|` text counts as a part of the text."""
    for sheet in sheets:
        yield from filter(None, sheet.foot)
        yield from _comments_in(sheet.root)


def _comments_in(value: Value | None) -> Iterator[str]:
    if value is None or isinstance(value, Leaf):
        return
    yield from filter(None, value.foot)
    for entry in value.entries:
        yield from filter(None, (*entry.before, entry.after))
        yield from _comments_in(entry.value)
