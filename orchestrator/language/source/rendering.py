"""Diagnostics as text, JSON, GitHub annotations and SARIF. Pure: everything returns strings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.source.codes import CODES
from orchestrator.language.source.diagnostic import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.language.source.position import Position

_WIDEST: Final = 160
_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(diagnostics: Sequence[Diagnostic], lines: Mapping[str, Sequence[str]]) -> str:
    """What a person reads in a terminal: place, code, message, the excerpt underlined, and what to write instead.

    Args:
        diagnostics: In the order to show.
        lines: The lines of every file, for the excerpts.
    """
    blocks = [_block(one, lines) for one in diagnostics]
    return "\n\n".join([*blocks, summary(diagnostics)]) + "\n"


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """One line: how many of which."""
    errors = sum(one.severity is Severity.ERROR for one in diagnostics)
    warnings = len(diagnostics) - errors
    if not diagnostics:
        return "No problems found."
    parts = [_many(errors, "error"), _many(warnings, "warning")]
    return "Found " + " and ".join(part for part in parts if part) + "."


def _many(count: int, noun: str) -> str:
    return "" if count == 0 else f"{count} {noun}" + ("" if count == 1 else "s")


def _block(one: Diagnostic, lines: Mapping[str, Sequence[str]]) -> str:
    parts = [f"{one.position} {one.code} {one.message}", *_excerpt(one.position, one.length, lines)]
    if one.other is not None:
        says = one.other_says or "and here"
        parts += [f"  {one.other} {says}", *_excerpt(one.other, 1, lines, whole=True)]
    if one.hint:
        parts.append(f"  hint: {one.hint}")
    return "\n".join(parts)


def _excerpt(at: Position, length: int, lines: Mapping[str, Sequence[str]], *, whole: bool = False) -> list[str]:
    """The line with its number, and a line that underlines the place."""
    text = lines.get(at.file, ())
    if not 1 <= at.line <= len(text):
        return []
    line = text[at.line - 1].replace("\t", " ")
    start = at.column - 1
    cut = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = line[cut : cut + _WIDEST].rstrip()
    margin = f"  {at.line} | "
    length = max(1, min(length, len(shown) - (start - cut)))
    marks = "^" * (length if not whole else 1)
    return [margin + shown, " " * (len(margin) + start - cut) + marks]


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A JSON list, one object a diagnostic, for programs."""
    return json.dumps([_plain(one) for one in diagnostics], ensure_ascii=False, indent=2) + "\n"


def _plain(one: Diagnostic) -> dict[str, Any]:
    found: dict[str, Any] = {
        "code": one.code,
        "severity": one.severity.value,
        "message": one.message,
        **_place(one.position),
        "length": one.length,
        "hint": one.hint,
    }
    if one.other is not None:
        found["other"] = {**_place(one.other), "message": one.other_says}
    return found


def _place(at: Position) -> dict[str, Any]:
    return {"file": at.file, "line": at.line, "column": at.column}


def as_github(diagnostics: Sequence[Diagnostic]) -> str:
    """Workflow commands that GitHub shows beside the changed lines."""
    return "".join(_command(one) + "\n" for one in diagnostics)


def _command(one: Diagnostic) -> str:
    at = one.position
    properties = {
        "file": at.file,
        "line": at.line,
        "col": at.column,
        "endColumn": at.column + one.length,
        "title": one.code,
    }
    written = ",".join(f"{name}={_escaped(str(value), in_property=True)}" for name, value in properties.items())
    message = one.message if one.hint is None else f"{one.message}\n{one.hint}"
    return f"::{one.severity.value} {written}::{_escaped(message)}"


def _escaped(text: str, *, in_property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text


def as_sarif(diagnostics: Sequence[Diagnostic], version: str) -> str:
    """SARIF 2.1.0, for code scanning.

    Args:
        diagnostics: What was found.
        version: Of the orchestrator.
    """
    codes = sorted({one.code for one in diagnostics})
    driver = {
        "name": "orchestrator lint",
        "version": version,
        "rules": [{"id": code, "shortDescription": {"text": CODES.get(code, code)}} for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, codes.index(one.code)) for one in diagnostics],
    }
    document = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _result(one: Diagnostic, rule: int) -> dict[str, Any]:
    message = one.message if one.hint is None else f"{one.message} ({one.hint})"
    found: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": one.severity.value,
        "message": {"text": message},
        "locations": [_location(one.position, one.length)],
    }
    if one.other is not None:
        found["relatedLocations"] = [{**_location(one.other, 1), "message": {"text": one.other_says}}]
    return found


def _location(at: Position, length: int) -> dict[str, Any]:
    region = {"startLine": at.line, "startColumn": at.column, "endColumn": at.column + length}
    return {"physicalLocation": {"artifactLocation": {"uri": at.file}, "region": region}}
