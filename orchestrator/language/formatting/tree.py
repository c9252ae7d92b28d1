"""A YAML file with everything that its author wrote: values as they stand, comments, blank lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(slots=True)
class Leaf:
    """A scalar, exactly as written.

    Attributes:
        raw: Its characters in the file, quotes and line breaks included; "" for nothing.
        block: It is a `|` or `>` text.
        start: Index of its first character in the file.
        end: Index behind its last one; white space that means nothing does not count.
    """

    raw: str
    block: bool
    start: int
    end: int


@dataclass(slots=True)
class Branch:
    """A map or a list.

    Attributes:
        is_map: A map, else a list.
        flow: Written with brackets.
        start: Index of its first character.
        end: Index behind its last one.
        column: 0 for the first; where its keys or dashes stand.
        entries: What it holds, in order.
        foot: Comments behind its last entry, and "" for a blank line.
    """

    is_map: bool
    flow: bool
    start: int
    column: int
    end: int = 0
    entries: list[Entry] = field(default_factory=list)
    foot: list[str] = field(default_factory=list)


Value: TypeAlias = Leaf | Branch


@dataclass(slots=True)
class Entry:
    """A key with its value, or an item of a list.

    Attributes:
        value: What it holds.
        key: The key as written; None for an item.
        name: The key without its quotes.
        start: Index where the key or the item begins.
        column: Where the key or the dash stands, 0 for the first column.
        before: Comments on lines of their own above it, and "" for a blank line.
        after: The comment behind it on the same line; "" when there is none.
    """

    value: Value
    start: int
    column: int
    key: str | None = None
    name: str = ""
    before: list[str] = field(default_factory=list)
    after: str = ""


@dataclass(slots=True)
class Sheet:
    """One document of a file.

    Attributes:
        start: Index from which comments belong to it.
        root: Its value; None for a document of nothing but comments.
        foot: Comments behind it, and "" for a blank line.
    """

    start: int
    root: Value | None = None
    foot: list[str] = field(default_factory=list)
