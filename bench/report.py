"""How benchmarks report: a table for people, a JSON line a figure, a row each in bench/ledger.csv."""

import csv
import datetime as dt
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

LEDGER = Path(__file__).parent / "ledger.csv"
COLUMNS = ("date", "commit", "host", "figure", "value", "unit")


class Figure(NamedTuple):
    """One measured figure; `bar` and `holds` are None where nothing was promised."""

    figure: str
    value: float
    unit: str
    bar: float | None = None
    holds: bool | None = None


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table."""
    shown = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        shown.add_column(column, justify="left" if place == 0 else "right")
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    Console().print(shown)


def report(figures: Iterable[Figure]) -> None:
    """Print each figure as one JSON line; `python -m bench` enters them in the ledger."""
    for figure in figures:
        print(json.dumps(figure._asdict()), flush=True)


def enter(figures: Iterable[Figure]) -> None:
    """Add figures to the ledger."""
    new = not LEDGER.exists()
    with LEDGER.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        today = dt.datetime.now(dt.UTC).date().isoformat()
        for figure in figures:
            writer.writerow((today, _commit(), _host(), figure.figure, figure.value, figure.unit))


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"


def _host() -> str:
    return f"{platform.system()}-{platform.machine()}-{os.cpu_count()}cpu-py{platform.python_version()}"
