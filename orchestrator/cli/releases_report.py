"""What was published and what holds it, for people and for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from orchestrator.rehearsal.retiring import BEFORE, COUNTS, FREE, IN_USE, RETIRED, STANDING, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.cli.retiring import Retiring
    from orchestrator.rehearsal.retiring import Verdict
    from orchestrator.stream.releases import Listed

_WHY: Final = {
    COUNTS: "counts",
    BEFORE: "counted before the one that counts now",
    STANDING: "partitions run on it: {partitions}",
    IN_USE: "on it alone: {versions}",
    UNREADABLE: "has errors against these topic files, so nobody can say who is on it",
    FREE: "nobody is on it",
    RETIRED: "is not: retired {retired_at}",
}
_SHOWN: Final = 4


def summary(verdicts: Sequence[Verdict], done: Retiring | None) -> str:
    """The last line: what was done, or can be."""
    if not verdicts:
        return "Nothing is published: orchestrator publish scenarios/"
    told = []
    if done is not None:
        told.append(f"Retired: {len(done.gone)}.")
        if done.back:
            told.append(f"Put back, for somebody is on them: {len(done.back)}.")
    held = [verdict for verdict in verdicts if verdict.why != RETIRED]
    told.append(f"Workers hold {len(held)} of {len(verdicts)}.")
    free = sum(verdict.why == FREE for verdict in verdicts)
    if free:
        told.append(f"Nobody is on {free} of them: --retire lets them go.")
    return " ".join(told)


def as_table(lists: Sequence[Listed], verdicts: Sequence[Verdict]) -> Table:
    """A row a release, in the order in which they were published."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("release", "published", "scenarios", "why it is held"):
        table.add_column(head, no_wrap=head != "why it is held", justify="right" if head == "scenarios" else "left")
    for one, verdict in zip(lists, verdicts, strict=True):
        scenarios = "" if one.versions is None else str(len(one.versions))
        why = _WHY[verdict.why].format(
            partitions=verdict.partitions, versions=_versions(verdict.versions), retired_at=_time(one.retired_at)
        )
        table.add_row(one.release[:12], _time(one.published_at), scenarios, Text(why))
    return table


def _versions(versions: Mapping[tuple[str, int], int]) -> str:
    most = sorted(versions.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{count:,} in {scenario} {version}" for (scenario, version), count in most[:_SHOWN]]
    return ", ".join(named) + (f", and {len(most) - _SHOWN} more" if len(most) > _SHOWN else "")


def _time(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%d %H:%M") if at else ""


def as_plain(lists: Sequence[Listed], verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """The same for programs; times in ms."""
    return [
        {
            "release": one.release,
            "published_at": one.published_at or None,
            "retired_at": one.retired_at or None,
            "versions": one.versions,
            "why": verdict.why,
            "partitions": verdict.partitions,
            "on_it_alone": [
                {"scenario": name, "version": version, "count": count}
                for (name, version), count in verdict.versions.items()
            ],
        }
        for one, verdict in zip(lists, verdicts, strict=True)
    ]
