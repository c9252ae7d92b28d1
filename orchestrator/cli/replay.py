"""`orchestrator replay`: a candidate bundle against the live one, over recorded events."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.bundles import sound_bundle
from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Bootstrap, Config, Format, TopicsDir
from orchestrator.cli.progress import Progress
from orchestrator.cli.recordings import Events, Keep, Since, Until, recorded_events

if TYPE_CHECKING:
    from orchestrator.cli.settings import Settings
    from orchestrator.language.bundle import Bundle
    from orchestrator.rehearsal.recorded import EventFile
    from orchestrator.rehearsal.replay import Comparison

_HELP = """
Say how the actions of a candidate bundle differ from those of the live one, over the same recorded events: what came
in on Kafka between two times, or a file.

Both run on the production engine and a virtual clock, from customers of whom nothing is known yet, and with the rows
of facts that the bundles' files hold. Nothing is sent, and nothing is written to Kafka. A file holds one event a
line, as it stands on a topic ({"id", "source", "type", "time", "channel", "data"}, with "received" where the arrival
is known), or a record of a topic ({"topic", "timestamp", "value"}).

\b
orchestrator replay scenarios --since 7d
orchestrator replay scenarios --since 7d --keep week.jsonl
orchestrator replay scenarios --against ../live/scenarios --events week.jsonl --for 7d

Exit status 0: done (with --exit-code 1 where actions differ). 2: a bundle has errors, or there is no event.
"""


def register(app: typer.Typer) -> None:
    app.command("replay", help=_HELP, short_help="Compare two bundles over recorded events.")(replay_events)


def replay_events(
    bundle: Annotated[Path, typer.Argument(help="The candidate: a bundle's folder.")],
    against: Annotated[
        Path | None,
        typer.Option(help="The live bundle's folder (default: the release published on Kafka).", show_default=False),
    ] = None,
    events: Events = None,
    since: Since = None,
    until: Until = None,
    keep: Keep = None,
    onward: Annotated[
        str, typer.Option("--for", help="How long the clock runs on after the last event, such as 7d.")
    ] = "0s",
    examples: Annotated[int, typer.Option(help="So many examples a scenario and kind of difference.", min=0)] = 3,
    format_: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with status 1 where actions differ.")] = False,
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415 - --help does without
    from orchestrator.language.spec.types import milliseconds  # noqa: PLC0415
    from orchestrator.rehearsal import replay_report  # noqa: PLC0415

    after = milliseconds(onward)
    if after is None or after < 0:
        raise UserError(f"--for {onward}: write a duration such as 90s, 12h or 7d")
    settings = load_settings(config, {"kafka.bootstrap": bootstrap, "topics_dir": topics_dir})
    candidate = sound_bundle(bundle, settings.topics_dir)[1]
    live = sound_bundle(against, settings.topics_dir)[1] if against is not None else None
    with recorded_events(settings, events, since, until, keep) as file:
        found = _replay(live or _published(settings, candidate), candidate, file, after)
    if format_ is Format.JSON:
        typer.echo(replay_report.as_json(found))
    else:
        typer.echo(replay_report.as_text(found, file.count, examples, candidate.settings.zone), nl=False)
    if exit_code and found.differences:
        raise typer.Exit(1)


def _published(settings: Settings, candidate: Bundle) -> Bundle:
    from orchestrator.cli.published import live_bundle, read_releases  # noqa: PLC0415

    live = live_bundle(settings, read_releases(settings), candidate.settings.tenant)
    if live is None:
        raise UserError("no release without errors is published: name the live bundle's folder with --against")
    return live


def _replay(live: Bundle, candidate: Bundle, file: EventFile, onward: int) -> Comparison:
    from orchestrator.engine.program.build import build_program  # noqa: PLC0415
    from orchestrator.rehearsal.replay import replay  # noqa: PLC0415

    with Progress("Replaying", file.count) as progress:
        return replay(build_program(live), build_program(candidate), file, file.first, onward=onward, progress=progress)
