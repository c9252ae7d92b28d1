"""YAML with positions: the 1.2 core schema, without anchors, tags, merge keys and duplicate keys.

Read from the events of libyaml through PyYAML, so that nothing is resolved or constructed by rules of YAML 1.1,
and limits hold while reading.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from orchestrator.language.source.cel_slip import corrected_line
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.limits import MAX_BYTES, MAX_DEPTH, MAX_NODES
from orchestrator.language.source.nodes import Document, Mapping, Node, Scalar, Sequence
from orchestrator.language.source.position import Position
from orchestrator.language.source.yaml_slip import NEGATED, NEGATED_HINT, slip_of

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, in every wheel of PyYAML
_NEXT_DOCUMENT: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNCLOSED: Final = re.compile("end of stream|document indicator")
_QUOTED: Final = frozenset("'\"")


def read_documents(file: str, data: bytes) -> tuple[list[Document], list[Diagnostic]]:
    """The documents of a file, and what is wrong with its YAML.

    A document with an error is left out and reading goes on at the next `---`, so that one slip does not hide others.

    Args:
        file: Path for positions.
        data: The file's bytes, UTF-8.
    """
    if len(data) > MAX_BYTES:
        message = f"the file has {len(data):,} bytes; {MAX_BYTES:,} are allowed"
        return [], [diagnostic("E-YAML", message, Position(file, 1, 1), hint="split it into several files")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = _position_of(file, data[: error.start].decode("utf-8", "replace"))
        return [], [diagnostic("E-YAML", "the file is not UTF-8", at, hint="save it as UTF-8")]
    odd = _UNPRINTABLE.search(text)
    if odd is not None:
        at = _position_of(file, text[: odd.start()])
        message = f"the character U+{ord(odd.group()):04X} may not stand in YAML"
        return [], [diagnostic("E-YAML", message, at, hint="delete it")]
    return _Reading(file, text).documents()


def lines_of(data: bytes) -> list[str]:
    """The lines of a file, as positions count them."""
    return _LINE_BREAK.split(data.decode("utf-8-sig", "replace"))


def _position_of(file: str, before: str) -> Position:
    return Position(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _TooMuchError(Exception):
    """A limit is passed; the rest of the file is not read."""


class _Reading:
    """One file being read."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines = _LINE_BREAK.split(text)
        self.text = "\n".join(self.lines)
        self.line = 1  # of the first line of the part that is being parsed
        self.document_at = 0  # where the document that is being parsed begins in the text
        self.nodes = 0
        self.found: list[Document] = []
        self.diagnostics: list[Diagnostic] = []

    def documents(self) -> tuple[list[Document], list[Diagnostic]]:
        start = 0
        while start >= 0:
            self.line = self.text.count("\n", 0, start) + 1
            self.document_at = start
            try:
                self._parse(start)
                start = -1
            except yaml.MarkedYAMLError as error:
                start = self._recover(error, start)
            except _TooMuchError:
                start = -1
        return self.found, self.diagnostics

    def _recover(self, error: yaml.MarkedYAMLError, start: int) -> int:
        """Report a syntax error; gives where to read on, -1 when there is nothing more.

        CEL without its quotes is corrected and the document read again, so that its other problems show too.
        """
        mark = error.problem_mark or error.context_mark
        index = start + (mark.index if mark is not None else 0)
        at = self._at(mark) if mark is not None else Position(self.file, self.line, 1)
        fixed = corrected_line(self.lines[at.line - 1]) if at.line <= len(self.lines) else None
        if fixed is not None:
            message = "CEL with a comma, a bracket, a double quote or `: ` inside `{ }` goes in single quotes"
            self.diagnostics.append(diagnostic("E-CEL", message, at, hint=f"write {fixed.strip()}"))
            self.lines[at.line - 1] = fixed
            self.text = "\n".join(self.lines) + "\n"
            return self.document_at
        self.diagnostics.append(self._syntax(error, at))
        following = _NEXT_DOCUMENT.search(self.text, index if index > start else start + 1)
        return -1 if following is None else following.start()

    def _syntax(self, error: yaml.MarkedYAMLError, at: Position) -> Diagnostic:
        problem = error.problem or "this is not YAML"
        if _UNCLOSED.search(problem) and "quoted" in (error.context or "") and error.context_mark is not None:
            at = self._at(error.context_mark)
            return diagnostic("E-YAML", "the quote that opens here is not closed", at, hint="close it, or take it away")
        context = error.context_mark
        other = self._at(context) if context is not None and error.problem_mark is not None else None
        slip = slip_of(problem, self.lines, at.line, at.column)
        at = Position(at.file, slip.line or at.line, slip.column)
        if other == at or slip.line:
            other = None
        says = error.context or ""
        return diagnostic("E-YAML", slip.message, at, hint=slip.hint, other=other, other_says=says)

    def _parse(self, start: int) -> None:
        parser: Any = _Loader(self.text[start:])
        try:
            start_line = self.line
            while True:
                event: Any = parser.get_event()
                if isinstance(event, DocumentStartEvent):
                    mark: Any = event.start_mark
                    start_line = self.line + mark.line
                    self.document_at = start + mark.index
                elif isinstance(event, DocumentEndEvent | StreamStartEvent):
                    continue
                elif isinstance(event, StreamEndEvent):
                    return
                else:
                    self._document(event, parser, start_line)
        finally:
            parser.dispose()

    def _document(self, event: Any, parser: Any, start_line: int) -> None:
        """Read one document's tree without recursion, so that depth costs nothing."""
        root: Node | None = None
        stack: list[Sequence | Mapping] = []
        keys: list[Scalar | None] = []
        broken = len(self.diagnostics)
        next_event = parser.get_event
        while True:
            kind = event.__class__
            if kind is MappingEndEvent or kind is SequenceEndEvent:
                stack.pop()
                keys.pop()
            else:
                node = self._node(event, kind, len(stack))
                if stack:
                    self._place(node, stack[-1], keys)
                else:
                    root = node
                if kind is not ScalarEvent and kind is not AliasEvent:
                    stack.append(node)  # type: ignore[arg-type]  # what is no scalar is a list or a map
                    keys.append(None)
            if not stack:
                break
            event = next_event()
        empty = isinstance(root, Scalar) and root.plain and root.text == ""
        if len(self.diagnostics) == broken and not empty and root is not None:
            self.found.append(Document(self.file, root, (start_line, self.line + event.end_mark.line)))

    def _place(self, node: Node, parent: Sequence | Mapping, keys: list[Scalar | None]) -> None:
        if parent.__class__ is Sequence:
            parent.items.append(node)
            return
        key = keys[-1]
        if key is not None:
            parent.entries.append((key, node))  # type: ignore[union-attr]
            keys[-1] = None
        elif isinstance(node, Scalar):
            if node.plain and node.text == "<<":
                self._refuse("the merge key `<<` is not allowed", node.at, "write the fields out where they are needed")
            self._check_duplicate(node, parent)  # type: ignore[arg-type]
            keys[-1] = node
        else:
            self._refuse("a key is a word, not a map or a list", node.at)
            keys[-1] = Scalar("", plain=True, at=node.at, length=1)

    def _check_duplicate(self, key: Scalar, parent: Mapping) -> None:
        for other, _ in parent.entries:
            if other.text == key.text:
                self.diagnostics.append(
                    diagnostic(
                        "E-YAML",
                        f"the key `{key.text}` stands here twice",
                        key.at,
                        length=key.length,
                        hint="keep one of them" + (", or begin another document: `---`" if key.at.column == 1 else ""),
                        other=other.at,
                    )
                )
                return

    def _node(self, event: Any, kind: type[Any], depth: int) -> Node:
        self.nodes += 1
        mark = event.start_mark
        at = Position(self.file, self.line + mark.line, mark.column + 1)
        if self.nodes > MAX_NODES:
            self._refuse(f"the file has more than {MAX_NODES:,} values", at, "split it into several files")
            raise _TooMuchError
        if kind is AliasEvent:
            self._refuse(f"the alias `*{event.anchor}` is not allowed", at, "write the value out")
            return Scalar("", plain=False, at=at, length=1)
        if event.anchor is not None or event.tag is not None:
            self._refuse_marks(event, at)
        if kind is ScalarEvent:
            return self._scalar(event, mark, at)
        if depth >= MAX_DEPTH:
            self._refuse(f"nested more than {MAX_DEPTH} deep", at)
            raise _TooMuchError
        return (Mapping if kind is MappingStartEvent else Sequence)(at, 1, flow=bool(event.flow_style))

    def _refuse_marks(self, event: Any, at: Position) -> None:
        if event.anchor is not None:
            self._refuse(f"the anchor `&{event.anchor}` is not allowed", at, "write the value out where it is needed")
        if event.tag is not None and event.tag.startswith("!") and not event.tag.startswith("!!"):
            self._refuse(NEGATED, at, NEGATED_HINT)
        elif event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(f"the tag `{tag}` is not allowed", at, "leave it out; quotes make a text of anything")

    def _scalar(self, event: Any, start: Any, at: Position) -> Scalar:
        end, style, text = event.end_mark, event.style, event.value
        one_line = start.line == end.line
        length = end.column - start.column if one_line else self._rest_of(at)
        if not style:
            return Scalar(text, True, at, length or 1, False, 0, one_line and len(text) == length)
        quoted = style in _QUOTED
        exact = one_line and len(text) == length - (2 if quoted else 0)
        return Scalar(text, False, at, max(length, 1), not quoted, 1 if quoted else 0, exact)

    def _rest_of(self, at: Position) -> int:
        line = self.lines[at.line - 1] if at.line <= len(self.lines) else ""
        return len(line.rstrip()) - at.column + 1

    def _at(self, mark: Any) -> Position:
        return Position(self.file, self.line + mark.line, mark.column + 1)

    def _refuse(self, message: str, at: Position, hint: str | None = None) -> None:
        self.diagnostics.append(diagnostic("E-YAML", message, at, hint=hint))
