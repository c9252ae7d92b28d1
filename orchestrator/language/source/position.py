from __future__ import annotations

import msgspec


class Position(msgspec.Struct, frozen=True, order=True, gc=False):
    """A place in a bundle's file, as an editor shows it.

    Attributes:
        file: Path relative to the bundle's folder.
        line: 1 for the first line.
        column: 1 for the first character; counts characters, not bytes.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Position("", 0, 0)
