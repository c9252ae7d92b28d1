"""`orchestrator run`: everything in one go, each part a process of its own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from http import HTTPStatus
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final

import typer

from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Bootstrap, Config, TopicsDir  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from orchestrator.cli.settings import Settings

_HELP = """
Start everything on this machine: an embedded Apache Kafka (unless --bootstrap names one), the topics, the bundle,
a worker, delivery and the gateway, each a process of its own. Ctrl-C ends them all. Other commands (identity,
publish --dry-run ...) find this Kafka by themselves, unless another already listens on its port.

The folder of scenarios is published at the start, and again whenever a file in it changes; a bundle with errors is
refused with what is wrong, and the one that counts goes on. Links are signed with links.key, or, where there is none,
with a key that is made once and kept in the data folder.
"""

STOP_WITHIN: Final = 40.0
LOOK_EVERY: Final = 0.5


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
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415  # --help does without

    settings = load_settings(config, {"kafka.bootstrap": bootstrap, "topics_dir": topics_dir, "scenarios": folder})
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if bootstrap is not None:
        _everything(settings, config, workers, watch, stop)
        return
    if settings.kafka.security != "PLAINTEXT":
        raise UserError(
            f"kafka.security is {settings.kafka.security}, and the embedded Kafka has none: name yours with --bootstrap"
        )
    from orchestrator.stream.broker import BrokerError, EmbeddedKafka  # noqa: PLC0415

    broker = EmbeddedKafka(settings.data_dir / "kafka", usual_port(settings.kafka.bootstrap))
    typer.echo("Starting Apache Kafka ...")
    try:
        where = broker.start()
    except BrokerError as error:
        raise UserError(str(error)) from error
    elsewhere = f"; other commands find it by: export ORCHESTRATOR_KAFKA__BOOTSTRAP={where}"
    typer.echo(f"Apache Kafka is ready at {where}{elsewhere if where != settings.kafka.bootstrap else '.'}")
    try:
        own = {"kafka.bootstrap": where, "topics_dir": topics_dir, "scenarios": folder}
        _everything(load_settings(config, own), config, workers, watch, stop)
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


def _everything(settings: Settings, config: Path | None, workers: int, watch: bool, stop: threading.Event) -> None:
    """Topics, bundle, processes; until told to stop or one of them ends by itself."""
    _apply_topics(settings)
    _publish(settings)
    parts = Processes(settings, config)
    try:
        for number in range(workers):
            parts.start(f"worker {number + 1}", "worker", *(("--port", "0", "--metrics-port", "0") if number else ()))
        parts.start("delivery", "deliver")
        parts.start("gateway", "gateway")
        typer.echo("Starting worker, delivery and gateway ...")
        _look_after(parts, settings, watch, stop)
    finally:
        parts.stop()


def _look_after(parts: Processes, settings: Settings, watch: bool, stop: threading.Event) -> None:
    """Say when everything is ready, and publish what changes; until told to stop, or one of them ends by itself."""
    gateway = f"http://{settings.gateway.host}:{settings.gateway.port}"
    waits_for = ready_pages(settings)
    told = False
    folder = Watched(settings.scenarios) if watch else None
    while not stop.wait(LOOK_EVERY):
        ended = parts.ended()
        if ended:
            raise UserError(f"{ended}; its last lines are above")
        if not told and all(map(answers_well, waits_for)):
            told = True
            typer.echo(f"Running. Events: POST {gateway}/v1/events; what it takes: {gateway}/docs. Ctrl-C ends it.")
        if folder is not None and folder.changed():
            _publish(settings, keep_running=True)


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


def _publish(settings: Settings, keep_running: bool = False) -> None:
    from orchestrator.cli.publish import publish_folder  # noqa: PLC0415

    try:
        release, scenarios = publish_folder(settings, settings.scenarios)
    except UserError as error:
        if not keep_running:
            raise
        typer.echo(f"error: {error}", err=True)
        return
    typer.echo(f"Published release {release[:12]} with {scenarios} scenarios.")


class Processes:
    """The parts, each a child of this process; they end with it.

    Args:
        settings: of this command; what its options said goes on to the parts.
        config: the settings file that was named, if any.

    Attributes:
        environment: the variables that each part gets.
    """

    def __init__(self, settings: Settings, config: Path | None = None) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "ORCHESTRATOR_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
            "ORCHESTRATOR_DATA_DIR": str(settings.data_dir),
        }
        if config is not None:
            self.environment["ORCHESTRATOR_CONFIG"] = str(config)
        if settings.links.key is None:
            self.environment["ORCHESTRATOR_LINKS__KEY_FILE"] = str(own_link_key(settings.data_dir))
        if settings.topics_dir is not None:
            self.environment["ORCHESTRATOR_TOPICS_DIR"] = str(settings.topics_dir)

    def start(self, name: str, *command: str) -> None:
        self._children[name] = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "orchestrator", *command], env=self.environment
        )

    def ended(self) -> str | None:
        """Which part has ended, and how; None while all run."""
        for name, child in self._children.items():
            code = child.poll()
            if code is not None:
                how = f"with exit status {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
                return f"{name} has ended {how}"
        return None

    def stop(self) -> None:
        """Ask all to end, gateways first so that nothing accepted is left behind; then insist."""
        for child in reversed(self._children.values()):
            if child.poll() is None:
                child.terminate()
        until = time.monotonic() + STOP_WITHIN
        for child in self._children.values():
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def own_link_key(folder: Path) -> Path:
    """The file of a key that signs links on this machine: made once, so that links outlive a restart."""
    path = folder / "links.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
    except OSError as error:
        raise UserError(
            f"cannot keep a key for links in {folder}: {error.strerror}; choose another data_dir"
        ) from error
    return path


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
