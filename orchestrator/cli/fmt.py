"""`orchestrator fmt`: the files of a bundle in one layout, comments and meaning untouched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.formatting import Formatted

_HELP = """
Write the YAML files of a bundle in one layout: keys in the order of the reference, two spaces a level, brackets where
you wrote them and the line has room. Comments stay, and so does the meaning: a file whose meaning would change, or
that is no sound YAML, is left as it is.

- reads from standard input and writes to standard output.

Exit status 0: done. 1: files are not formatted, with --check or --diff. 2: a file was refused.
"""
_STDIN = Path("-")
_YAML = (".yaml", ".yml")


def register(app: typer.Typer) -> None:
    app.command("fmt", help=_HELP, short_help="Write a bundle's files in one layout.")(fmt)


def fmt(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders (default: scenarios); - for standard input.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; name the files that are not formatted.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; show what would change.")] = False,
) -> None:
    found = 0
    refused = 0
    for path in _files(paths or [Path("scenarios")]):
        before = _read(path)
        formatted = _formatted(path, before)
        if formatted is None:
            refused += 1
        elif path == _STDIN and not (check or diff):
            sys.stdout.buffer.write(formatted)
        elif formatted != before:
            found += 1
            _tell(path, before, formatted, check=check, diff=diff)
    _summary(found, refused, changed=not (check or diff) and paths != [_STDIN])
    if refused:
        raise typer.Exit(2)
    if found and (check or diff):
        raise typer.Exit(1)


def _files(paths: list[Path]) -> Iterator[Path]:
    """The YAML files at the paths; hidden ones inside of folders are left out.

    Raises:
        UserError: there is nothing at a path.
    """
    for path in paths:
        if path.is_dir():
            inside = (one for one in sorted(path.rglob("*")) if one.suffix in _YAML and one.is_file())
            yield from (one for one in inside if not any(part.startswith(".") for part in one.relative_to(path).parts))
        elif path == _STDIN or path.is_file():
            yield path
        else:
            raise UserError(f"{path}: there is no such file or folder")


def _read(path: Path) -> bytes:
    return sys.stdin.buffer.read() if path == _STDIN else path.read_bytes()


def _formatted(path: Path, data: bytes) -> bytes | None:
    """The file in its layout; None after saying why it was refused."""
    from orchestrator.language.formatting import format_file  # noqa: PLC0415 - --help does without
    from orchestrator.language.source.yaml import lines_of  # noqa: PLC0415

    name = "<stdin>" if path == _STDIN else path.as_posix()
    result: Formatted = format_file(name, data)
    if result.refusal:
        typer.echo(f"{name}: {result.refusal}; it is left as it is", err=True)
    elif result.data is None:
        from orchestrator.language.source.rendering import as_text  # noqa: PLC0415

        typer.echo(as_text(result.diagnostics, {name: lines_of(data)}), err=True, nl=False)
    return result.data


def _tell(path: Path, before: bytes, after: bytes, *, check: bool, diff: bool) -> None:
    """Write a file anew, or say what that would do."""
    name = "<stdin>" if path == _STDIN else path.as_posix()
    if diff:
        typer.echo("".join(_differences(name, before, after)), nl=False)
    elif check:
        typer.echo(name)
    else:
        path.write_bytes(after)
        typer.echo(f"formatted {name}")


def _differences(name: str, before: bytes, after: bytes) -> Iterator[str]:
    import difflib  # noqa: PLC0415 - only --diff needs it

    old, new = (data.decode("utf-8", "replace").splitlines(keepends=True) for data in (before, after))
    for line in difflib.unified_diff(old, new, name, f"{name} (formatted)"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _summary(found: int, refused: int, *, changed: bool) -> None:
    """One line for people, on standard error."""
    parts = []
    if found and not changed:
        parts.append(f"{found} file{'s' if found > 1 else ''} would be formatted anew")
    if refused:
        parts.append(f"{refused} file{'s' if refused > 1 else ''} refused")
    if parts:
        typer.echo("; ".join(parts), err=True)
