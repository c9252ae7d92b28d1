"""Rows of facts as spreadsheets write them: CSV, whatever is wrong with it told with its line."""

import pytest

from orchestrator.language.bundle.table import read_table


def rows(data: bytes) -> list[tuple[int, dict[str, object]]]:
    table = read_table("rows.csv", data)
    assert table.problems == []
    return [(at.line, row) for at, row in table.rows]


def wrong(data: bytes) -> list[tuple[str, int, str]]:
    return [(one.code, one.position.line, one.message) for one in read_table("rows.csv", data).problems]


def test_values_are_read_as_in_yaml_and_empty_lines_are_none() -> None:
    data = b"sku, price ,left,name\r\nlumo-1,199.5,3,Lumo\r\n\r\nlumo-2,12,,'x'\r\n"
    assert rows(data) == [
        (2, {"sku": "lumo-1", "price": 199.5, "left": 3, "name": "Lumo"}),
        (4, {"sku": "lumo-2", "price": 12, "left": None, "name": "'x'"}),
    ]


def test_a_cell_in_quotes_has_commas_quotes_and_lines_of_its_own() -> None:
    data = 'sku,text\na,"one, ""two""\nthree\u2028four"\nb,x\n'.encode()
    assert rows(data) == [(2, {"sku": "a", "text": 'one, "two"\nthree\u2028four'}), (4, {"sku": "b", "text": "x"})]


def test_the_mark_that_spreadsheets_put_first_is_no_part_of_a_name() -> None:
    assert rows(b"\xef\xbb\xbfsku\na\n") == [(2, {"sku": "a"})]


def test_an_empty_file_has_no_rows() -> None:
    assert rows(b"") == rows(b"sku\n") == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'sku,n\na,"x\nb,2\n', [("E-TYPE", 2, "the double quotes of this row do not match")]),
        (b'sku,n\na,1\nb,"x"y\n', [("E-TYPE", 3, "the double quotes of this row do not match")]),
        (b"sku,n\na,1\nb," + b"x" * 140_000, [("E-TYPE", 3, "a cell of this row is too long")]),
        (b"sku,n\na,1,2\nb,1\nc\n", [
            ("E-TYPE", 2, "the row has 3 cells, the header 2"), ("E-TYPE", 4, "the row has 1 cells, the header 2"),
        ]),
        (b"sku,n,sku\na,1,b\n", [("E-NAME", 1, "the column `sku` stands here twice")]),
        (b"sku,\na,1\n", [("E-NAME", 1, "column 2 has no name")]),
        (b"sku;n\na;1\n", [("E-TYPE", 1, "cells are separated by `;` here, and by `,` in a CSV")]),
        (b"sku\tn\na\t1\n", [("E-TYPE", 1, "cells are separated by a tab here, and by `,` in a CSV")]),
        ("sku,name\na,x\nb,Möbel\n".encode("latin-1"), [("E-TYPE", 3, "the file is not UTF-8")]),
    ],
    ids=[
        "quote left open", "quote within a cell", "cell too long", "uneven", "column twice", "no name", "semicolons",
        "tabs", "latin-1",
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(data: bytes, told: list[tuple[str, int, str]]) -> None:
    """An open quote took in all rows behind it, a letter that is none became a question mark, and nobody was told."""
    assert wrong(data) == told
