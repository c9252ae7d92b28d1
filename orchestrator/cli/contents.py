"""`orchestrator contents`: what a bundle has to say, who says it, and how often it was said."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.bundles import sound_bundle
from orchestrator.cli.options import Bootstrap, Config, Format, TopicsDir
from orchestrator.cli.progress import Progress
from orchestrator.cli.recordings import Events, Keep, Since, Until, recorded_events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.kpis.contents import Said
    from orchestrator.language.bundle import Bundle
    from orchestrator.rehearsal.recorded import EventFile

_HELP = """
Say what a bundle has to say: every content with its class, its channels and stages, and the scenarios and slots that
use it (a name with a question mark may: what it says is known at run time only); and for which stage a channel has
nothing.

Over recorded events, from Kafka or a file, it also says how often each was sent, delivered, suppressed, and placed in
slots by scenarios: what was never said stands out. (What slots showed by themselves is known to who asked them.) The
bundle is played over the events, as `orchestrator kpi` does it; nothing is sent.

\b
orchestrator contents scenarios
orchestrator contents scenarios --unused
orchestrator contents scenarios --since 30d
orchestrator contents scenarios --events quarter.jsonl --format json

Exit status 0: told. 2: the bundle has errors, or there is no event.
"""


def register(app: typer.Typer) -> None:
    app.command("contents", help=_HELP, short_help="What a bundle has to say, and who says it.")(contents)


def contents(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    unused: Annotated[bool, typer.Option("--unused", help="Only what nothing uses, or what was never said.")] = False,
    events: Events = None,
    since: Since = None,
    until: Until = None,
    keep: Keep = None,
    format_: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    from rich.console import Console  # noqa: PLC0415 - --help does without

    from orchestrator.cli import contents_report  # noqa: PLC0415
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415
    from orchestrator.language.bundle.inventory import inventory  # noqa: PLC0415

    settings = load_settings(config, {"kafka.bootstrap": bootstrap, "topics_dir": topics_dir})
    told = sound_bundle(bundle, settings.topics_dir)[1]
    said: Mapping[str, Said] | None = None
    if events is not None or since is not None:
        with recorded_events(settings, events, since, until, keep) as file:
            said = _said(told, file)
    items = inventory(told)
    if format_ is Format.JSON:
        typer.echo(contents_report.as_json(items, said, unused=unused))
        return
    console = Console()
    for part in contents_report.as_text(items, said, unused=unused):
        console.print(part, highlight=False)


def _said(bundle: Bundle, file: EventFile) -> Mapping[str, Said]:
    from orchestrator.engine.program.build import build_program  # noqa: PLC0415
    from orchestrator.kpis.contents import said  # noqa: PLC0415
    from orchestrator.rehearsal.counting import play  # noqa: PLC0415

    with Progress("Playing", file.count) as progress:
        return said(play(bundle, build_program(bundle), file, file.first, progress=progress).history)
