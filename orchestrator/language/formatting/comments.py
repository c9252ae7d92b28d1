"""Comments of a YAML file: where they are, and what they are about."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.language.formatting.tree import Branch, Leaf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.language.formatting.tree import Entry, Sheet, Value


class Comment(NamedTuple):
    """One comment.

    Attributes:
        start: Index of its `#`.
        end: Index behind its line.
        text: From the `#` on, without white space at the end.
        column: 0 for the first.
        alone: Nothing stands before it on its line.
    """

    start: int
    end: int
    text: str
    column: int
    alone: bool


def comment_in(text: str, start: int, end: int) -> Comment | None:
    """The first comment in a stretch between two values; None when there is none."""
    at = text.find("#", start, end)
    if at < 0:
        return None
    stop = text.find("\n", at)
    stop = len(text) if stop < 0 else stop
    line = text.rfind("\n", 0, at) + 1
    return Comment(at, stop, text[at:stop].rstrip(), at - line, not text[line:at].strip())


def attach(text: str, sheets: Sequence[Sheet], comments: Sequence[Comment]) -> None:
    """Hang every comment, and every blank line, where it belongs in the trees.

    A comment behind something on its line belongs to that. One on a line of its own belongs to what follows it, or,
    when it is indented deeper than what follows, to the end of the list or map before it. Several blank lines count
    as one.
    """
    bounds = [sheet.start for sheet in sheets[1:]] + [len(text) + 1]
    for sheet, bound in zip(sheets, bounds, strict=True):
        _Attaching(text, sheet).run([one for one in comments if sheet.start <= one.start < bound])


class _Attaching:
    """The comments of one document on their way to their places."""

    def __init__(self, text: str, sheet: Sheet) -> None:
        self.sheet = sheet
        self.lines = text.split("\n")
        self.starts = list(accumulate((len(line) + 1 for line in self.lines), initial=0))
        self.entries = list(_entries(sheet.root))
        self.taken = {line for leaf in _leaves(sheet.root) for line in self._lines_of(leaf)}

    def _line(self, index: int) -> int:
        return bisect_right(self.starts, index) - 1

    def _lines_of(self, leaf: Leaf) -> range:
        return range(self._line(leaf.start), self._line(max(leaf.end - 1, leaf.start)) + 1)

    def run(self, comments: list[Comment]) -> None:
        alone = []
        for comment in comments:
            owner = None if comment.alone else self._owner(comment)
            if owner is None:
                alone.append(comment)
            elif owner.after:
                owner.before.append(comment.text)
            else:
                owner.after = comment.text
        self._place(alone)

    def _owner(self, comment: Comment) -> Entry | None:
        """What a comment stands behind: the key whose value follows it, else the widest of what ends there."""
        line = self._line(comment.start)
        begun = [entry for entry in self.entries if entry.start < comment.start]
        if not begun:
            return None
        last = begun[-1]
        if last.key is not None and last.value.start > comment.start and self._line(last.start) == line:
            return last
        ended = [entry for entry in begun if self._ends_on(entry, line, comment.start)]
        return max(ended, key=lambda entry: entry.value.end, default=None)

    def _ends_on(self, entry: Entry, line: int, before: int) -> bool:
        value = entry.value
        if isinstance(value, Branch) and not value.flow:
            return False
        return value.end <= before and self._line(max(value.end - 1, entry.start)) == line

    def _place(self, alone: list[Comment]) -> None:
        """Comments on lines of their own, and the blank lines above them and above entries."""
        waiting = alone[::-1]
        line = -1
        for index, entry in enumerate(self.entries):
            above: list[str] = []
            while waiting and waiting[-1].start < entry.start:
                comment = waiting.pop()
                foot = self._foot(comment, index)
                (above if foot is None else foot).extend(self._with_blank(comment))
            if self._line(entry.start) != line:
                above += [""] * self._blank_above(entry.start)
            entry.before[:0] = above
            line = self._line(entry.start)
        for comment in reversed(waiting):
            foot = self._foot(comment, len(self.entries))
            (self.sheet.foot if foot is None else foot).extend(self._with_blank(comment))

    def _with_blank(self, comment: Comment) -> list[str]:
        return [*[""] * (comment.alone and self._blank_above(comment.start)), comment.text]

    def _blank_above(self, index: int) -> bool:
        line = self._line(index) - 1
        return line >= 0 and not self.lines[line].strip() and line not in self.taken

    def _foot(self, comment: Comment, index: int) -> list[str] | None:
        """The end of the list or map that a comment belongs to; None when it is about the entry that follows."""
        column = self.entries[index].column if index < len(self.entries) else -1
        if comment.column <= column:
            return None
        for branch in reversed(list(_around(self.sheet.root, comment.start))):
            if not branch.flow and column < branch.column <= comment.column:
                return branch.foot
        return None


def _entries(value: Value | None) -> Iterator[Entry]:
    """Every entry in the order of the file, the outer before the inner."""
    if isinstance(value, Branch):
        for entry in value.entries:
            yield entry
            yield from _entries(entry.value)


def _leaves(value: Value | None) -> Iterator[Leaf]:
    if isinstance(value, Leaf):
        yield value
    elif value is not None:
        for entry in value.entries:
            yield from _leaves(entry.value)


def _around(value: Value | None, index: int) -> Iterator[Branch]:
    """The lists and maps that stand open above an index, the outer first."""
    while isinstance(value, Branch) and value.start < index:
        yield value
        begun = [entry for entry in value.entries if entry.start < index]
        value = begun[-1].value if begun else None
