"""A schedule ready to run: when `every` and `at` are due for somebody whose clock stands in a zone."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from orchestrator.engine.local_time import MINUTE, WEEKDAYS, instant, local

if TYPE_CHECKING:
    from orchestrator.language.spec.scenario import Entry

FURTHEST_ZONE: Final = 15 * 3_600_000
"""No clock is so far (ms) behind or before UTC."""

_DAYS_AHEAD: Final = 62


class Occurrence(NamedTuple):
    """One time that a schedule is due: `day` names it, whatever the zone; `due` is when (ms)."""

    day: str
    due: int


class Schedule(NamedTuple):
    """When everybody of the audience enters.

    Attributes:
        kind: "every" or "at".
        days: weekdays, or days of the month.
        minutes: o'clock, in minutes after midnight.
        once: ms since the epoch; with `floating` the clock on the wall, read as if it were UTC.
        floating: it depends on the customer's zone.
        sign: tells a schedule from another one under the same name.
    """

    kind: str
    days: frozenset[str]
    minutes: int
    once: int
    floating: bool
    sign: str

    def next(self, now: int, where: ZoneInfo, last: str) -> Occurrence | None:
        """The first occurrence after `now` (ms) that is later than the occurrence `last`; None where there is none."""
        if self.kind == "at":
            day = str(self.once)
            due = self.instant(day, where)
            return Occurrence(day, due) if due > now and day != last else None
        on = local(now, where).date()
        for _ in range(_DAYS_AHEAD):
            day = on.isoformat()
            if day > last and self._fits(on) and (due := instant(on, self.minutes, where)) > now:
                return Occurrence(day, due)
            on += timedelta(days=1)
        return None

    def instant(self, day: str, where: ZoneInfo) -> int:
        """When an occurrence is due (ms) in a zone."""
        if self.kind == "every":
            return instant(date.fromisoformat(day), self.minutes, where)
        if not self.floating:
            return self.once
        wall = datetime.fromtimestamp(self.once / 1000, UTC)
        return instant(wall.date(), wall.hour * 60 + wall.minute, where) + self.once % MINUTE

    def is_over(self, now: int) -> bool:
        """Whether it has passed on every clock."""
        return self.kind == "at" and self.once + (FURTHEST_ZONE if self.floating else 0) <= now

    def _fits(self, on: date) -> bool:
        return WEEKDAYS[on.weekday()] in self.days or str(on.day) in self.days


def plan_schedule(entry: "Entry") -> Schedule | None:
    """The schedule of an entry, None where it has none."""
    if entry.every is not None:
        days, minutes = frozenset(entry.every.days), entry.every.time
        floating = entry.every.zone == "customer"
        return Schedule("every", days, minutes, 0, floating, f"{' '.join(sorted(days))} {minutes} {floating}")
    if entry.at_ is not None:
        once, floating = entry.at_.ms, entry.at_.local
        return Schedule("at", frozenset(), 0, once, floating, f"{once} {floating}")
    return None
