from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.source.position import Position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.language.source.nodes import Scalar


def place_inside(scalar: Scalar, lines: Sequence[str], offset: int) -> Position:
    """Where the character at `offset` of a scalar's text stands in the file.

    Quoting, folding and block indentation change only white space and quotes, so the place is found by counting
    the other characters from the scalar's beginning.
    """
    at = scalar.at
    if scalar.exact:
        return Position(at.file, at.line, at.column + scalar.inset + offset)
    wanted = sum(not character.isspace() for character in scalar.text[:offset])
    line = at.line + 1 if scalar.block else at.line
    start = 0 if scalar.block else at.column - 1 + scalar.inset
    quote = lines[at.line - 1][at.column - 1] if scalar.inset else ""
    for number in range(line, len(lines) + 1):
        text = lines[number - 1]
        column = start
        while column < len(text):
            if not text[column].isspace():
                if wanted == 0:
                    return Position(at.file, number, column + 1)
                wanted -= 1
                if quote and text[column : column + 2] in {"''", '\\"', "\\\\"}:
                    column += 1
            column += 1
        start = 0
    return at
