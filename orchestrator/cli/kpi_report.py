"""Figures as they were counted, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.table import Table

from orchestrator.rehearsal.wording import length

if TYPE_CHECKING:
    from orchestrator.kpis.figures import Comparison, Figure, Row
    from orchestrator.rehearsal.counting import Counted

_HEADS = {
    "share": ("persons", "of", "share"),
    "number": ("counted", "over", "value"),
    "time": ("", "times", "mean"),
}


def as_table(figure: Figure) -> Table:
    """A row a group; beside it how it compares, where the figure is `versus` something."""
    table = Table(
        box=None, pad_edge=False, header_style="bold", title=figure.name, title_justify="left", title_style="bold cyan"
    )
    for dimension in figure.dimensions:
        table.add_column(dimension)
    for head in _HEADS[figure.kind]:
        if head:
            table.add_column(head, justify="right")
    percentiles = sorted({name for row in figure.rows for name in row.percentiles})
    for name in percentiles:
        table.add_column(f"p{name:g}", justify="right")
    compared = next((row.comparison for row in figure.rows if row.comparison is not None), None)
    if compared is not None:
        for head in ("difference", "95% interval", "uplift"):
            table.add_column(head, justify="right")
    for row in figure.rows:
        table.add_row(*row.group, *_values(figure, row, percentiles), *_compared(figure, row.comparison))
    return table


def _values(figure: Figure, row: Row, percentiles: list[float]) -> list[str]:
    if figure.kind == "time":
        took = [row.value, *(row.percentiles.get(name) for name in percentiles)]
        return [_number(row.over), *("-" if one is None else _length(one) for one in took)]
    return [_number(row.of), _number(row.over), _value(figure, row.value)]


def _compared(figure: Figure, comparison: Comparison | None) -> list[str]:
    if comparison is None:
        return []
    interval, uplift = comparison.interval, comparison.uplift
    return [
        _signed(figure, comparison.difference),
        f"{_signed(figure, interval.low)} to {_signed(figure, interval.high)}" if interval is not None else "-",
        f"{uplift:+.1%}" if uplift is not None else "-",
    ]


def _length(ms: float) -> str:
    """A time to the second, one of more than a day to the minute."""
    unit = 60_000 if ms >= 86_400_000 else 1_000
    return length(round(ms / unit) * unit)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _value(figure: Figure, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2%}" if figure.kind == "share" else f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"


def _signed(figure: Figure, value: float) -> str:
    return f"{value * 100:+.2f} pts" if figure.kind == "share" else f"{value:+,.4g}"


def remarks(counted: Counted) -> list[str]:
    """What a reader has to know of how it was counted."""
    said = [f"Counted over {counted.events:,} event{'' if counted.events == 1 else 's'}."]
    if counted.refused:
        said.append(f"{counted.refused:,} of them could not be taken in: workers would put them on dead-letter.")
    if counted.strangers:
        what = "outcome of a message" if counted.strangers == 1 else "outcomes of messages"
        said.append(
            f"{counted.strangers:,} {what} could not be told whose: this bundle did not decide them over these events. "
            "Take events from further back (--since, with --counted-since), or the bundle that ran then."
        )
    return said


def as_json(counted: Counted) -> str:
    """All figures, for programs. Shares are parts of 1, times are milliseconds."""
    figures = [
        {
            "kpi": figure.name,
            "kind": figure.kind,
            "by": list(figure.dimensions),
            "rows": [_plain(row) for row in figure.rows],
        }
        for figure in counted.figures
    ]
    return json.dumps(
        {
            "events": counted.events,
            "refused": counted.refused,
            "unknown_messages": counted.strangers,
            "figures": figures,
        },
        ensure_ascii=False,
        indent=2,
    )


def _plain(row: Row) -> dict[str, Any]:
    plain: dict[str, Any] = {"group": list(row.group), "of": row.of, "over": row.over, "value": row.value}
    if row.percentiles:
        plain["percentiles"] = {f"{name:g}": value for name, value in row.percentiles.items()}
    if row.comparison is not None:
        interval = row.comparison.interval
        plain["versus"] = {
            "group": list(row.comparison.against),
            "difference": row.comparison.difference,
            "uplift": row.comparison.uplift,
            "interval": list(interval) if interval is not None else None,
        }
    return plain
