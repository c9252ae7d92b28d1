"""`orchestrator publish`: a folder of scenarios becomes the release that counts."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Bootstrap, Config, Format, TopicsDir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.cli.settings import Settings
    from orchestrator.language.bundle import Bundle, LoadResult

_HELP = """
Check a folder of scenarios and publish it: from then on every worker runs on it.

A bundle with an error is refused, and the one that counts goes on counting; so is one that changes what a scenario
means without a new version, or loses a step that somebody may stand at. Each partition changes release at one
record; journeys in flight follow what their scenario says (in_flight). Publishing the same files again changes
nothing.

With --dry-run nothing is written: it reads which bundle counts and who is under way, and says for every scenario that
changes how many live instances that touches, and what becomes of them. Exit status 1: the bundle has errors, also
such as only the live bundle shows (a meaning changed without a new version, a step that `follow` would lose).
"""

SKIPPED = (".git", "__pycache__")


def register(app: typer.Typer) -> None:
    app.command("publish", help=_HELP, short_help="Make a folder of scenarios the release that counts.")(publish)


def publish(
    folder: Annotated[
        Path | None, typer.Argument(help="The bundle's folder (default: scenarios).", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do to whom is under way.")] = False,
    format_: Annotated[Format, typer.Option("--format", help="With --dry-run: text or json.")] = Format.TEXT,
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415  # --help does without

    settings = load_settings(config, {"kafka.bootstrap": bootstrap, "topics_dir": topics_dir, "scenarios": folder})
    if dry_run:
        from orchestrator.cli.publish_dry_run import publish_dry_run  # noqa: PLC0415

        publish_dry_run(settings, settings.scenarios, as_json=format_ is Format.JSON)
        return
    typer.echo(publish_folder(settings, settings.scenarios, against_live=True).told)


class Published(NamedTuple):
    """What was published: for whom, its content hash, and how many scenarios it has."""

    tenant: str
    release: str
    scenarios: int

    @property
    def told(self) -> str:
        """It, in a line."""
        return f"Published release {self.release[:12]} with {self.scenarios} scenarios."


def publish_folder(settings: Settings, folder: Path, *, against_live: bool = False) -> Published:
    """Check and publish a folder.

    Args:
        settings: where to.
        folder: the bundle's.
        against_live: refuse, too, what only the live bundle shows: a meaning changed without a new version, a step
            that `follow` would lose. Who tries things out at a desk does without.

    Raises:
        UserError: the bundle has errors (all of them are shown), or Kafka refuses.
    """
    from orchestrator.cli.clusters import reaching  # noqa: PLC0415
    from orchestrator.stream.clock import wall_clock  # noqa: PLC0415
    from orchestrator.stream.publishing import publish_records, release_records  # noqa: PLC0415

    files = read_folder(folder)
    result = check_files(settings, files)
    bundle = result.bundle
    if bundle is None:
        raise UserError(_refused(folder, result))
    if against_live:
        _check_against_live(settings, folder, files, bundle)
    versions = {name: scenario.version for name, scenario in bundle.scenarios.items()}
    records = release_records(bundle.settings.tenant, bundle.release, files, wall_clock(), versions)
    connection = settings.kafka.connection()
    with reaching(settings.kafka):
        asyncio.run(publish_records(connection, records))
    return Published(bundle.settings.tenant, bundle.release, len(bundle.scenarios))


def _check_against_live(settings: Settings, folder: Path, files: dict[str, bytes], bundle: Bundle) -> None:
    """Look at what a bundle would change.

    Raises:
        UserError: it must not be published as it is, or the live bundle cannot be read.
    """
    from orchestrator.cli.published import live_bundle, read_releases  # noqa: PLC0415

    tenant = bundle.settings.tenant
    releases = read_releases(settings)
    live = live_bundle(settings, releases, tenant)
    if live is None and tenant in releases.current:
        typer.echo("The live bundle cannot be read with these topic files: versions were not compared.", err=True)
    if live is not None and live.release != bundle.release:
        result = check_files(settings, files, live)
        if result.bundle is None:
            raise UserError(_refused(folder, result))


def _refused(folder: Path, result: LoadResult) -> str:
    errors = show_errors(result)
    count = f"{errors} error" + ("s" if errors != 1 else "")
    return f"{folder} has {count} and was not published; see `orchestrator lint {folder}`"


def show_errors(result: LoadResult) -> int:
    """Shows the errors of a bundle (`lint` has the warnings as well), and says how many there are."""
    from orchestrator.language.source import Severity  # noqa: PLC0415
    from orchestrator.language.source.rendering import as_text  # noqa: PLC0415

    errors = [one for one in result.diagnostics if one.severity is Severity.ERROR]
    typer.echo(as_text(errors, result.lines), err=True, nl=False)
    return len(errors)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Every file of a bundle's folder, by its path relative to the folder.

    Raises:
        UserError: there is no such folder, or a file is too large to be published.
    """
    from orchestrator.cli.bundles import check_sizes  # noqa: PLC0415

    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; name the folder of your scenarios")
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part in SKIPPED or part.startswith(".") for part in path.relative_to(folder).parts)
    }
    check_sizes(files)
    return files


def check_files(settings: Settings, files: Mapping[str, bytes], previous: Bundle | None = None) -> LoadResult:
    """Load and check a bundle against the declared topics, and against the live bundle where that is given."""
    from orchestrator.cli.clusters import declared_topics  # noqa: PLC0415
    from orchestrator.language.bundle import EventSchemas, load_bundle  # noqa: PLC0415

    declared = declared_topics(settings)
    return load_bundle(files, EventSchemas.from_topics(each.model_dump() for each in declared), previous)
