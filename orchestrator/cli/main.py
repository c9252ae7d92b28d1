"""The `orchestrator` command. Each subcommand is a module of its own beside this one, with `register(app)`.

Those modules import what they need inside their commands, so that `--help` is there at once.
"""

import importlib
import importlib.util
import sys
from typing import Any, Final

import typer

from orchestrator import __version__
from orchestrator.cli.errors import UserError

_COMMANDS: Final = (
    "run",
    "worker",
    "deliver",
    "gateway",
    "kafka",
    "topics",
    "publish",
    "releases",
    "reopen",
    "lint",
    "fmt",
    "test",
    "explain",
    "identity",
    "replay",
    "kpi",
    "contents",
    "diff",
    "eval",
    "schema",
    "show_settings",
)
"""Modules of commands, in the order in which help shows them."""

_HELP: Final = (
    "Customer journeys in the moment: channel events come in by Kafka or HTTP, scenarios written in YAML decide what "
    "each customer gets next, delivery sends it.\n\n"
    "Settings come from options, from ORCHESTRATOR_... variables and from a file (--config); see: orchestrator settings"
)


class _Orchestrator(typer.Typer):
    """The application; a `UserError` becomes one line on standard error and exit status 2."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except UserError as error:
            sys.stderr.write(f"error: {error}\n")
            sys.exit(2)


app = _Orchestrator(
    name="orchestrator",
    help=_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is there in half the time
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"orchestrator {__version__}")
        raise typer.Exit


@app.callback()
def orchestrator(
    version: bool = typer.Option(False, "--version", help="Show the version.", callback=_show_version, is_eager=True),
) -> None:
    """Set up what all commands share: nothing yet but --version, which its callback handles."""
    del version


for _name in _COMMANDS:
    if importlib.util.find_spec(f"orchestrator.cli.{_name}"):
        importlib.import_module(f"orchestrator.cli.{_name}").register(app)
