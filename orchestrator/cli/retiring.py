"""Looking at which releases are held and why, and retiring those that nobody is on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from orchestrator.cli.clusters import reaching, read_customers
from orchestrator.cli.published import read_releases
from orchestrator.rehearsal.retiring import ALWAYS_HELD, FREE, NEEDED, InUse, Known, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.cli.settings import Settings
    from orchestrator.rehearsal.retiring import Verdict
    from orchestrator.stream.releases import Listed, Releases


def look(settings: Settings, tenant: str) -> tuple[list[Listed], list[Verdict]]:
    """Every release, retired ones too, and what holds each.

    Raises:
        UserError: the cluster cannot be read, or holds something that only a newer version can.
    """
    releases = read_releases(settings)
    lists = _with_versions(settings, releases, tenant)
    if not lists:
        return [], []
    in_use = InUse(tenant, settings.kafka.partitions)
    read_customers(settings, in_use.take)
    known = [Known(one.release, one.versions, bool(one.retired_at)) for one in lists]
    return lists, judge(known, releases.current.get(tenant, ""), in_use.versions(), in_use.releases())


class Retiring(NamedTuple):
    """What was done: releases that went, and retired ones that somebody turned out to be on, so they are back."""

    gone: list[str]
    back: list[str]


def retire(settings: Settings, tenant: str, at: int) -> Retiring:
    """Retire every release that nobody is on.

    Somebody may come to be on one while we look: a customer on the way from one partition to another, a partition whose
    change to it was still on its way. Workers find out, and hold it again.

    The files stay where they are: messages on their way are rendered from them, and publishing one again has it
    count as before.

    Args:
        settings: where the cluster is.
        tenant: whose releases.
        at: now (ms).

    Raises:
        UserError: the cluster cannot be read or written.
    """
    lists, verdicts = look(settings, tenant)
    why = {verdict.release: verdict.why for verdict in verdicts}
    gone = [one for one in lists if why[one.release] == FREE]
    back = [one for one in lists if one.retired_at and why[one.release] in NEEDED]
    _write(settings, tenant, [replace(one, retired_at=0) for one in back])
    _write(settings, tenant, [replace(one, retired_at=at) for one in gone])
    current = read_releases(settings).current.get(tenant) if gone else None
    again = [one for one in gone if one.release == current]  # published once more while we looked
    _write(settings, tenant, again)
    return Retiring([one.release for one in gone if one not in again], [one.release for one in back])


def worth_a_look(settings: Settings, tenant: str) -> bool:
    """Whether there is any release that could be retired."""
    return len(read_releases(settings).held(tenant)) > ALWAYS_HELD


def _with_versions(settings: Settings, releases: Releases, tenant: str) -> list[Listed]:
    """What the topic says of every release; where it does not say which versions, the files do."""
    return [
        one if one.versions is not None or one.retired_at else _read(settings, releases, tenant, one)
        for one in releases.lists(tenant)
    ]


def _read(settings: Settings, releases: Releases, tenant: str, listed: Listed) -> Listed:
    from orchestrator.cli.publish import check_files  # noqa: PLC0415 - publishing looks at what is published

    files = releases.files(tenant, listed.release)
    bundle = check_files(settings, files).bundle if files is not None else None
    if bundle is None:
        return listed
    return replace(listed, versions={name: one.version for name, one in bundle.scenarios.items()})


def _write(settings: Settings, tenant: str, lists: Sequence[Listed]) -> None:
    from orchestrator.stream.publishing import list_record, publish_records  # noqa: PLC0415

    if lists:
        with reaching(settings.kafka):
            asyncio.run(publish_records(settings.kafka.connection(), [list_record(tenant, one) for one in lists]))
