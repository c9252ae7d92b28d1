"""Reading a bundle for a command: what is wrong with it is shown, and ends the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from orchestrator.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from orchestrator.language.bundle import Bundle
    from orchestrator.rehearsal.folder import Loaded


LARGEST: Final = 1_900_000
"""Bytes of a bundle's file: it is published as one record, of which Kafka takes 2 MB with all that stands around it."""


def check_sizes(files: Mapping[str, bytes]) -> None:
    """Refuse what could not be published.

    Raises:
        UserError: files that are too large, all of them by name.
    """
    large = [f"{path} ({len(content):,} bytes)" for path, content in sorted(files.items()) if len(content) > LARGEST]
    if large:
        raise UserError(
            f"{' and '.join(large)}: a file of a bundle may have {LARGEST:,} bytes; split it, let rows come as events, "
            "and keep what no scenario reads in another folder"
        )


def read_bundle(path: Path, topics_dir: Path | None, previous: Bundle | None = None) -> Loaded:
    """A bundle as it is, with errors or without.

    Raises:
        UserError: there is none at the path, a file is too large, or the topic files have faults.
    """
    from orchestrator.rehearsal.folder import FolderError, load_folder  # noqa: PLC0415 - --help does without
    from orchestrator.stream.topics import DeclarationError  # noqa: PLC0415

    try:
        loaded = load_folder(path, topics_dir, previous)
    except (FolderError, DeclarationError) as error:
        raise UserError(str(error)) from error
    check_sizes(loaded.files)
    return loaded


def sound_bundle(path: Path, topics_dir: Path | None) -> tuple[Loaded, Bundle]:
    """A bundle without errors.

    Raises:
        UserError: there is none at the path, or the topic files have faults.
        typer.Exit: it has errors; they are shown. Status 2.
    """
    from orchestrator.language.source.rendering import as_text  # noqa: PLC0415
    from orchestrator.rehearsal.folder import from_here  # noqa: PLC0415

    loaded = read_bundle(path, topics_dir)
    if loaded.result.bundle is None:
        diagnostics, lines = from_here(loaded)
        errors = tuple(one for one in diagnostics if one.severity.value == "error")
        typer.echo(as_text(errors, lines), err=True, nl=False)
        raise typer.Exit(2)
    return loaded, loaded.result.bundle
