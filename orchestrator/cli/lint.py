"""`orchestrator lint`: everything that is wrong with a bundle, at once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.bundles import read_bundle, sound_bundle
from orchestrator.cli.options import TopicsDir  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.language.source.diagnostic import Diagnostic

_HELP = """
Check a bundle: every field, name, condition and step, all problems at once.

Each problem has its place, a code, the line underlined, and what to write instead. An E-... refuses the bundle; a
W-... is shown, and refuses it only where the bundle says `strict: true`.

Exit status 0: no error (there may be warnings). 1: errors. 2: there is no bundle.
"""


class Format(StrEnum):
    """How problems are shown."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def register(app: typer.Typer) -> None:
    app.command("lint", help=_HELP, short_help="Check a bundle and say what to write instead.")(lint)


def lint(
    path: Annotated[
        Path, typer.Argument(help="The bundle's folder; a file or folder inside it shows only what is wrong there.")
    ] = Path("scenarios"),
    format_: Annotated[
        Format, typer.Option("--format", help="text for people, json for programs, github and sarif for CI.")
    ] = Format.TEXT,
    live: Annotated[
        Path | None,
        typer.Option(help="The bundle that is live, for the checks of versions and moved steps.", show_default=False),
    ] = None,
    topics_dir: TopicsDir = None,
) -> None:
    from orchestrator.language.source.rendering import summary  # noqa: PLC0415 - --help does without
    from orchestrator.rehearsal.folder import from_here  # noqa: PLC0415

    previous = sound_bundle(live, topics_dir)[1] if live is not None else None
    loaded = read_bundle(path, topics_dir, previous)
    diagnostics, lines = from_here(loaded)
    if loaded.part:
        inside = (loaded.root / loaded.part).as_posix()
        diagnostics = tuple(
            d for d in diagnostics if d.position.file == inside or d.position.file.startswith(f"{inside}/")
        )
    typer.echo(_shown(diagnostics, lines, format_), nl=False)
    if format_ is not Format.TEXT:
        typer.echo(summary(diagnostics), err=True)
    if any(one.severity.value == "error" for one in diagnostics):
        raise typer.Exit(1)


def _shown(diagnostics: Sequence[Diagnostic], lines: Mapping[str, Sequence[str]], format_: Format) -> str:
    from orchestrator import __version__  # noqa: PLC0415
    from orchestrator.language.source import rendering  # noqa: PLC0415

    match format_:
        case Format.TEXT:
            return rendering.as_text(diagnostics, lines)
        case Format.JSON:
            return rendering.as_json(diagnostics)
        case Format.GITHUB:
            return rendering.as_github(diagnostics)
        case Format.SARIF:
            return rendering.as_sarif(diagnostics, __version__)
