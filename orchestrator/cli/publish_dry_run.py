"""`orchestrator publish --dry-run`: what publishing would do to whom is under way. Reads, and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import typer

from orchestrator.cli.clusters import read_customers
from orchestrator.cli.publish import check_files, read_folder, show_errors
from orchestrator.cli.published import published, read_releases

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.cli.settings import Settings
    from orchestrator.language.bundle import LoadResult


def publish_dry_run(settings: Settings, folder: Path, *, as_json: bool) -> None:
    """Show what publishing a folder would do.

    Raises:
        UserError: the cluster cannot be read, or holds something that only a newer version can.
        typer.Exit: the bundle has errors; they are shown. Status 1.
    """
    from orchestrator.engine.program.build import build_program  # noqa: PLC0415 - --help does without
    from orchestrator.rehearsal import publish_report  # noqa: PLC0415
    from orchestrator.rehearsal.census import Census  # noqa: PLC0415
    from orchestrator.rehearsal.publish_plan import plan_publish  # noqa: PLC0415

    files = read_folder(folder)
    candidate = check_files(settings, files)
    if candidate.bundle is None:
        _refuse(candidate)
    tenant = candidate.bundle.settings.tenant
    releases = read_releases(settings)
    live, earlier = published(settings, releases, tenant)
    checked = check_files(settings, files, live)
    if checked.bundle is None:
        _refuse(checked)
    census = Census(tenant, settings.kafka.partitions)
    read_customers(settings, census.take)
    changes = plan_publish(live, checked.bundle, build_program(checked.bundle, earlier), census.groups())
    named = publish_report.Releases(live.release if live is not None else "", checked.bundle.release)
    show = publish_report.as_json if as_json else publish_report.as_text
    typer.echo(show(changes, named, census.customers).rstrip("\n"))


def _refuse(result: LoadResult) -> NoReturn:
    show_errors(result)
    raise typer.Exit(1)
