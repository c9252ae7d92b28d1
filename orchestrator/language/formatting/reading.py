"""From the text of a file to its tree. The text has been read before: it is sound YAML without anchors and tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from orchestrator.language.formatting.comments import Comment, attach, comment_in
from orchestrator.language.formatting.tree import Branch, Entry, Leaf, Sheet

if TYPE_CHECKING:
    from orchestrator.language.formatting.tree import Value

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HEADER_COMMENT: Final = re.compile(r"\s#.*")


def read_sheets(text: str) -> list[Sheet]:
    """The documents of a file with their comments; documents of nothing at all are left out.

    Args:
        text: Sound YAML whose only line break is a line feed.
    """
    reading = _Reading(text)
    reading.read()
    sheets = reading.sheets or [Sheet(0)]
    sheets[0].start = 0
    attach(text, sheets, reading.comments)
    return [sheet for sheet in sheets if sheet.root is not None or sheet.foot]


class _Reading:
    """One file being read: the tree from the parser's events, the comments from what lies between them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sheets: list[Sheet] = []
        self.comments: list[Comment] = []
        self.stack: list[Branch] = []
        self.keys: list[Entry | None] = []
        self.read_to = 0

    def read(self) -> None:
        parser: Any = _Loader(self.text)
        try:
            while parser.check_event():
                self._event(parser.get_event())
        finally:
            parser.dispose()
        self._between(len(self.text))

    def _event(self, event: Any) -> None:
        start = min(event.start_mark.index, len(self.text))
        if isinstance(event, DocumentStartEvent):
            self._between(start)
            self.sheets.append(Sheet(start))
        elif isinstance(event, ScalarEvent):
            self._between(start)
            leaf = self._leaf(event, start)
            self.read_to = leaf.end
            self._place(leaf, event)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._between(start)
            is_map = isinstance(event, MappingStartEvent)
            mark: Any = event.start_mark
            branch = Branch(is_map, bool(event.flow_style), start, mark.column)
            self._place(branch, event)
            self.stack.append(branch)
            self.keys.append(None)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._close(event)

    def _close(self, event: Any) -> None:
        branch = self.stack.pop()
        self.keys.pop()
        if branch.flow:
            end = min(event.end_mark.index, len(self.text))
            self._between(end)
            branch.end = end
        else:
            branch.end = branch.entries[-1].value.end if branch.entries else branch.start

    def _leaf(self, event: Any, start: int) -> Leaf:
        block = event.style in {"|", ">"}
        raw = self.text[start : min(event.end_mark.index, len(self.text))]
        if block:
            raw = _without_idle_lines(raw)
        elif not event.style and not event.value:
            raw = raw.strip()
        end = start + len(raw) + (block and keeps_line_breaks(raw))
        return Leaf(raw, block, start, end)

    def _place(self, value: Value, event: Any) -> None:
        """Put a value where it belongs: the root, an item, a key, or the value of the key before."""
        if not self.stack:
            if not isinstance(value, Leaf) or value.raw:
                self.sheets[-1].root = value
            return
        parent, key = self.stack[-1], self.keys[-1]
        column = event.start_mark.column
        if not parent.is_map:
            parent.entries.append(Entry(value, value.start, column if parent.flow else parent.column))
        elif key is None:
            self.keys[-1] = Entry(value, value.start, column, getattr(value, "raw", ""), getattr(event, "value", ""))
        else:
            key.value = value
            parent.entries.append(key)
            self.keys[-1] = None

    def _between(self, end: int) -> None:
        """Note the comments between what was read last and this index: nothing else can hold a `#` there."""
        start = self.read_to
        self.read_to = max(start, end)
        while (comment := comment_in(self.text, start, end)) is not None:
            self.comments.append(comment)
            start = comment.end


def keeps_line_breaks(raw: str) -> bool:
    """Whether the blank lines at the end of a `|` or `>` text belong to it."""
    return "+" in _HEADER_COMMENT.sub("", raw.partition("\n")[0])


def _without_idle_lines(raw: str) -> str:
    """A `|` or `>` text without blank lines at its end that mean nothing."""
    lines = raw.split("\n")
    if keeps_line_breaks(raw):
        return "\n".join(lines[:-1] if not lines[-1].strip() else lines)
    indents = [len(line) - len(line.lstrip(" ")) for line in lines[1:] if line.strip()]
    deepest = indents[0] if indents else len(raw)
    while len(lines) > 1 and not lines[-1].strip(" ") and len(lines[-1]) <= deepest:
        lines.pop()
    return "\n".join(lines)
