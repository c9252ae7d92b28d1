"""`orchestrator run`: everything in one go, each part a process of its own."""

from __future__ import annotations

import signal
import socket
import threading
from http import HTTPStatus
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final

import typer

from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Bootstrap, Config, TopicsDir  # noqa: TC001 - typer reads the annotations
from orchestrator.cli.parts import Processes

if TYPE_CHECKING:
    from orchestrator.cli.publish import Published
    from orchestrator.cli.settings import Settings
    from orchestrator.stream.broker import EmbeddedKafka

_HELP = """
Start everything on this machine: an embedded Apache Kafka (unless --bootstrap names one), the topics, the bundle,
a worker, delivery and the gateway, each a process of its own. Ctrl-C ends them all, and so does the end of any of
them: which one it was, and its last lines, stand at the end. Other commands (identity, publish --dry-run ...) find
this Kafka by themselves, unless another already listens on its port.

The folder of scenarios is published at the start, and again whenever a file in it changes; a bundle with errors is
refused with what is wrong, and the one that counts goes on. Earlier ones that nobody is on are retired now and then
(orchestrator releases). Links are signed with links.key, or, where there is none,
with a key that is made once and kept in the data folder.
"""

LOOK_EVERY: Final = 0.5
RETIRE_EVERY: Final = 8
"""A desk publishes with every save of a file, and each release costs the next start half a second."""


def register(app: typer.Typer) -> None:
    app.command("run", help=_HELP, short_help="Start everything on this machine, Kafka included.")(run)


