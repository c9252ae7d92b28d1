"""`orchestrator diff`: two bundles apart, in words."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from orchestrator.cli.errors import UserError

_HELP = """
Say what differs between two bundles, one line a difference: "scenario cart_rescue left_alone silence for: 1h -> 45m".

Documents are compared as written; a document that only moved to another file is the same.

Exit status 0: done. 1: they differ, with --exit-code. 2: one of them cannot be read.
"""


def register(app: typer.Typer) -> None:
    app.command("diff", help=_HELP, short_help="Say what differs between two bundles.")(diff)


def diff(
    before: Annotated[Path, typer.Argument(help="A bundle's folder.")],
    after: Annotated[Path, typer.Argument(help="Another one.")],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with status 1 where they differ.")] = False,
) -> None:
    from orchestrator.language.bundle.diff import bundle_diff  # noqa: PLC0415 - --help does without
    from orchestrator.rehearsal.folder import read_files  # noqa: PLC0415

    for folder in (before, after):
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder; name the folder of a bundle")
    found = bundle_diff(read_files(before), read_files(after))
    typer.echo("\n".join(found) if found else "They mean the same.")
    if found and exit_code:
        raise typer.Exit(1)
