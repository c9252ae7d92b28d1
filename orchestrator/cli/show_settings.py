"""`orchestrator settings`: what counts, wherever it was said."""

import typer

from orchestrator.cli.options import Config


def register(app: typer.Typer) -> None:
    app.command("settings", help=_HELP, short_help="Show all settings that count.")(show)


_HELP = (
    "Show all settings that count, as a settings file would say them; no secrets.\n\n"
    "Each can be set by a variable as well: kafka.bootstrap is ORCHESTRATOR_KAFKA__BOOTSTRAP. A secret comes from its "
    "variable, or from a file: ORCHESTRATOR_DELIVERY__SMTP__PASSWORD_FILE=/run/secrets/smtp.\n\n"
    "What would be regretted in production (no TLS, no keys) is said on standard error."
)


def show(config: Config = None) -> None:
    import yaml  # noqa: PLC0415  # --help does without

    from orchestrator.cli.concerns import concerns  # noqa: PLC0415
    from orchestrator.cli.sources import load_settings, shown  # noqa: PLC0415

    settings = load_settings(config)
    settings.kafka.connection()  # certificates and keys that cannot be read are told here already
    typer.echo(yaml.safe_dump(shown(settings), sort_keys=False, allow_unicode=True), nl=False)
    for each in concerns(settings):
        typer.echo(f"before production: {each}", err=True)
