"""`orchestrator reopen`: a scenario that has stopped itself goes on."""

from __future__ import annotations

import asyncio
import difflib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Bootstrap, Config  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from orchestrator.cli.settings import Settings

_HELP = """
Let a scenario go on that has stopped itself by its `stop_when`; without a name, say which have.

From then on people enter it again and its marketing is sent; what was suppressed meanwhile stays so. Counting begins
anew, with the messages that it sends from now on.
"""


def register(app: typer.Typer) -> None:
    app.command("reopen", help=_HELP, short_help="Let a scenario go on that has stopped itself.")(reopen)


def reopen(
    scenario: Annotated[str | None, typer.Argument(help="The scenario.", show_default=False)] = None,
    tenant: Annotated[str, typer.Option(help="Whose scenario.")] = "default",
    bootstrap: Bootstrap = None,
    config: Config = None,
) -> None:
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415 - --help does without

    settings = load_settings(config, {"kafka.bootstrap": bootstrap})
    stopped = _stopped(settings, tenant)
    if scenario is None:
        typer.echo("\n".join(_told(name, row) for name, row in sorted(stopped.items())) or "No scenario is stopped.")
        return
    if scenario not in stopped:
        raise UserError(_why_not(scenario, _declared(settings, tenant), stopped))
    _write(settings, tenant, scenario)
    typer.echo(f"{scenario} goes on.")


def _why_not(scenario: str, declared: Collection[str] | None, stopped: Collection[str]) -> str:
    """Why a scenario cannot be reopened; `declared` are those of the live bundle, None where it cannot be read."""
    if declared is not None and scenario not in declared:
        near = difflib.get_close_matches(scenario, declared, 1)
        wrong = "is no scenario of the live bundle" + (f"; did you mean {near[0]!r}?" if near else "")
    else:
        wrong = "is not stopped"
    return f"{scenario} {wrong}; stopped: {', '.join(sorted(stopped)) or 'none'}"


def _declared(settings: Settings, tenant: str) -> Collection[str] | None:
    from orchestrator.cli.published import live_bundle, read_releases  # noqa: PLC0415

    bundle = live_bundle(settings, read_releases(settings), tenant)
    return None if bundle is None else bundle.scenarios


def _told(name: str, row: dict[str, Any]) -> str:
    since = datetime.fromtimestamp(row["at"] / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{name}  since {since}: {row['met']} of {row['sent']} messages"


def _stopped(settings: Settings, tenant: str) -> dict[str, dict[str, Any]]:
    """The scenarios that are stopped, with the numbers that stopped them."""
    from orchestrator.cli.clusters import read_topic  # noqa: PLC0415
    from orchestrator.engine.breaker import FACT  # noqa: PLC0415
    from orchestrator.model.effect import FACTS  # noqa: PLC0415

    prefix = f"{tenant}/{FACT}/".encode()
    found: dict[str, dict[str, Any]] = {}

    def take(rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, value in rows:
            if key.startswith(prefix):
                row = msgspec.json.decode(value, type=dict[str, Any] | None) if value is not None else None
                found[key[len(prefix) :].decode()] = row or {}

    read_topic(settings, FACTS, take, "Reading")
    return {name: row for name, row in found.items() if row}


def _write(settings: Settings, tenant: str, scenario: str) -> None:
    from orchestrator.cli.clusters import reaching  # noqa: PLC0415
    from orchestrator.engine.breaker import breaker_node  # noqa: PLC0415
    from orchestrator.model.message import Reopen  # noqa: PLC0415
    from orchestrator.stream.clock import wall_clock  # noqa: PLC0415
    from orchestrator.stream.requests import send_request  # noqa: PLC0415

    request = Reopen(breaker_node(scenario), wall_clock())
    with reaching(settings.kafka):
        asyncio.run(send_request(settings.kafka.connection(), settings.kafka.partitions, tenant, request))
