"""How far a command is that takes long: a bar on standard error, where that is a terminal."""

from __future__ import annotations

from typing import Self


class Progress:
    """A progress bar; where the total is not known, it counts.

    Args:
        what: is being done, as a word.
        total: how much there is; None where nobody knows.
    """

    def __init__(self, what: str, total: int | None) -> None:
        from rich.console import Console  # noqa: PLC0415 - --help does without
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415
        from rich.progress import Progress as Bar  # noqa: PLC0415

        counted = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        console = Console(stderr=True)
        self._bar = Bar(console=console, transient=True) if total else Bar(*counted, console=console, transient=True)
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> Self:
        if self._bar.console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar.console.is_terminal:
            self._bar.stop()

    def __call__(self, done: int, total: int | None = None) -> None:
        """So much is done, of so much where that is known by now."""
        self._bar.update(self._task, completed=done, total=total)
