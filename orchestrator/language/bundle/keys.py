"""The keys of rows that come from lists and CSV files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError, Expression
from orchestrator.language.source.diagnostic import diagnostic

if TYPE_CHECKING:
    from orchestrator.language.bundle.draft import Draft, Drafts
    from orchestrator.language.bundle.rows import FactRows
    from orchestrator.language.source.position import Position


@dataclass(slots=True)
class _RowContext:
    """What a fact's `key` sees of a row of its file: the row as `event`."""

    event: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)


def keyed_rows(drafts: Drafts, rows: FactRows) -> dict[str, dict[str, dict[str, Any]]]:
    """Fact → key → row. Rows whose key cannot be computed, or stands there twice, are reported to the drafts."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for draft in drafts.of("facts"):
        found[draft.name] = dict(rows.keyed.get(draft.name, {}))
        if isinstance(draft.element.key, Expression):
            _add_listed(draft, rows, found[draft.name], drafts)
    return found


def _add_listed(draft: Draft, rows: FactRows, found: dict[str, dict[str, Any]], drafts: Drafts) -> None:
    places: dict[str, Position] = {}
    for at, row in rows.listed.get(draft.name, ()):
        try:
            key = str(draft.element.key.evaluate(_RowContext(row)))
        except CelError as error:
            message = f"the row has no key: `{draft.element.key.source}` says {error}"
            hint = "the columns that `key` reads as `event.NAME` must be in the file"
            drafts.diagnostics.append(diagnostic("E-TYPE", message, at, hint=hint))
            continue
        if key in places:
            message = f"the key `{key}` of fact `{draft.name}` stands here twice"
            drafts.diagnostics.append(diagnostic("E-NAME", message, at, hint="keep one row", other=places[key]))
        places[key] = at
        found[key] = row
