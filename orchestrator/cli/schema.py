"""`orchestrator schema`: JSON Schema of the documents of a bundle, for editors."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

_HELP = """
Print the JSON Schema of the documents of a bundle, so that an editor completes and checks them while you write.

With the YAML extension of VS Code: orchestrator schema --output .vscode/scenarios.json, then in its settings
"yaml.schemas": {".vscode/scenarios.json": "scenarios/**/*.yaml"}. Conditions and names are checked by lint.
"""


def register(app: typer.Typer) -> None:
    app.command("schema", help=_HELP, short_help="Print the JSON Schema for editors.")(schema)


def schema(
    output: Annotated[Path | None, typer.Option(help="Write it to this file.", show_default=False)] = None,
) -> None:
    import json  # noqa: PLC0415 - --help does without

    from orchestrator.cli.errors import UserError  # noqa: PLC0415
    from orchestrator.language.spec.schema import bundle_schema  # noqa: PLC0415

    text = json.dumps(bundle_schema(), ensure_ascii=False, indent=2) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, "utf-8")
    except OSError as error:
        raise UserError(f"{output}: cannot be written: {error.strerror}") from error
