"""`orchestrator kafka`: an Apache Kafka for development, without anything to install."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Config


def register(app: typer.Typer) -> None:
    app.command("kafka", help=_HELP, short_help="Start an Apache Kafka on this machine.")(kafka)


_HELP = (
    "Start an Apache Kafka on this machine and keep it running until Ctrl-C.\n\n"
    "A real broker, for development: neither Java nor a container is needed. The first start on a machine fetches "
    "45 MB. It listens on 127.0.0.1 only and keeps its data in a folder. Then, in another terminal: "
    "orchestrator topics apply"
)


def kafka(
    port: Annotated[int, typer.Option(help="Where clients connect.", min=1, max=65535)] = 9092,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="The broker's folder (default: var/kafka).", show_default=False),
    ] = None,
    heap_mb: Annotated[int, typer.Option(help="Upper limit of its memory, MB.", min=128)] = 256,
    config: Config = None,
) -> None:
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415  # --help does without
    from orchestrator.stream.broker import BrokerError, EmbeddedKafka  # noqa: PLC0415

    folder = data_dir or load_settings(config).data_dir / "kafka"
    broker = EmbeddedKafka(folder, port, heap_mb=heap_mb)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        bootstrap = broker.start()
    except BrokerError as error:
        raise UserError(str(error)) from error
    typer.echo(f"Apache Kafka is ready at {bootstrap}; its data is in {broker.data_dir}. Ctrl-C ends it.")
    try:
        while not stop.wait(0.2):
            if not broker.running:
                raise UserError(f"the broker ended by itself; its log is {broker.log_file}")
    finally:
        broker.stop()
    typer.echo("Apache Kafka has ended.")
