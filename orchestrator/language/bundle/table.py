"""Rows of a CSV file (RFC 4180): the first line names the columns, values are read as plain YAML scalars."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.language.source.core_schema import plain_value
from orchestrator.language.source.diagnostic import diagnostic
from orchestrator.language.source.nodes import Scalar
from orchestrator.language.source.position import Position

if TYPE_CHECKING:
    from orchestrator.language.source.diagnostic import Diagnostic


class Table(NamedTuple):
    """What a file says: rows with their places, and what is wrong with it. `lines` are for excerpts."""

    rows: list[tuple[Position, dict[str, Any]]]
    problems: list[Diagnostic]
    lines: list[str]


def read_table(path: str, data: bytes) -> Table:
    """Read a CSV file; a row that is wrong is left out, and told of."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        at = Position(path, data[: error.start].count(b"\n") + 1, 1)
        return Table([], [diagnostic("E-TYPE", "the file is not UTF-8", at, hint="save it as CSV UTF-8")], [])
    table = Table([], [], text.split("\n"))
    reader = csv.reader([f"{line}\n" for line in table.lines], strict=True)
    begins = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        table.problems.extend(_of_header(header, Position(path, 1, 1)))
        begins = reader.line_num + 1
        for cells in reader:
            at, begins = Position(path, begins, 1), reader.line_num + 1
            if cells and len(cells) != len(header):
                table.problems.append(_uneven(cells, header, at))
            elif cells:
                table.rows.append((at, {name: _cell(cell, at) for name, cell in zip(header, cells, strict=True)}))
    except csv.Error as error:
        table.problems.append(_broken(error, Position(path, begins, 1)))
    return table


def _of_header(header: list[str], at: Position) -> list[Diagnostic]:
    doubled = sorted({name for name in header if header.count(name) > 1 and name})
    found = [diagnostic("E-NAME", f"the column `{name}` stands here twice", at, hint="rename one") for name in doubled]
    if len(header) == 1 and (separator := next((one for one in ";\t" if one in header[0]), "")):
        message = f"cells are separated by {'a tab' if separator != ';' else '`;`'} here, and by `,` in a CSV"
        found.append(diagnostic("E-TYPE", message, at, hint="save it as CSV with commas"))
    if "" in header:
        message = f"column {header.index('') + 1} has no name"
        found.append(diagnostic("E-NAME", message, at, hint="name it, or take the column out"))
    return found


def _uneven(cells: list[str], header: list[str], at: Position) -> Diagnostic:
    message = f"the row has {len(cells)} cells, the header {len(header)}"
    return diagnostic("E-TYPE", message, at, hint="a cell with a comma goes in double quotes")


def _broken(error: csv.Error, at: Position) -> Diagnostic:
    if "field larger" in str(error):
        hint = f"a cell has at most {csv.field_size_limit():,} characters; is a double quote before it left open?"
        return diagnostic("E-TYPE", "a cell of this row is too long", at, hint=hint)
    message = "the double quotes of this row do not match"
    return diagnostic("E-TYPE", message, at, hint='a quote within a cell is written twice: "6"" pipe"')


def _cell(text: str, at: Position) -> Any:
    return plain_value(Scalar(text.strip(), plain=True, at=at, length=1))
