"""The commonest slip: CEL with a comma, a quote or a colon inside `{ }`, without single quotes around it."""

from __future__ import annotations

import re

_VALUE = re.compile(r"(?P<key>\b[a-z_]\w*): (?=[^\s'|>])")
_NEXT_KEY = re.compile(r",\s*[a-z_]\w*:(\s|$)")
_OPEN = {"(": ")", "[": "]", "{": "}"}
_LOOKS_LIKE_CEL = re.compile(r"[(=<>&|?!+\"]")


def corrected_line(line: str) -> str | None:
    """The line with its CEL in single quotes; None when nothing on it looks like the slip."""
    fixed, position, changed = [], 0, False
    for match in _VALUE.finditer(line):
        if match.end() < position or "{" not in line[: match.start()]:
            continue
        end = _end_of_value(line, match.end())
        value = line[match.end() : end]
        if value.startswith(("{", "[")) or not _needs_quotes(value):
            continue
        fixed.append(line[position : match.end()] + "'" + value.replace("'", "''") + "'")
        position, changed = end, True
    return "".join(fixed) + line[position:] if changed else None


def _needs_quotes(value: str) -> bool:
    if value.startswith('"') and value.count('"') == 2 and value.endswith('"'):
        return False
    return bool(_LOOKS_LIKE_CEL.search(value)) and any(mark in value for mark in (",", '"', ": ", "[", "{"))


def _end_of_value(line: str, start: int) -> int:
    """Where a value in a flow map ends: at the comma before the next key, or at the bracket that closes the map."""
    expected: list[str] = []
    quote = ""
    for index in range(start, len(line)):
        character = line[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _OPEN:
            expected.append(_OPEN[character])
        elif expected and character == expected[-1]:
            expected.pop()
        elif not expected and (character in "}]" or _NEXT_KEY.match(line, index)):
            return index
    return len(line.rstrip())
