"""One field specification: what parsing knows, JSON Schema and the reference pages know too.

`UPDATE_GOLDEN=1 pytest tests/language/spec` writes docs/reference/language anew.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.language.source import read_documents
from orchestrator.language.spec.documents import KINDS
from orchestrator.language.spec.fields import Element, fields_of
from orchestrator.language.spec.reader import INVALID, Reader
from orchestrator.language.spec.reading import read_element
from orchestrator.language.spec.reference import RULES, reference_pages
from orchestrator.language.spec.step_words import STEP_WORDS
from orchestrator.language.spec.times import Duration, PerType, TimeOfDay, Timestamp
from orchestrator.language.spec.types import Percent, milliseconds
from orchestrator.language.spec.values import Instant


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90s", 90_000),
        ("30m", 1_800_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("1h1m30s", 3_690_000),
        ("250ms", 250),
        ("-7d", -604_800_000),
        ("0s", 0),
    ],
)
def test_durations(text: str, ms: int) -> None:
    assert milliseconds(text) == ms


@pytest.mark.parametrize("text", ["", "-", "7", "1.5h", "1m1h", "h", "7 d", "7D"])
def test_what_is_no_duration(text: str) -> None:
    assert milliseconds(text) is None


def test_other_values() -> None:
    assert TimeOfDay().of("08:05") == 485
    assert TimeOfDay().of("24:00") == 1440
    assert Percent().of("12.5%") == 0.125
    assert Duration(signed=True).of("-1h") == -3_600_000
    assert Timestamp().of("2026-03-02T08:15:00+01:00") == Instant(1_772_435_700_000, local=False)
    assert Timestamp().of("2026-03-02T08:15:00") == Instant(1_772_439_300_000, local=True)


@pytest.mark.parametrize("wrong", ["24:01", "8:00", "25:00"])
def test_what_is_no_time_of_day(wrong: str) -> None:
    with pytest.raises(ValueError, match="bad default"):
        TimeOfDay().of(wrong)


@pytest.mark.parametrize(("given", "hint"), [("weeks", "did you mean `week`?"), ("7 days", "write `7d`")])
def test_a_window_that_is_none_is_told_how_it_is_written(given: str, hint: str) -> None:
    reader = Reader()
    (document,), _ = read_documents("a.yaml", f"per: {given}\n".encode())
    node: Any = document.root
    assert PerType().read(node.entries[0][1], reader) is INVALID
    assert [one.hint for one in reader.diagnostics] == [hint]


def elements() -> list[type[Element]]:
    """Every struct of the language."""
    found: list[type[Element]] = []
    waiting: list[Any] = [*KINDS.values(), *(word.body for word in STEP_WORDS.values())]
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, Element):
            if one not in found:
                found.append(one)
                waiting.extend(spec.type for spec in fields_of(one))
        elif dataclasses.is_dataclass(one):
            waiting.extend(getattr(one, field.name) for field in dataclasses.fields(one))
    return found


@pytest.mark.parametrize("cls", elements(), ids=lambda cls: cls.__name__)
def test_every_struct_is_explained_and_every_field_has_a_meaning(cls: type[Element]) -> None:
    assert cls.__doc__
    assert not cls.__doc__.startswith(f"{cls.__name__}(")
    names = {spec.name for spec in fields_of(cls)}
    assert names
    for spec in fields_of(cls):
        assert spec.meaning, spec.name
        assert spec.type.words, spec.name
        assert not spec.meaning.endswith("."), spec.name
    for rule in cls.constraints:
        for name in (*getattr(rule, "names", ()), *getattr(rule, "others", ())):
            assert name in names, f"{rule} names what {cls.__name__} has not"


@pytest.mark.parametrize("cls", elements(), ids=lambda cls: cls.__name__)
def test_a_struct_without_fields_reports_what_is_required_and_has_its_defaults(cls: type[Element]) -> None:
    (document,), _ = read_documents("a.yaml", b"unknown: 1\n")
    reader = Reader()
    element = read_element(cls, document.root, reader)
    assert element is not INVALID
    messages = " ".join(one.message for one in reader.diagnostics)
    for spec in fields_of(cls):
        assert (f"`{spec.name}` is missing" in messages) == spec.required
        assert getattr(element, spec.attribute) == spec.absent()


def test_the_reference_names_every_field_of_every_document_and_step() -> None:
    pages = reference_pages()
    for kind, cls in KINDS.items():
        for spec in fields_of(cls):
            assert f"| `{spec.name}` |" in pages[f"{kind}.md"]
    for word in STEP_WORDS.values():
        assert f"### {word.word}\n" in pages["steps.md"]
    assert "| `frequency_cap` |" in pages["words.md"]


def test_the_reference_in_docs_is_the_one_that_the_specification_gives() -> None:
    folder = Path(__file__).parents[3] / "docs" / "reference" / "language"
    for name, text in reference_pages().items() if os.environ.get("UPDATE_GOLDEN") else ():
        (folder / name).write_text(text)
    by_hand = {f"{name}.md" for name in RULES}
    written = {path.name: path.read_text() for path in folder.glob("*.md")}
    assert by_hand <= written.keys()
    assert {name: text for name, text in written.items() if name not in by_hand} == reference_pages()
