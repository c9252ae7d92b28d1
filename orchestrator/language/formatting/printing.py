"""From the tree of a file to its canonical text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.formatting.tree import Branch, Leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.language.formatting.tree import Entry, Sheet, Value

WIDTH: Final = 140
"""What is written in brackets stays so as long as its line is not longer than this."""

_STEP: Final = 2
_DEPTH: Final = re.compile(r"[|>][-+]?[1-9]")


def print_sheets(sheets: Sequence[Sheet]) -> str:
    """The text of a file: two spaces a level, one blank line at most, documents separated by `---`."""
    return "---\n".join("".join(f"{line}\n" for line in _sheet(sheet)) for sheet in sheets)


def _sheet(sheet: Sheet) -> list[str]:
    lines: list[str] = []
    if isinstance(sheet.root, Branch) and sheet.root.entries:
        lines = _branch(sheet.root, 0)
    elif sheet.root is not None:
        lines = _leaf_lines(sheet.root, _STEP, 0) if isinstance(sheet.root, Leaf) else [_brackets(sheet.root, [])]
    return _trimmed([*lines, *sheet.foot])


def _trimmed(lines: list[str]) -> list[str]:
    """Without blank lines at the beginning."""
    first = next((index for index, line in enumerate(lines) if line), len(lines))
    return lines[first:]


def _branch(branch: Branch, column: int) -> list[str]:
    """The lines of a map or a list in block style."""
    lines: list[str] = []
    for entry in branch.entries:
        own = _entry(entry, column) if branch.is_map else _item(entry, column)
        lines += own if lines else _trimmed(own)
    return lines + _indented(branch.foot, column)


def _indented(lines: Sequence[str], column: int) -> list[str]:
    return [" " * column + line if line else "" for line in lines]


def _behind(comment: str) -> str:
    return f"  {comment}" if comment else ""


def _entry(entry: Entry, column: int) -> list[str]:
    """A key with its value."""
    before = _indented(entry.before, column)
    head = f"{' ' * column}{entry.key}:"
    value = entry.value
    if isinstance(value, Leaf):
        if value.block and entry.after:
            before += _indented([entry.after], column)
        lines = _leaf_lines(value, column + _STEP, entry.column)
        lines[0] = head + (f" {lines[0]}" if lines[0] else "")
        lines[-1] += "" if value.block else _behind(entry.after)
        return before + lines
    short = _short(value, len(head) + 1)
    if short is not None:
        return [*before, f"{head} {short}{_behind(entry.after)}"]
    return [*before, head + _behind(entry.after), *_branch(value, column + _STEP)]


def _item(entry: Entry, column: int) -> list[str]:
    """An item of a list: a dash and its value. Comments inside it that would stand behind the dash go above it."""
    before = _indented(entry.before, column)
    value = entry.value
    behind = _behind(entry.after)
    if isinstance(value, Leaf):
        lines = _leaf_lines(value, column + _STEP, entry.column)
        lines[-1] += "" if value.block else behind
        return [*before, f"{' ' * column}- {lines[0]}".rstrip(), *lines[1:]]
    short = _short(value, column + _STEP)
    if short is not None:
        return [*before, f"{' ' * column}- {short}{behind}"]
    if entry.after:
        before += _indented([entry.after], column)
    lines = _branch(value, column + _STEP)
    first = next(index for index, line in enumerate(lines) if line and not line.lstrip().startswith("#"))
    above = _indented([line.strip() for line in lines[:first]], column)
    return [*before, *above, f"{' ' * column}- {lines[first][column + _STEP :]}", *lines[first + 1 :]]


def _leaf_lines(leaf: Leaf, column: int, parent: int) -> list[str]:
    """A scalar as written; the lines behind its first are indented anew.

    Args:
        leaf: The scalar.
        column: Where its further lines stand.
        parent: The column in which its key or dash was written, which the depth of a `|2` text counts from.
    """
    first, *more = leaf.raw.split("\n")
    if not leaf.block:
        return [first, *(_indented([line.strip() for line in more[:-1]], column)), *_last(more, column)]
    filled = [line for line in more if line.strip()]
    if not filled:
        return [first, *more]
    depth = len(filled[0]) - len(filled[0].lstrip(" "))
    told = _DEPTH.match(first)
    if told is not None:
        depth = parent + int(told[0][-1])
        first = f"{told[0][:-1]}{_STEP}{first[told.end() :]}"
    return [first, *(" " * column + line[depth:] if len(line) > depth else "" for line in more)]


def _last(more: Sequence[str], column: int) -> list[str]:
    """The last line of a scalar that goes over several: what stands behind the text in quotes stays."""
    return [" " * column + more[-1].lstrip()] if more else []


def _short(branch: Branch, column: int) -> str | None:
    """A map or a list on one line, in brackets; None when it is written over several lines.

    It is when its author wrote it so, no comment stands inside, and the line is not too long.
    """
    if not branch.entries:
        return None if branch.foot else _brackets(branch, [])
    if not branch.flow:
        return None
    text = _one_line(branch)
    return None if text is None or column + len(text) > WIDTH else text


def _one_line(value: Value) -> str | None:
    if isinstance(value, Leaf):
        return None if "\n" in value.raw else value.raw
    if value.foot:
        return None
    parts = []
    for entry in value.entries:
        text = None if any(entry.before) or entry.after else _one_line(entry.value)
        if text is None:
            return None
        parts.append(text if entry.key is None else f"{entry.key}: {text}" if text else entry.key)
    return _brackets(value, parts)


def _brackets(branch: Branch, parts: list[str]) -> str:
    inside = ", ".join(parts)
    return f"{{{inside}}}" if branch.is_map else f"[{inside}]"
