"""The same diagnostics as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

import json

from orchestrator.language.source import Position
from orchestrator.language.source.diagnostic import diagnostic
from orchestrator.language.source.rendering import as_github, as_json, as_sarif, as_text

LINES = {"a.yaml": ["segment: loyal", "segment: loyal, 100%"]}
TWICE = diagnostic(
    "E-NAME",
    "the segment `loyal` is declared twice",
    Position("a.yaml", 2, 10),
    length=5,
    hint="rename one: of them",
    other=Position("a.yaml", 1, 10),
)
UNUSED = diagnostic("W-UNUSED", "nothing uses 100%", Position("a.yaml", 2, 10), length=50)


def test_text_underlines_both_places_and_counts() -> None:
    assert as_text([TWICE, UNUSED], LINES).splitlines() == [
        "a.yaml:2:10 E-NAME the segment `loyal` is declared twice",
        "  2 | segment: loyal, 100%",
        "               ^^^^^",
        "  a.yaml:1:10 first given here",
        "  1 | segment: loyal",
        "               ^",
        "  hint: rename one: of them",
        "",
        "a.yaml:2:10 W-UNUSED nothing uses 100%",
        "  2 | segment: loyal, 100%",
        "               ^^^^^^^^^^^",
        "",
        "Found 1 error and 1 warning.",
    ]


def test_text_of_no_problem_says_so() -> None:
    assert as_text([], {}) == "No problems found.\n"


def test_a_long_line_is_shown_around_the_place() -> None:
    lines = {"a.yaml": ["x" * 500 + "HERE" + "y" * 500]}
    found = diagnostic("E-CEL", "wrong", Position("a.yaml", 1, 501), length=4)
    _, excerpt, marks, *_ = as_text([found], lines).splitlines()
    assert len(excerpt) < 180
    assert excerpt[marks.index("^") : marks.rindex("^") + 1] == "HERE"


def test_json_holds_every_part() -> None:
    first, second = json.loads(as_json([TWICE, UNUSED]))
    assert first["other"] == {"file": "a.yaml", "line": 1, "column": 10, "message": "first given here"}
    assert (second["severity"], second["line"], second["column"], second["hint"]) == ("warning", 2, 10, None)


def test_github_annotations_escape_what_they_must() -> None:
    error, warning = as_github([TWICE, UNUSED]).splitlines()
    assert error.startswith("::error file=a.yaml,line=2,col=10,endColumn=15,title=E-NAME::")
    assert error.endswith("declared twice%0Arename one: of them")
    assert warning.endswith("::nothing uses 100%25")


def test_sarif_names_rules_places_and_related_places() -> None:
    (run,) = json.loads(as_sarif([TWICE, UNUSED], "0.1.0"))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E-NAME", "W-UNUSED"]
    result = run["results"][0]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 2, "startColumn": 10, "endColumn": 15}
    assert result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 1
    assert run["results"][1]["level"] == "warning"
