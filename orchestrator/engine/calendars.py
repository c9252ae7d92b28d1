"""Opening hours."""

from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from orchestrator.engine.local_time import WEEKDAYS, instant, local, minutes_of_day

_DAYS_AHEAD = 400


class OpenHours(NamedTuple):
    """A calendar: weekdays, from and to in minutes after midnight on its own clock, dates on which it is closed."""

    days: tuple[str, ...]
    begin: int
    end: int
    where: ZoneInfo
    closed: frozenset[str] = frozenset()

    def is_open(self, at: int) -> bool:
        """Whether the moment (ms) lies within opening hours."""
        wall = local(at, self.where)
        return self._opens(wall.weekday(), wall.date().isoformat()) and (
            self.begin <= minutes_of_day(at, self.where) < self.end
        )

    def next_opening(self, at: int) -> int:
        """The moment itself when it is open, else the next opening (ms).

        Raises:
            ValueError: it does not open within 400 days.
        """
        if self.is_open(at):
            return at
        day = local(at, self.where).date()
        for _ in range(_DAYS_AHEAD):
            opening = instant(day, self.begin, self.where)
            if opening >= at and self._opens(day.weekday(), day.isoformat()):
                return opening
            day += timedelta(days=1)
        raise ValueError("the calendar does not open within 400 days")

    def _opens(self, weekday: int, date: str) -> bool:
        return WEEKDAYS[weekday] in self.days and date not in self.closed
