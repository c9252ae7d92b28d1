"""`orchestrator eval`: one CEL expression on names from a file."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Any

import typer

from orchestrator.cli.errors import UserError

_HELP = """
Evaluate one CEL expression, as conditions in scenarios are evaluated, and print its value as JSON.

\b
orchestrator eval 'cart.total >= 50.0 && "audio" in interests' \\
  --with profile.json

The file holds one JSON object: name to value. `-` reads it from standard input.

Exit status 0: it has a value. 1: it has none (an absent field, a wrong type); standard error says why. 2: the text is
no CEL, or the file is no JSON object.
"""


def register(app: typer.Typer) -> None:
    app.command("eval", help=_HELP, short_help="Evaluate one condition (CEL).")(evaluate_expression)


def evaluate_expression(
    expression: Annotated[str, typer.Argument(help="The expression, in single quotes for the shell.")],
    with_: Annotated[
        Path | None,
        typer.Option("--with", help="JSON object of names and values; - for standard input.", show_default=False),
    ] = None,
) -> None:
    import json  # noqa: PLC0415 - --help does without

    from orchestrator.language.cel import CelError, CelProblem  # noqa: PLC0415
    from orchestrator.language.conditions import evaluate  # noqa: PLC0415

    try:
        value = evaluate(expression, _names(with_))
    except CelProblem as problem:
        raise UserError(_told(expression, problem)) from problem
    except CelError as error:
        typer.echo(f"unknown: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(json.dumps(_plain(value), ensure_ascii=False))


def _names(path: Path | None) -> dict[str, Any]:
    import json  # noqa: PLC0415

    if path is None:
        return {}
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
        names = json.loads(text)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path}: is not JSON: {error}") from error
    if not isinstance(names, dict):
        raise UserError(f'{path}: must hold one object, such as {{"profile": {{"orders": 3}}}}')
    return names


def _told(expression: str, problem: Any) -> str:
    """The problem with the place underlined."""
    line = expression.splitlines()[problem.line - 1] if expression else ""
    marks = " " * (problem.column - 1) + "^" * max(1, problem.length)
    hint = f"\n  hint: {problem.hint}" if problem.hint else ""
    return f"{problem.line}:{problem.column} {problem.message}\n  {line}\n  {marks}{hint}"


def _plain(value: Any) -> Any:
    """A value as JSON has it: durations in seconds, moments as RFC 3339, bytes as hexadecimal digits."""
    from orchestrator.engine.context import plain  # noqa: PLC0415
    from orchestrator.language.cel import Duration  # noqa: PLC0415

    if isinstance(value, Duration):
        return f"{value.ms / 1000:g}s"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return plain(value)
