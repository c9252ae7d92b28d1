"""What is published: the releases on the topic `bundles`, and the bundle of the one that counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.clusters import read_topic
from orchestrator.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.cli.settings import Settings
    from orchestrator.engine.program.plan import Program
    from orchestrator.language.bundle import Bundle
    from orchestrator.stream.releases import Releases


def read_releases(settings: Settings) -> Releases:
    """Everything on the topic `bundles`.

    Raises:
        UserError: it cannot be read.
    """
    from orchestrator.stream.publishing import TOPIC  # noqa: PLC0415
    from orchestrator.stream.releases import UNREADABLE, Releases  # noqa: PLC0415

    releases = Releases()

    def take(rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, value in rows:
            try:
                releases.apply(key, value)
            except UNREADABLE:
                continue  # a worker leaves it aside too, and counts it

    read_topic(settings, TOPIC, take, "Reading releases")
    return releases


def live_bundle(settings: Settings, releases: Releases, tenant: str) -> Bundle | None:
    """The bundle that counts; None where none does, or where it has errors against these topic files."""
    current = releases.current.get(tenant)
    return None if current is None else _bundle(settings, releases, tenant, current)


def _bundle(settings: Settings, releases: Releases, tenant: str, release: str) -> Bundle | None:
    from orchestrator.cli.publish import check_files  # noqa: PLC0415 - publishing looks at what is published

    files = releases.files(tenant, release)
    return None if files is None else check_files(settings, files).bundle


def published(settings: Settings, releases: Releases, tenant: str) -> tuple[Bundle | None, list[Program]]:
    """The live bundle, and the program of every release that instances may be on, the live one last.

    Raises:
        UserError: the live release cannot be read any more.
    """
    from orchestrator.engine.program.build import build_program  # noqa: PLC0415

    current = releases.current.get(tenant)
    known = [release for release in releases.held(tenant) if release != current]
    live: Bundle | None = None
    programs: list[Program] = []
    for release in [*known, *([current] if current is not None else [])]:
        bundle = _bundle(settings, releases, tenant, release)
        if bundle is None and release == current:
            raise UserError(f"the live release {release[:12]} has errors against these topic files: --topics-dir?")
        if bundle is not None:
            live = bundle
            programs.append(build_program(bundle, programs))
    return live if current is not None else None, programs
