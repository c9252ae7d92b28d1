"""Ends a worker that does not do its work: a thread beside the event loop, since the loop may be what is stuck.

Faust can hang for good without a word (a recovery that died silently, a consumer thread that outlives the main
thread, a stop that waits for ever). Then a clear log line and an exit code, so that a supervisor starts it anew.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from orchestrator.telemetry import emit, events

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.stream.lane_settings import WatchdogSettings

EXIT_CODE = 70


class Pulse:
    """What the loop tells the watchdog. Plain attributes, written by one thread, read by another."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        now = clock()
        self.beat_at = now
        self.progress_at = now
        self.behind = False
        self.recovering = False
        self.recovery_moved_at = now
        self.stopping_at: float | None = None

    def beat(self) -> None:
        """The loop runs."""
        self.beat_at = self._clock()

    def committed(self) -> None:
        """Offsets were committed."""
        self.progress_at = self._clock()

    def lag(self, behind: bool) -> None:
        """Whether there are records that are not committed; time without any counts as progress."""
        self.behind = behind
        if not behind:
            self.progress_at = self._clock()

    def recovery(self, going_on: bool) -> None:
        """A recovery has begun, moved on, or ended."""
        self.recovering = going_on
        self.recovery_moved_at = self._clock()
        if not going_on:
            self.progress_at = self.recovery_moved_at

    def stopping(self) -> None:
        """The worker has been told to stop, or failed."""
        if self.stopping_at is None:
            self.stopping_at = self._clock()


def complaint(pulse: Pulse, settings: WatchdogSettings, now: float) -> str | None:
    """What is wrong, if anything: the rule of the watchdog, without thread or clock.

    Args:
        pulse: what the loop told.
        settings: the limits, in ms.
        now: in seconds, of the clock that the pulse uses.
    """
    if pulse.stopping_at is not None:
        return _over("the worker was told to stop and still runs", now - pulse.stopping_at, settings.stop_within)
    stuck = _over("the event loop is stuck", now - pulse.beat_at, settings.loop_stuck_after)
    if stuck:
        return stuck
    if pulse.recovering:
        return _over("the recovery does not move", now - pulse.recovery_moved_at, settings.recovery_stuck_after)
    if pulse.behind:
        return _over("records wait, but none is committed", now - pulse.progress_at, settings.no_progress_after)
    return None


def _over(what: str, seconds: float, limit: int) -> str | None:
    return f"{what} (for {seconds:.1f} s, limit {limit / 1000:g} s)" if limit and seconds * 1000 > limit else None


class Watchdog(threading.Thread):
    """Looks at the pulse and ends the process when something is wrong for too long.

    Args:
        pulse: what the loop tells.
        settings: the limits.
        end: ends the process with a code; tests give another.
    """

    def __init__(self, pulse: Pulse, settings: WatchdogSettings, end: Callable[[int], object] = os._exit) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._pulse = pulse
        self._settings = settings
        self._end = end
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self._settings.check_every / 1000):
            found = complaint(self._pulse, self._settings, time.monotonic())
            if found:
                emit(events.WatchdogEnded(found))
                faulthandler.dump_traceback(file=sys.stderr)
                sys.stderr.flush()
                self._end(EXIT_CODE)
                return

    def dismiss(self) -> None:
        """The worker has ended well."""
        self._over.set()
