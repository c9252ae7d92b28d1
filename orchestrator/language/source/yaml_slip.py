"""The parser's complaints in plain words, with what was meant where a common slip leads to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN_WORDS: Final = {
    "mapping values are not allowed in this context": "a `: ` stands where no key can be",
    "did not find expected key": "a key was expected here",
    "did not find expected ',' or '}'": "a `,` or the closing `}` was expected here",
    "did not find expected ',' or ']'": "a `,` or the closing `]` was expected here",
    "found character that cannot start any token": "a value cannot begin with this character",
    "did not find expected '-' indicator": "a `- ` was expected here",
    "could not find expected ':'": "a `:` was expected behind the key",
}
NEGATED: Final = "a condition that begins with `!` needs quotes: to YAML it is a tag"
NEGATED_HINT: Final = "put it in single quotes, as in `'!profile.known'`"
_IN_QUOTES: Final = "a text that holds `: ` goes in quotes"
_COMMENT: Final = re.compile(r"[{\[,:][^'\"]*\s#")
_TIGHT_DASH: Final = re.compile(r"(\s*)-(?=[^\s-])")
_NEGATED: Final = re.compile(r"[:\-\[,{]\s+(!(?!!).*)")
_NO_BLANK: Final = re.compile(r"[ ]*[\u00a0\u2007\u202f]")
_KEY: Final = re.compile(r"(\s*(?:- +)?)[\w.\-]+:(\s+\S)?")


class Slip(NamedTuple):
    """What is wrong, in which column (from 1), and what to do; `line` where it is another than the parser's."""

    message: str
    column: int
    hint: str | None
    line: int = 0


def slip_of(problem: str, lines: Sequence[str], line: int, column: int) -> Slip:
    """What a complaint of the parser is about.

    Args:
        problem: in the parser's words.
        lines: the file's.
        line: where it complains, from 1.
        column: from 1.
    """
    text = lines[line - 1] if line <= len(lines) else ""
    if "cannot start any token" in problem and text[column - 1 : column] == "\t":
        return Slip("a tab stands where YAML takes spaces only", column, "indent with spaces")
    for number in range(line, max(0, line - 3), -1):
        blank = _NO_BLANK.match(lines[number - 1]) if number <= len(lines) else None
        if blank is not None:
            message = "a blank that is none (a no-break space, as word processors write it) stands in the indentation"
            return Slip(message, blank.end(), "indent with spaces", number)
    if "',' or" in problem and 1 < line <= len(lines) and lines[line - 2].count('"') % 2:
        return Slip("the quote that opens here is not closed", lines[line - 2].rindex('"') + 1, "close it", line - 1)
    if "mapping values" in problem:
        dash = _TIGHT_DASH.match(text)
        if dash is not None:
            return Slip("a `-` that begins an item needs a space behind it", len(dash[1]) + 1, "write `- `")
        begins = _too_deep(lines, line)
        if begins:
            message = "this line is indented deeper than the one before, which has its value already"
            return Slip(message, len(text) - len(text.lstrip()) + 1, f"begin it in column {begins}, or end that value")
    cut = _cut_short(lines, line, column) if "',' or" in problem and text else None
    return cut or _plainly(problem, text, column)


def _cut_short(lines: Sequence[str], line: int, column: int) -> Slip | None:
    """A text in brackets that a `: ` or a ` #` ends before its author does."""
    if lines[line - 1][column - 1 : column + 1].rstrip() == ":":
        return Slip("a `: ` stands where no key can be", column, _IN_QUOTES)
    before = next((number for number in range(line - 1, 0, -1) if lines[number - 1].strip()), 0)
    for number in (line, before):
        comment = _COMMENT.search(lines[number - 1]) if number else None
        if comment is not None:
            message = "` #` begins a comment, so the rest of this line is not read"
            return Slip(message, comment.end(), "a text that holds ` #` goes in quotes", number)
    return None


def _plainly(problem: str, text: str, column: int) -> Slip:
    negated = _NEGATED.search(text) if "whitespace or line break" in problem else None
    if negated is not None:
        return Slip(NEGATED, negated.start(1) + 1, NEGATED_HINT)
    return Slip(_PLAIN_WORDS.get(problem, problem), column, _hint(problem))


def _too_deep(lines: Sequence[str], line: int) -> int:
    """The column in which the key on the line before begins, where this line goes deeper for no reason; else 0."""
    before = next((text for text in reversed(lines[: line - 1]) if text.strip()), "")
    key, here = _KEY.match(before), lines[line - 1]
    if key is None or key[2] is None or before.rstrip().endswith((":", "|", ">", "{", "[", ",")):
        return 0
    return len(key[1]) + 1 if len(here) - len(here.lstrip()) > len(key[1]) else 0


def _hint(problem: str) -> str | None:
    if "mapping values" in problem:
        return f"{_IN_QUOTES}; else look at the indentation"
    if "cannot start any token" in problem:
        return "put the value in quotes; indent with spaces, not tabs"
    if "expected key" in problem or "'-' indicator" in problem:
        return "look at the indentation: what belongs together begins in the same column"
    return None