def run(
    folder: Annotated[
        Path | None, typer.Argument(help="The bundle's folder (default: scenarios).", show_default=False)
    ] = None,
    workers: Annotated[int, typer.Option(help="How many workers.", min=1, max=16)] = 1,
    watch: Annotated[bool, typer.Option(help="Publish the folder again when it changes.")] = True,
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415  # --help does without

    settings = load_settings(config, {"kafka.bootstrap": bootstrap, "topics_dir": topics_dir, "scenarios": folder})
    if bootstrap is not None:
        _everything(settings, config, workers, watch, stop)
        return
    if settings.kafka.security != "PLAINTEXT":
        raise UserError(
            f"kafka.security is {settings.kafka.security}, and the embedded Kafka has none: name yours with --bootstrap"
        )
    from orchestrator.cli.publish import read_folder  # noqa: PLC0415
    from orchestrator.stream.broker import BrokerError, EmbeddedKafka  # noqa: PLC0415

    read_folder(settings.scenarios)  # that it is there is told before anything is started
    broker = EmbeddedKafka(settings.data_dir / "kafka", usual_port(settings.kafka.bootstrap))
    typer.echo("Starting Apache Kafka ...")
    try:
        where = broker.start()
    except BrokerError as error:
        raise UserError(str(error)) from error
    elsewhere = f"; other commands find it by: export ORCHESTRATOR_KAFKA__BOOTSTRAP={where}"
    typer.echo(f"Apache Kafka is ready at {where}{elsewhere if where != settings.kafka.bootstrap else '.'}")
    try:
        if stop.is_set():
            return
        own = {"kafka.bootstrap": where, "topics_dir": topics_dir, "scenarios": folder}
        _everything(load_settings(config, own), config, workers, watch, stop, broker)
    finally:
        broker.stop()


def usual_port(bootstrap: str) -> int | None:
    """The port at which other commands look for Kafka on this machine; None where it is elsewhere, or taken."""
    host, _, port = bootstrap.rpartition(":")
    if host not in {"127.0.0.1", "localhost"} or not port.isdecimal():
        return None
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", int(port)))
        except (OSError, OverflowError):
            return None
    return int(port) or None


def _everything(
    settings: Settings,
    config: Path | None,
    workers: int,
    watch: bool,
    stop: threading.Event,
    broker: EmbeddedKafka | None = None,
) -> None:
    """Topics, bundle, processes; until told to stop or one of them ends by itself."""
    _apply_topics(settings)
    published = _publish(settings)
    if stop.is_set():
        return
    parts = Processes(settings, config)
    ended = None
    try:
        for number in range(workers):
            parts.start(f"worker {number + 1}", "worker", *(("--port", "0", "--metrics-port", "0") if number else ()))
        parts.start("delivery", "deliver")
        parts.start("gateway", "gateway")
        typer.echo("Starting worker, delivery and gateway ...")
        ended = _look_after(parts, settings, published.tenant, watch, stop, broker)
    finally:
        parts.stop()
    if ended is not None:  # said last, behind what the others say as they stop
        typer.echo(f"error: {ended}", err=True)
        raise typer.Exit(parts.exit_status)


def _look_after(
    parts: Processes,
    settings: Settings,
    tenant: str,
    watch: bool,
    stop: threading.Event,
    broker: EmbeddedKafka | None,
) -> str | None:
    """Say when everything is ready, and publish what changes; until told to stop, or one of them ends by itself.

    Returns:
        What has ended by itself, and its last words; None when told to stop.
    """
    gateway = f"http://{settings.gateway.host}:{settings.gateway.port}"
    waits_for = ready_pages(settings)
    told, since_retiring = False, 0
    folder = Watched(settings.scenarios) if watch else None
    while not stop.wait(LOOK_EVERY):
        ended = parts.ended()
        if ended is not None:
            return ended
        if broker is not None and not broker.running:
            return f"Apache Kafka has ended by itself; its log is {broker.log_file}"
        if not told and all(map(answers_well, waits_for)):
            told = True
            typer.echo(f"Running. Events: POST {gateway}/v1/events; what it takes: {gateway}/docs. Ctrl-C ends it.")
            _retire(settings, tenant)
        if folder is not None and folder.changed() and _publish_again(settings):
            since_retiring += 1
        if told and since_retiring >= RETIRE_EVERY:
            since_retiring = 0
            _retire(settings, tenant)
    return None


def ready_pages(settings: Settings) -> list[tuple[str, int]]:
    """Host and port where each part says whether it does its work; one that takes a free port is not asked."""
    everywhere = settings.gateway.host in {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not listened on
    gateway = ("127.0.0.1" if everywhere else settings.gateway.host, settings.gateway.port)
    beside = [("127.0.0.1", each.metrics_port) for each in (settings.worker, settings.delivery)]
    return [(host, port) for host, port in (*beside, gateway) if port]


def answers_well(place: tuple[str, int]) -> bool:
    """Whether the part that is asked there does its work."""
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415

    connection = HTTPConnection(*place, timeout=LOOK_EVERY)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _apply_topics(settings: Settings) -> None:
    import asyncio  # noqa: PLC0415

    from orchestrator.cli.clusters import declared_topics, reaching  # noqa: PLC0415
    from orchestrator.stream import topics  # noqa: PLC0415

    kafka = settings.kafka
    declared = declared_topics(settings)
    connection = kafka.connection()
    with reaching(kafka):
        asyncio.run(topics.apply(connection, declared, kafka.partitions, replication=kafka.replication))


def _publish(settings: Settings) -> Published:
    from orchestrator.cli.publish import publish_folder  # noqa: PLC0415

    published = publish_folder(settings, settings.scenarios)
    typer.echo(published.told)
    return published


def _publish_again(settings: Settings) -> bool:
    """Publish what has changed; whether that could be done. What is wrong with it is told, and the rest goes on."""
    try:
        _publish(settings)
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        return False
    return True


def _retire(settings: Settings, tenant: str) -> None:
    """Retire what nobody is on. Where that cannot be done, it is told and tried again later: nothing depends on it."""
    from orchestrator.cli.retiring import retire, worth_a_look  # noqa: PLC0415
    from orchestrator.stream.clock import wall_clock  # noqa: PLC0415

    try:
        gone = len(retire(settings, tenant, wall_clock()).gone) if worth_a_look(settings, tenant) else 0
    except UserError as error:
        typer.echo(f"error: earlier releases could not be retired: {error}", err=True)
        return
    if gone:
        typer.echo(f"Retired {gone} earlier {'release' if gone == 1 else 'releases'} that nobody is on.")


class Watched:
    """A folder that is looked at for changes: paths, sizes and times of modification."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether anything is different from the last look."""
        now = self._look()
        before, self._seen = self._seen, now
        return now != before

    def _look(self) -> dict[str, tuple[int, int]]:
        found = {}
        for path in self._folder.rglob("*"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found[str(path)] = (status.st_size, status.st_mtime_ns)
        return found
