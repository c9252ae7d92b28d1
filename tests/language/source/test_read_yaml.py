"""YAML as the language reads it: the core schema of 1.2, positions, limits, and errors that do not hide each other."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from orchestrator.language.source import Mapping, Position, Scalar, Sequence, read_documents
from orchestrator.language.source.core_schema import plain_value
from orchestrator.language.source.inside import place_inside
from orchestrator.language.source.yaml import lines_of


def only(text: str) -> Mapping:
    documents, diagnostics = read_documents("a.yaml", text.encode())
    assert diagnostics == []
    (document,) = documents
    assert isinstance(document.root, Mapping)
    return document.root


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("True", "True"),
        ("08:00", "08:00"),
        ("1:30", "1:30"),
        ("2026-03-02", "2026-03-02"),
        ("12", 12),
        ("-3", -3),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("~", None),
        ("null", None),
        ('"12"', "12"),
        ("'true'", "true"),
        ("10%", "10%"),
    ],
)
def test_plain_scalars_mean_what_the_core_schema_says(written: str, value: object) -> None:
    node = only(f"key: {written}\n").get("key")
    assert isinstance(node, Scalar)
    assert plain_value(node) == value
    assert type(plain_value(node)) is type(value)


def test_every_key_and_value_knows_its_place() -> None:
    root = only('first: 1\nsecond:\n  - é: [x, "two words"]\n')
    (_, _), (second, items) = root.entries
    assert second.at == Position("a.yaml", 2, 1)
    assert isinstance(items, Sequence)
    inner = items.items[0]
    assert isinstance(inner, Mapping)
    key, flow = inner.entries[0]
    assert (key.at.line, key.at.column) == (3, 5)
    assert isinstance(flow, Sequence)
    assert [(item.at.column, item.length) for item in flow.items] == [(9, 1), (12, 11)]


def test_documents_of_a_file_are_told_apart_by_their_lines() -> None:
    documents, _ = read_documents("a.yaml", b"# nothing but a comment\n---\na: 1\n---\n\n---\nb: 2\nc: 3\n")
    assert [document.root.entries[0][0].at.line for document in documents if isinstance(document.root, Mapping)] == [
        3,
        7,
    ]


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("k: event.prise > 3\n", "prise"),
        ("k: 'event.prise > 3'\n", "prise"),
        ("k: 'it''s event.prise'\n", "prise"),
        ('k: "say \\"a\\" event.prise"\n', "prise"),
        ("k: event.a &&\n  event.prise\n", "prise"),
        ("k: >\n  event.a &&\n  event.prise\n", "prise"),
        ("k: |-\n    event.a &&\n    event.prise\n", "prise"),
    ],
)
def test_a_place_inside_of_a_text_is_found_in_the_file(text: str, needle: str) -> None:
    node = only(text).get("k")
    assert isinstance(node, Scalar)
    lines = lines_of(text.encode())
    at = place_inside(node, lines, node.text.index(needle))
    assert lines[at.line - 1][at.column - 1 :].startswith(needle)


def test_a_slip_in_one_document_does_not_hide_another() -> None:
    text = "a: b: c\n---\nb: 1\nb: 2\n---\nc: *x\n---\nfine: 1\n"
    documents, diagnostics = read_documents("a.yaml", text.encode())
    assert [one.position.line for one in diagnostics] == [1, 4, 6]
    assert len(documents) == 1


def test_a_key_given_twice_cites_both_places() -> None:
    _, (found,) = read_documents("a.yaml", b"where: 1\nwhat: 2\nwhere: 3\n")
    assert found.position == Position("a.yaml", 3, 1)
    assert found.other == Position("a.yaml", 1, 1)


def test_cel_without_its_quotes_is_written_anew_and_the_rest_is_read_on() -> None:
    text = 'entry: {on: a, where: count("b", "7d") > 3, key: x}\nother: &anchor 1\n'
    documents, diagnostics = read_documents("a.yaml", text.encode())
    slip, anchor = diagnostics
    assert slip.hint == 'write entry: {on: a, where: \'count("b", "7d") > 3\', key: x}'
    assert anchor.position.line == 2
    assert documents == []


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (BOMB.encode(), "anchor"),
        (b"a: b\n" * 1_000_000, "5,000,000 bytes"),
        (b"[" * 1_000 + b"]" * 1_000, "32 deep"),
        (b"- " * 1_000 + b"x", "32 deep"),
        (b"[" + b"x," * 150_000 + b"]", "100,000 values"),
        (b"a: \xff\xfe", "UTF-8"),
        (b"a: \x00", "U+0000"),
    ],
    ids=["alias bomb", "5 MB", "depth 1,000", "block depth 1,000", "150,000 values", "not UTF-8", "control character"],
)
def test_bombs_are_refused_fast_and_small(data: bytes, says: str) -> None:
    tracemalloc.start()
    begin = time.process_time()
    documents, diagnostics = read_documents("a.yaml", data)
    seconds = time.process_time() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert documents == []
    assert any(says in one.message for one in diagnostics)
    assert peak < 60_000_000
    assert seconds < (4 if "values" in says else 0.3)  # tracing memory makes everything several times slower


def test_windows_line_ends_and_a_byte_order_mark_are_no_fault() -> None:
    documents, diagnostics = read_documents("a.yaml", "﻿a: 1\r\nb: 2\r\n".encode())
    assert diagnostics == []
    assert isinstance(documents[0].root, Mapping)
    assert [key.at.line for key, _ in documents[0].root.entries] == [1, 2]
