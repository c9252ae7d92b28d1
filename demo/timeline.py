"""The timeline: what happened, line by line, for a reader."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH_OF_A_FILE: Final = 150
STYLES: Final = {"event": "cyan", "page": "magenta", "decided": "yellow", "mail": "green", "note": "dim"}
SIGNS: Final = {"event": "→", "page": "▣", "decided": "◆", "mail": "✉", "note": "·"}


class Timeline:
    """Prints to the terminal, or plainly to a file or pipe."""

    def __init__(self, console: Console | None = None) -> None:
        found = console or Console(highlight=False)
        self.console = found if found.is_terminal else Console(width=WIDTH_OF_A_FILE, highlight=False)

    def chapter(self, title: str, text: str) -> None:
        """A new part of the story begins."""
        self.console.print()
        self.console.rule(Text(title, style="bold"), align="left")
        self.console.print(Text(text, style="italic"))

    def row(self, kind: str, customer: str, channel: str, what: str, why: str) -> None:
        """One line: when, whom, where, what, why.

        Args:
            kind: `event` (somebody did something), `page` (a channel asked what to show), `decided`, `mail`, `note`.
            customer: a name.
            channel: where it happened.
            what: in plain words.
            why: what it came from.
        """
        style = STYLES[kind]
        grid = self._grid()
        grid.add_row(
            Text(datetime.now().astimezone().strftime("%H:%M:%S"), style="dim"),
            Text(customer, style="bold"),
            Text(channel, style=style),
            Text(f"{SIGNS[kind]} {what}", style=style),
            Text(why, style="dim"),
        )
        self.console.print(grid)

    def check(self, held: bool, customer: str, text: str, seen: str) -> None:
        """An expectation that held, or that did not and what was seen instead."""
        grid = self._grid()
        line = Text()
        line.append("  ✓ " if held else "  ✗ ", style="bold green" if held else "bold red")
        line.append(text, style="" if held else "bold red")
        grid.add_row("", Text(customer, style="dim"), "", line, Text(seen, style="dim" if held else "red"))
        self.console.print(grid)

    def say(self, text: str, style: str = "") -> None:
        """A line that is no part of the story."""
        self.console.print(Text(text, style=style))

    def _grid(self) -> Table:
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=8)
        grid.add_column(width=10)
        grid.add_column(width=8)
        grid.add_column(ratio=11)
        grid.add_column(ratio=9)
        return grid
