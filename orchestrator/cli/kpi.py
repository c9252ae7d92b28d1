"""`orchestrator kpi`: the figures that a bundle declares, counted over recorded events."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.bundles import sound_bundle
from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Bootstrap, Config, Format, TopicsDir
from orchestrator.cli.progress import Progress
from orchestrator.cli.recordings import Events, Keep, Since, Until, ago, recorded_events

if TYPE_CHECKING:
    from orchestrator.language.bundle import Bundle
    from orchestrator.rehearsal.counting import Counted
    from orchestrator.rehearsal.recorded import EventFile

_HELP = """
Count the figures that a bundle declares (its `kpi` documents) over recorded events: what came in on Kafka between two
times, or a file, as `orchestrator replay` reads it.

The bundle is played over the events on the production engine and a virtual clock, so that it is known who was whom, who
was held out, what was sent and what became of it. Nothing is sent, and nothing is written to Kafka. Customers are those
whom the events make known: begin further back than you count.

\b
orchestrator kpi scenarios --since 7d
orchestrator kpi scenarios --since 7d --counted-since 1d --only engagement_rate
orchestrator kpi scenarios --events quarter.jsonl --format json

Exit status 0: counted. 2: the bundle has errors, it declares no such figure, or there is no event.
"""


def register(app: typer.Typer) -> None:
    app.command("kpi", help=_HELP, short_help="Count a bundle's figures over recorded events.")(count_figures)


def count_figures(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder: the one that ran then.")],
    only: Annotated[
        list[str] | None, typer.Option(help="This figure alone; may be given again.", show_default=False)
    ] = None,
    events: Events = None,
    since: Since = None,
    until: Until = None,
    keep: Keep = None,
    counted_since: Annotated[
        str | None,
        typer.Option(help="Count what happened from then on; what was before is only played.", show_default=False),
    ] = None,
    onward: Annotated[
        str, typer.Option("--for", help="How long the clock runs on after the last event, such as 7d.")
    ] = "0s",
    format_: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415 - --help does without
    from orchestrator.language.spec.types import milliseconds  # noqa: PLC0415

    after = milliseconds(onward)
    if after is None or after < 0:
        raise UserError(f"--for {onward}: write a duration such as 90s, 12h or 7d")
    settings = load_settings(config, {"kafka.bootstrap": bootstrap, "topics_dir": topics_dir})
    declaring = sound_bundle(bundle, settings.topics_dir)[1]
    names = _chosen(declaring, only, bundle)
    begin = ago("--counted-since", counted_since) if counted_since is not None else 0
    with recorded_events(settings, events, since, until, keep) as file:
        counted = _count(declaring, names, file, begin, after)
    _show(counted, format_)


def _chosen(bundle: Bundle, only: list[str] | None, path: Path) -> list[str]:
    declared = sorted(bundle.kpis)
    if not declared:
        raise UserError(f"{path} declares no figure: write a `kpi` document (docs/reference/language/kpi.md)")
    for name in only or ():
        if name not in bundle.kpis:
            raise UserError(f"{path} declares no figure {name}; it declares {', '.join(declared)}")
    return list(dict.fromkeys(only)) if only else declared


def _count(bundle: Bundle, names: list[str], file: EventFile, since: int, onward: int) -> Counted:
    from orchestrator.engine.program.build import build_program  # noqa: PLC0415
    from orchestrator.rehearsal.counting import count, play  # noqa: PLC0415

    program = build_program(bundle)
    with Progress("Counting", file.count) as progress:
        played = play(bundle, program, file, file.first, since=since, onward=onward, progress=progress)
    return count(names, bundle, played)


def _show(counted: Counted, format_: Format) -> None:
    from rich.console import Console  # noqa: PLC0415

    from orchestrator.cli import kpi_report  # noqa: PLC0415

    if format_ is Format.JSON:
        typer.echo(kpi_report.as_json(counted))
        return
    console = Console()
    for figure in counted.figures:
        console.print(kpi_report.as_table(figure))
        if not figure.rows:
            console.print("nothing was counted")
        console.print()
    for remark in kpi_report.remarks(counted):
        console.print(remark, highlight=False)
