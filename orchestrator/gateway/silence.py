"""Whether Kafka acknowledges anything: while it does not, a write is refused at once instead of waited for.

A caller who waits holds one of its connections, and there are not many of them. Those of every write that an outage
keeps waiting soon are all, and then questions wait for a connection as well, however short their deadline is.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Final

PATIENCE: Final = 1.0
"""Seconds. Electing new leaders takes less, and what is slow only in part goes on acknowledging something."""


class Silence:
    """Watches the writes of one gateway.

    Kafka is silent when a write has been under way for `PATIENCE` and nothing was acknowledged meanwhile. From then on
    one write in `PATIENCE` seconds is let through, to find out; whatever is acknowledged ends the silence.

    Args:
        clock: a monotonic clock, s.
        on_change: told when the silence begins (True) and when it is over (False).
    """

    def __init__(self, clock: Callable[[], float], on_change: Callable[[bool], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._under_way: dict[object, float] = {}
        self._heard = -PATIENCE
        self._admitted = -PATIENCE
        self._silent = False

    @property
    def lasts(self) -> bool:
        """Whether Kafka was silent when a write last asked, and nothing has been acknowledged since."""
        return self._silent

    def admits(self) -> bool:
        """Whether a write may be tried now."""
        now = self._clock()
        oldest = next(iter(self._under_way.values()), now)
        if not self._silent and now - max(oldest, self._heard) >= PATIENCE:
            self._turn(silent=True)
        return not self._silent or now - self._admitted >= PATIENCE

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Around a write; leaving it without an exception says that all of it was acknowledged."""
        write = object()
        self._admitted = self._under_way[write] = self._clock()
        try:
            yield
        finally:
            del self._under_way[write]
        self._heard = self._clock()
        if self._silent:
            self._turn(silent=False)

    def _turn(self, *, silent: bool) -> None:
        self._silent = silent
        self._on_change(silent)
