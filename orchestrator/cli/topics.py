"""`orchestrator topics`: what is declared in topic files, held against a Kafka cluster."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.clusters import reaching
from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Bootstrap, Config, TopicsDir

if TYPE_CHECKING:
    from orchestrator.cli.settings import KafkaSettings
    from orchestrator.stream.topics import TopicDeclaration

commands = typer.Typer(no_args_is_help=True)

Partitions = Annotated[
    int | None,
    typer.Option("--partitions", min=1, help="Partitions of each input topic (default: 8).", show_default=False),
]


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="topics", help="Create and check the topics that topic files declare.")


@commands.command()
def apply(
    bootstrap: Bootstrap = None,
    partitions: Partitions = None,
    replication: Annotated[
        int | None,
        typer.Option(min=1, help="Copies of each partition of a new topic (default: 1).", show_default=False),
    ] = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    """Create the topics that are missing. Topics that are there are checked, never changed."""
    kafka, declared = _declared(config, topics_dir, bootstrap, partitions, replication)
    from orchestrator.stream import topics  # noqa: PLC0415  # --help does without

    connection = kafka.connection()
    with reaching(kafka):
        created = asyncio.run(topics.apply(connection, declared, kafka.partitions, replication=kafka.replication))
    for name in created:
        typer.echo(f"created {name}")
    _check(kafka, declared)


@commands.command()
def check(
    bootstrap: Bootstrap = None, partitions: Partitions = None, topics_dir: TopicsDir = None, config: Config = None
) -> None:
    """Say which topics are missing or not as declared, and what to do. Exit status 1 if there are any."""
    kafka, declared = _declared(config, topics_dir, bootstrap, partitions, None)
    _check(kafka, declared)


def _check(kafka: "KafkaSettings", declared: "tuple[TopicDeclaration, ...]") -> None:
    from orchestrator.stream import topics  # noqa: PLC0415

    connection = kafka.connection()
    with reaching(kafka):
        faults = asyncio.run(topics.check(connection, declared, kafka.partitions))
    for fault in faults:
        typer.echo(str(fault), err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{len(declared)} topics are as declared")


def _declared(
    config: Path | None,
    topics_dir: Path | None,
    bootstrap: str | None,
    partitions: int | None,
    replication: int | None,
) -> "tuple[KafkaSettings, tuple[TopicDeclaration, ...]]":
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415
    from orchestrator.stream.topics import DeclarationError, load_declarations  # noqa: PLC0415

    options = {
        "topics_dir": topics_dir,
        "kafka.bootstrap": bootstrap,
        "kafka.partitions": partitions,
        "kafka.replication": replication,
    }
    settings = load_settings(config, options)
    try:
        return settings.kafka, load_declarations(settings.topics_dir)
    except DeclarationError as error:
        raise UserError(str(error)) from error
