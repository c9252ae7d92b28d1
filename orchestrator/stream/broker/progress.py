"""Shows a person that Kafka's jars are being fetched: a bar at a terminal, one line elsewhere."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from orchestrator.stream.broker.jars import KAFKA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.stream.broker.jars import Progress


@contextlib.contextmanager
def fetch_progress() -> Iterator[Progress]:
    """What to hand to `fetch`; draws on standard error, and nothing at all when nothing is fetched."""
    from rich.console import Console  # noqa: PLC0415  # only for who sees it
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(f"Fetching Apache Kafka {KAFKA_VERSION} (once)", total=None)

    def show(done: int, total: int) -> None:
        if done == 0:
            bar.start()
            if not console.is_terminal:
                console.print(f"Fetching Apache Kafka {KAFKA_VERSION}, {total / 1e6:.0f} MB, once ...", highlight=False)
        bar.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        bar.stop()
