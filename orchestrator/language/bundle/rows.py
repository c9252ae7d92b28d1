"""Rows of facts from YAML and CSV files of the bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.bundle.draft import Draft, Drafts, beside
from orchestrator.language.bundle.table import read_table
from orchestrator.language.cel import BOOL, DOUBLE, DYN, INT, STRING, Type, list_of, map_of, nullable
from orchestrator.language.source.diagnostic import diagnostic
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.source.nodes import Scalar
from orchestrator.language.source.yaml import read_documents
from orchestrator.language.spec.types import plain_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.source.position import Position

_PLAIN: Final[dict[type, Type]] = {bool: BOOL, int: INT, float: DOUBLE, str: STRING}


class FactRows:
    """The rows of every fact that has a file.

    Attributes:
        keyed: Fact → key → row, for files whose top level is a map by key.
        listed: Fact → rows with their place, for lists and CSV: their key is computed by the fact's `key`.
    """

    def __init__(self) -> None:
        self.keyed: dict[str, dict[str, dict[str, Any]]] = {}
        self.listed: dict[str, list[tuple[Position, dict[str, Any]]]] = {}

    def columns(self, fact: str) -> dict[str, Type]:
        """Column → type over all rows of a fact's file; empty when it has none."""
        rows = [*self.keyed.get(fact, {}).values(), *(row for _, row in self.listed.get(fact, ()))]
        found: dict[str, list[Any]] = {}
        for row in rows:
            for name, value in row.items():
                found.setdefault(name, []).append(value)
        return {name: _column(values, len(rows)) for name, values in found.items()}


def _column(values: list[Any], rows: int) -> Type:
    types = {_type(value) for value in values if value is not None}
    if types == {INT, DOUBLE}:
        types = {DOUBLE}
    common = types.pop() if len(types) == 1 else DYN
    complete = len(values) == rows and None not in values
    return common if complete else nullable(common)


def _type(value: Any) -> Type:
    if isinstance(value, list):
        inner = {_type(one) for one in value}
        return list_of(inner.pop() if len(inner) == 1 else DYN)
    if isinstance(value, dict):
        return map_of(STRING, DYN)
    return _PLAIN.get(type(value), DYN)


def read_rows(drafts: Drafts, files: Mapping[str, bytes]) -> FactRows:
    """Read the files that `facts` documents name; what is wrong is added to the drafts' diagnostics."""
    rows = FactRows()
    for draft in drafts.of("facts"):
        if draft.element.file is not None:
            path = _found(draft, files)
            if path is None:
                _report_missing(draft, files, drafts)
            elif path.endswith(".csv"):
                rows.listed[draft.name], problems, drafts.lines[path] = read_table(path, files[path])
                drafts.diagnostics.extend(problems)
            else:
                _read_yaml(draft.name, path, files[path], rows, drafts)
    return rows


def _found(draft: Draft, files: Mapping[str, bytes]) -> str | None:
    name = draft.element.file
    near = beside(draft.element.at.file, name)
    return near if near in files else name if name in files else None


def _report_missing(draft: Draft, files: Mapping[str, bytes], drafts: Drafts) -> None:
    at = draft.element.place("file")
    name = draft.element.file
    hint = did_you_mean(name, files) or "put it beside this file, or leave `file` out"
    drafts.diagnostics.append(
        diagnostic("E-NAME", f"there is no file `{name}` in the bundle", at, length=len(name), hint=hint)
    )


def _read_yaml(fact: str, path: str, data: bytes, rows: FactRows, drafts: Drafts) -> None:
    documents, found = read_documents(path, data)
    drafts.diagnostics.extend(found)
    for document in documents:
        root = document.root
        if isinstance(root, Scalar):
            message = "rows are a map by key, or a list"
            drafts.diagnostics.append(diagnostic("E-TYPE", message, root.at, length=root.length))
        elif hasattr(root, "entries"):
            pairs = [(key.text, value, key.at) for key, value in root.entries]
            rows.keyed.setdefault(fact, {}).update(
                {key: plain_data(value) for key, value, at in pairs if _is_row(value, at, drafts)}
            )
        else:
            found_rows = [(item.at, plain_data(item)) for item in root.items if _is_row(item, item.at, drafts)]
            rows.listed.setdefault(fact, []).extend(found_rows)


def _is_row(node: Any, at: Position, drafts: Drafts) -> bool:
    if hasattr(node, "entries"):
        return True
    drafts.diagnostics.append(diagnostic("E-TYPE", "a row is a map (field: value)", at))
    return False
