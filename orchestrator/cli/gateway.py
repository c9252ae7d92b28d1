"""`orchestrator gateway`: the HTTP gateway as a process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.errors import UserError
from orchestrator.cli.leaving import leave, leave_when_told
from orchestrator.cli.options import Bootstrap, Config, TopicsDir  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orchestrator.cli.settings import GatewayKey, Settings
    from orchestrator.gateway.server import GatewayOptions

_HELP = """
Take channel events in over HTTP, and answer what a customer should see now.

POST /v1/events, POST /v1/decide, GET /v1/customers/NAMESPACE:ID/context; /openapi.json describes them, and /metrics,
/healthz and /readyz are for operators. It keeps nothing: run as many as you like. Without keys (gateway.keys) it
listens on this machine only, and everybody here may do everything.
"""


def register(app: typer.Typer) -> None:
    app.command("gateway", help=_HELP, short_help="HTTP: take events in, answer what to show.")(gateway)


def gateway(
    host: Annotated[
        str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Where it listens; 0 takes a free one. [default: 8080]", min=0, max=65_535, show_default=False
        ),
    ] = None,
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    leave_when_told()
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415  # --help does without

    overrides = {
        "gateway.host": host,
        "gateway.port": port,
        "kafka.bootstrap": bootstrap,
        "topics_dir": topics_dir,
    }
    settings = load_settings(config, overrides)
    _serve(settings, _options(settings))


def _options(settings: Settings) -> GatewayOptions:
    """What the gateway is told, from the settings.

    Raises:
        UserError: a key or the address cannot be used, or the topic files have faults.
    """
    from orchestrator.gateway.credentials import Credential  # noqa: PLC0415
    from orchestrator.gateway.server import GatewayOptions  # noqa: PLC0415
    from orchestrator.stream.topics import DeclarationError, load_declarations  # noqa: PLC0415

    keys = settings.gateway.keys
    try:
        topics = load_declarations(settings.topics_dir)
        _check_channels(keys, {each.channel for each in topics if each.channel})
        return GatewayOptions(
            connection=settings.kafka.connection(),
            topics=topics,
            partitions=settings.kafka.partitions,
            host=settings.gateway.host,
            port=settings.gateway.port,
            credentials=[
                Credential.of_key(
                    name, one.key.get_secret_value(), one.tenant, one.scopes, one.rate, one.burst, one.channels
                )
                for name, one in keys.items()
            ],
            link_keys=settings.links.keys(),
            ask_key=next(iter(settings.worker.ask_keys()), ""),
            refuse_undeclared=settings.gateway.undeclared == "refuse",
        )
    except (DeclarationError, ValueError) as error:
        raise UserError(str(error)) from error


def _check_channels(keys: Mapping[str, GatewayKey], declared: Collection[str]) -> None:
    for name, one in keys.items():
        for channel in one.channels:
            if channel not in declared:
                raise UserError(
                    f"gateway.keys.{name}.channels: there is no channel {channel!r}; there are "
                    f"{', '.join(sorted(declared))}"
                )


def _serve(settings: Settings, options: GatewayOptions) -> None:
    from importlib.metadata import version  # noqa: PLC0415

    import uvloop  # noqa: PLC0415
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from orchestrator.cli.clusters import reaching  # noqa: PLC0415
    from orchestrator.gateway.server import serve  # noqa: PLC0415
    from orchestrator.stream.lane_settings import LaneError  # noqa: PLC0415
    from orchestrator.telemetry.events import ProcessStarted  # noqa: PLC0415
    from orchestrator.telemetry.log import EventLog, configure_logging  # noqa: PLC0415
    from orchestrator.telemetry.recorder import Recorder  # noqa: PLC0415

    configure_logging(settings.log.style, settings.log.level)
    recorder = Recorder()
    log = EventLog(recorder)

    def listening(port: int) -> None:
        log.emit(ProcessStarted("gateway", version("orchestrator")))
        typer.echo(f"The gateway listens on http://{options.host}:{port}")

    async def run() -> None:
        await serve(options, recorder, log, listening, asyncio.Event())

    try:
        uvloop.run(run())
    except LaneError as error:
        raise UserError(str(error)) from error
    except KafkaError:
        with reaching(settings.kafka):
            raise
    except OSError as error:
        where = f"{options.host}:{options.port}"
        raise UserError(f"cannot listen on {where}: {error.strerror}; choose another with --port") from error
    leave("gateway", 0)
