"""`orchestrator replay`: a candidate bundle against the live one, over recorded events."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.bundles import sound_bundle
from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Format, TopicsDir
from orchestrator.cli.progress import Progress

if TYPE_CHECKING:
    from orchestrator.language.bundle import Bundle
    from orchestrator.rehearsal.recorded import EventFile
    from orchestrator.rehearsal.replay import Comparison

_HELP = """
Say how the actions of a candidate bundle differ from those of the live one, over the same recorded events.

Both run on the production engine and a virtual clock, from customers of whom nothing is known yet. Nothing is sent.
The file holds one event a line, as it stands on a topic ({"id", "source", "type", "time", "channel", "data"}, with
"received" where the arrival is known), or a record of a topic ({"topic", "timestamp", "value"}).

Exit status 0: done (with --exit-code 1 where actions differ). 2: a bundle has errors, or the file holds no event.
"""


def register(app: typer.Typer) -> None:
    app.command("replay", help=_HELP, short_help="Compare two bundles over recorded events.")(replay_events)


def replay_events(
    bundle: Annotated[Path, typer.Argument(help="The candidate: a bundle's folder.")],
    against: Annotated[Path, typer.Option(help="The live bundle's folder.")],
    events: Annotated[Path, typer.Option(help="The recorded events, JSON lines.")],
    onward: Annotated[
        str, typer.Option("--for", help="How long the clock runs on after the last event, such as 7d.")
    ] = "0s",
    examples: Annotated[int, typer.Option(help="So many examples a scenario and kind of difference.", min=0)] = 3,
    format_: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with status 1 where actions differ.")] = False,
    topics_dir: TopicsDir = None,
) -> None:
    from orchestrator.language.spec.types import milliseconds  # noqa: PLC0415 - --help does without
    from orchestrator.rehearsal import replay_report  # noqa: PLC0415

    after = milliseconds(onward)
    if after is None or after < 0:
        raise UserError(f"--for {onward}: write a duration such as 90s, 12h or 7d")
    candidate, live = sound_bundle(bundle, topics_dir)[1], sound_bundle(against, topics_dir)[1]
    file = _read(events)
    found = _replay(live, candidate, file, after)
    if format_ is Format.JSON:
        typer.echo(replay_report.as_json(found))
    else:
        typer.echo(replay_report.as_text(found, file.count, examples, candidate.settings.zone), nl=False)
    if exit_code and found.differences:
        raise typer.Exit(1)


def _read(path: Path) -> EventFile:
    from orchestrator.rehearsal.recorded import EventFile  # noqa: PLC0415

    try:
        size = path.stat().st_size
        with Progress("Reading", size) as progress:
            file = EventFile(path, progress)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    if file.faults:
        number, fault = file.faults[0]
        count = f"{len(file.faults)} line{'s hold' if len(file.faults) > 1 else ' holds'} no event"
        typer.echo(f"{path}: {count}, left out; line {number}: {fault}", err=True)
    if not file.count:
        raise UserError(f"{path}: there is no event in it")
    return file


def _replay(live: Bundle, candidate: Bundle, file: EventFile, onward: int) -> Comparison:
    from orchestrator.engine.program.build import build_program  # noqa: PLC0415
    from orchestrator.rehearsal.replay import replay  # noqa: PLC0415

    with Progress("Replaying", file.count) as progress:
        return replay(build_program(live), build_program(candidate), file, file.first, onward=onward, progress=progress)
