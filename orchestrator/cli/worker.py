"""`orchestrator worker`: the process that owns customers."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from orchestrator.cli.errors import UserError
from orchestrator.cli.leaving import leave, leave_when_told
from orchestrator.cli.options import Bootstrap, Config, TopicsDir  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.cli.settings import Settings
    from orchestrator.stream.topics import TopicDeclaration
    from orchestrator.stream.worker import WorkerParts

_HELP = """
Read channel events, keep one record per customer, and decide what each customer gets next.

Run as many as there are cores; they share the partitions, and one that dies is replaced by the others within
worker.session_timeout. It runs on the bundle that was published last (`orchestrator publish`), and waits for one
where there is none. Gateways ask it on worker.port; /metrics is on worker.metrics_port.
"""


def register(app: typer.Typer) -> None:
    app.command("worker", help=_HELP, short_help="Own customers and decide what each gets next.")(worker)


def worker(
    port: Annotated[
        int | None, typer.Option(help="Where gateways ask it; 0 takes a free one.", show_default=False)
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Where /metrics is served; 0 takes a free one.", show_default=False)
    ] = None,
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    leave_when_told()
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415  # --help does without

    settings = load_settings(
        config,
        {
            "kafka.bootstrap": bootstrap,
            "topics_dir": topics_dir,
            "worker.port": port,
            "worker.metrics_port": metrics_port,
        },
    )
    _run(settings)


def _run(settings: Settings) -> NoReturn:
    from importlib.metadata import version  # noqa: PLC0415

    from orchestrator.cli.clusters import check_topics, declared_topics  # noqa: PLC0415
    from orchestrator.stream.lane_settings import LaneError  # noqa: PLC0415
    from orchestrator.stream.worker import run_worker  # noqa: PLC0415
    from orchestrator.telemetry import configure_logging, emit, events, serve_metrics  # noqa: PLC0415

    configure_logging(settings.log.style, settings.log.level)
    declared = declared_topics(settings)
    try:
        parts = _parts(settings, declared)
    except LaneError as error:
        raise UserError(str(error)) from error
    check_topics(settings, declared)
    port = settings.worker.metrics_port
    try:
        serve_metrics(port)
    except OSError as error:
        raise UserError(
            f"cannot serve metrics on port {port}: {error.strerror}; choose another: worker.metrics_port"
        ) from error
    emit(events.ProcessStarted("worker", version("orchestrator")))
    try:
        code = run_worker(parts)
    except LaneError as error:
        raise UserError(str(error)) from error
    leave("worker", code)


def _parts(settings: Settings, declared: Sequence[TopicDeclaration]) -> WorkerParts:
    from orchestrator.language.bundle import EventSchemas  # noqa: PLC0415
    from orchestrator.stream.worker import WorkerParts  # noqa: PLC0415
    from orchestrator.stream.worker_figures import WorkerFigures  # noqa: PLC0415
    from orchestrator.telemetry import process  # noqa: PLC0415

    kafka, chosen = settings.kafka, settings.worker
    return WorkerParts(
        connection=kafka.connection(),
        partitions=kafka.partitions,
        data_dir=settings.data_dir / "worker",  # of all workers here: Faust wants a folder, and keeps nothing in it
        channels=[each.topic for each in declared if each.topic.startswith("channel.")],
        schemas=EventSchemas.from_topics(each.model_dump() for each in declared),
        name=f"{socket.gethostname()}-{os.getpid()}",
        host=chosen.host,
        bind=chosen.bind,
        port=chosen.port,
        session_timeout=round(chosen.session_timeout * 1000),
        commit_interval=round(chosen.commit_interval * 1000),
        ask_keys=chosen.ask_keys(),
        link_keys=settings.links.keys().get("default", ()),
        figures=WorkerFigures(process),
    )
