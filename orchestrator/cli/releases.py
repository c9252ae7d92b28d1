"""`orchestrator releases`: what was published, who is still on it, and what workers can let go."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.options import Bootstrap, Config, Format, TopicsDir

_HELP = """
Show what was published, and why workers hold it: a release stays in their memory as long as an instance or an open
task is on a version that no newer release has, a partition runs on it, or it is the one before the current.

With --retire, releases that nobody is on are let go: workers drop them at once, and start without them. The files stay
on the topic `bundles`, so publishing such a release again has it count as before. Nothing that is under way changes;
run it as often as you like, while everything runs. It reads every customer's record.
"""


def register(app: typer.Typer) -> None:
    app.command("releases", help=_HELP, short_help="What was published, who is on it, and what can go.")(releases)


def releases(
    retire: Annotated[bool, typer.Option("--retire", help="Let go what nobody is on.")] = False,
    format_: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
    tenant: Annotated[str, typer.Option(help="Whose releases.")] = "default",
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    from orchestrator.cli import releases_report as report  # noqa: PLC0415 - --help does without
    from orchestrator.cli.retiring import look  # noqa: PLC0415
    from orchestrator.cli.retiring import retire as let_go  # noqa: PLC0415
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415
    from orchestrator.stream.clock import wall_clock  # noqa: PLC0415

    settings = load_settings(config, {"kafka.bootstrap": bootstrap, "topics_dir": topics_dir})
    done = let_go(settings, tenant, wall_clock()) if retire else None
    lists, verdicts = look(settings, tenant)
    if format_ is Format.JSON:
        import msgspec  # noqa: PLC0415

        typer.echo(msgspec.json.format(msgspec.json.encode(report.as_plain(lists, verdicts)), indent=2).decode())
        return
    from rich.console import Console  # noqa: PLC0415

    if lists:
        Console(highlight=False).print(report.as_table(lists, verdicts))
    typer.echo(report.summary(verdicts, done))
