"""The JSON Schema for editors: what lint takes is not underlined while it is written, and what lint refuses is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from orchestrator.language.source import read_documents
from orchestrator.language.spec.documents import KINDS
from orchestrator.language.spec.fields import fields_of
from orchestrator.language.spec.not_run import STEPS_NOT_RUN
from orchestrator.language.spec.reader import Reader
from orchestrator.language.spec.reading import read_element
from orchestrator.language.spec.schema import bundle_schema
from orchestrator.language.spec.step_words import STEP_WORDS
from orchestrator.language.spec.types import plain_data

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "scenarios").rglob("*.yaml"))
REFUSED_LATER = {"e-not-run.bad.yaml", "e-type-days.bad.yaml"}
"""Cases whose fields are read, and whose values another check refuses."""
LINTED = [
    path for path in sorted((ROOT / "tests/language/lint/cases").glob("*.yaml")) if path.name not in REFUSED_LATER
]
EDITOR = Draft202012Validator(bundle_schema())
STORY = {"scenario": "story", "entry": {"on": "page_viewed"}, "steps": [{"id": "done", "end": {}}]}


def documents(path: Path) -> Iterator[tuple[str, Any]]:
    for document in read_documents(path.name, path.read_bytes())[0]:
        yield f"{path.name}:{document.root.at.line}", document.root


def underlined(document: Any) -> bool:
    return not EDITOR.is_valid(document)


def taken(root: Any) -> bool:
    """Whether the reader of bundles finds nothing to say about the fields of a document."""
    kind = root.entries[0][0].text
    if kind not in KINDS:
        return False
    reader = Reader()
    read_element(KINDS[kind], root, reader)
    return reader.diagnostics == []


def test_the_schema_is_json_schema() -> None:
    Draft202012Validator.check_schema(bundle_schema())
    assert json.loads(json.dumps(bundle_schema())) == bundle_schema()


def test_it_knows_every_field_and_every_step_word_that_this_release_runs() -> None:
    definitions = bundle_schema()["$defs"]
    for kind, cls in KINDS.items():
        assert set(definitions[kind]["properties"]) == {spec.name for spec in fields_of(cls)}
        assert definitions[kind]["required"][0] == kind
    words = {word for step in definitions["step"]["anyOf"] for word in step["required"]} - {"id"}
    assert words == set(STEP_WORDS) - set(STEPS_NOT_RUN)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_nothing_in_the_shipped_bundle_is_underlined(path: Path) -> None:
    assert [place for place, root in documents(path) if underlined(plain_data(root))] == []


def test_nothing_that_the_reader_takes_is_underlined() -> None:
    roots = [(place, root) for path in LINTED for place, root in documents(path) if hasattr(root, "entries")]
    found = [(place, root) for place, root in roots if taken(root)]
    assert len(found) > 100
    assert [place for place, root in found if underlined(plain_data(root))] == []


def test_a_story_is_not_underlined() -> None:
    assert not underlined(STORY)


@pytest.mark.parametrize(
    "slip",
    [
        {"scenaro": "story"},
        STORY | {"goals": {"on": "order_placed"}},
        STORY | {"entry": {"on": "page_viewed", "if": "true"}},
        STORY | {"entry": {"on": "page_viewed", "re_entry": {"after": "7 days"}}},
        STORY | {"steps": [{"id": "mail", "sends": {"content": "em.hello"}}]},
        STORY | {"steps": [{"id": "mail", "send": {}}]},
        STORY | {"steps": [{"id": "offer", "show": {"slot": "hero"}}]},
        {"offer": "ten_off"},
        {"kpi": "reaction"},
    ],
    ids=json.dumps,
)
def test_a_slip_is_underlined(slip: dict[str, Any]) -> None:
    assert underlined(slip)
