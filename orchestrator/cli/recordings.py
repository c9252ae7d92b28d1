"""Recorded events, for commands that play them again: those of a file, or what came in on Kafka between two times."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from orchestrator.cli.clusters import declared_topics, reaching
from orchestrator.cli.errors import UserError
from orchestrator.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.cli.settings import Settings
    from orchestrator.rehearsal.recorded import EventFile
    from orchestrator.stream.topic_range import Span

Events = Annotated[Path | None, typer.Option("--events", help="Recorded events, JSON lines.", show_default=False)]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        help="Instead of a file: what came in on Kafka from then on. 7d ago, or a time such as 2026-03-02T08:15:00Z.",
        show_default=False,
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", help="With --since: and before then (default: now).", show_default=False)
]
Keep = Annotated[
    Path | None,
    typer.Option("--keep", help="With --since: keep these events in this file, for --events.", show_default=False),
]


@contextlib.contextmanager
def recorded_events(
    settings: Settings, events: Path | None, since: str | None, until: str | None, keep: Path | None
) -> Iterator[EventFile]:
    """The events of a file, or of the channels' topics between two times.

    What came from Kafka stands in a file while the command runs: there may be more of it than memory holds.

    Raises:
        UserError: there is no event, or the file or the cluster cannot be read.
    """
    if since is not None and events is None:
        with tempfile.TemporaryDirectory(prefix="orchestrator-") as folder:
            path = keep or Path(folder) / "events.jsonl"
            _fetch(settings, _span(since, until), path)
            yield _opened(path, str(keep) if keep else "Kafka")
    elif events is not None and (since, until, keep) == (None, None, None):
        yield _opened(events, str(events))
    else:
        raise UserError("say which events: --events FILE, or --since TIME with --until and --keep if you like")


def _fetch(settings: Settings, span: Span, path: Path) -> None:
    try:
        path.touch(0o600)  # it holds personal data
        with path.open("wb") as file, Progress("Reading Kafka", None) as progress:
            _write(settings, span, file, progress)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error


def _write(settings: Settings, span: Span, file: BinaryIO, progress: Progress) -> None:
    from orchestrator.rehearsal.recorded import line_of  # noqa: PLC0415 - --help does without
    from orchestrator.stream.lane.intake import CHANNEL  # noqa: PLC0415
    from orchestrator.stream.lane_settings import LaneError  # noqa: PLC0415
    from orchestrator.stream.topic_range import Fetched, read_range  # noqa: PLC0415

    def take(record: Fetched) -> None:
        file.write(line_of(*record))

    topics = [declared.topic for declared in declared_topics(settings) if declared.topic.startswith(CHANNEL)]
    connection = settings.kafka.connection()
    try:
        with reaching(settings.kafka):
            kept_from = asyncio.run(read_range(topics, span, take, connection, progress))
    except LaneError as error:
        raise UserError(str(error)) from error
    if kept_from is not None:
        since = datetime.fromtimestamp(kept_from / 1000, UTC).isoformat(timespec="seconds")
        typer.echo(f"Kafka has let go of what came in before {since} (`retention` of the topic files)", err=True)


def _opened(path: Path, named: str) -> EventFile:
    from orchestrator.rehearsal.recorded import EventFile  # noqa: PLC0415

    try:
        with Progress("Reading", path.stat().st_size) as progress:
            file = EventFile(path, progress)
    except OSError as error:
        raise UserError(f"{named}: cannot be read: {error.strerror}") from error
    if file.faults:
        number, fault = file.faults[0]
        count = f"{len(file.faults)} line{'s hold' if len(file.faults) > 1 else ' holds'} no event"
        typer.echo(f"{named}: {count}, left out; line {number}: {fault}", err=True)
    if not file.count:
        raise UserError(f"{named}: there is no event in it")
    return file


def _span(since: str, until: str | None) -> Span:
    from orchestrator.stream.topic_range import Span  # noqa: PLC0415

    now = time.time_ns() // 1_000_000
    span = Span(ago("--since", since, now), now if until is None else ago("--until", until, now))
    if span.since >= span.until:
        raise UserError(f"--since {since} is not before {f'--until {until}' if until is not None else 'now'}")
    return span


def ago(option: str, text: str, now: int | None = None) -> int:
    """A duration before now, or a moment, as ms.

    Raises:
        UserError: it is neither.
    """
    from orchestrator.language.spec.types import milliseconds as length  # noqa: PLC0415
    from orchestrator.model.event import milliseconds  # noqa: PLC0415

    before = length(text)
    if before is None:
        return milliseconds(moment(option, text))
    return (time.time_ns() // 1_000_000 if now is None else now) - before


def moment(option: str, text: str) -> datetime:
    """A time with its zone.

    Raises:
        UserError: it is none.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        wanted = "write a duration such as 1h30m, or a time such as 2026-03-02T08:15:00Z"
        raise UserError(f"{option} {text}: {wanted}") from error
    if read.tzinfo is None:
        raise UserError(f"{option} {text}: say in which zone, such as {text}Z")
    return read
