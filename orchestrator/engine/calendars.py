"""Opening hours."""

from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from orchestrator.engine.local_time import WEEKDAYS, instant, local, minutes_gone

_DAYS_AHEAD = 400


class OpenHours(NamedTuple):
    """A calendar: weekdays, from and to in minutes after midnight on its own clock, dates on which it is closed.

    An `end` that is not after `begin` is the next day's: Friday 18:00 to 02:00 ends on Saturday.
    """

    days: tuple[str, ...]
    begin: int
    end: int
    where: ZoneInfo
    closed: frozenset[str] = frozenset()

    def is_open(self, at: int) -> bool:
        """Whether the moment (ms) lies within opening hours."""
        today, minutes = local(at, self.where).date(), minutes_gone(at, self.where)
        if self.begin < self.end:
            return self.begin <= minutes < self.end and self._opens(today)
        return (minutes >= self.begin and self._opens(today)) or (
            minutes < self.end and self._opens(today - timedelta(days=1))
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
            if opening >= at and self._opens(day):
                return opening
            day += timedelta(days=1)
        raise ValueError("the calendar does not open within 400 days")

    def _opens(self, day: date) -> bool:
        return WEEKDAYS[day.weekday()] in self.days and day.isoformat() not in self.closed
