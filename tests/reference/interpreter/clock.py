"""The customer's clock: found by looking at every minute, so that no rule about summer time is needed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from orchestrator.language.spec.ground import Calendar

MINUTE = 60_000
DAY = 86_400_000
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone))


def parts(wall: datetime) -> dict[str, Any]:
    return {
        "date": wall.date().isoformat(),
        "time": wall.strftime("%H:%M"),
        "weekday": WEEKDAYS[wall.weekday()],
        "hour": wall.hour,
    }


def midnight(at: int, zone: str, days_later: int = 0) -> int:
    """The first minute of the local day that many days after the day of `at`."""
    return time_on(local(at, zone).date() + timedelta(days=days_later), 0, zone)


@cache
def time_on(day: date, minutes: int, zone: str) -> int:
    """When it is that o'clock on a local day: an hour that is skipped is taken at its end, a doubled one once."""
    wanted = f"{day.isoformat()} {minutes // 60:02}:{minutes % 60:02}"
    minute = round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) - DAY
    while f"{local(minute, zone):%Y-%m-%d %H:%M}" < wanted:
        minute += MINUTE
    return minute


def next_time(at: int, minutes: int, zone: str, days_later: int = 0, weekdays: tuple[str, ...] = ()) -> int:
    """The next time from `at` on (and from that many local days later on) when it is that o'clock."""
    day = local(at, zone).date() + timedelta(days=days_later)
    while time_on(day, minutes, zone) < at or (weekdays and WEEKDAYS[day.weekday()] not in weekdays):
        day += timedelta(days=1)
    return time_on(day, minutes, zone)


def is_between(at: int, begin: int, end: int, zone: str) -> bool:
    """Whether hours of that day, or of the day before, are under way; those whose `end` comes first end a day later."""
    today = local(at, zone).date()
    return any(
        time_on(day, begin, zone) <= at < time_on(day + timedelta(days=end < begin), end, zone)
        for day in (today - timedelta(days=1), today)
    )


def is_open(at: int, calendar: Calendar, bundle: Bundle) -> bool:
    """Whether it is open then, on the calendar's own clock."""
    zone = calendar.zone or bundle.settings.zone
    today = local(at, zone).date()
    for day in (today - timedelta(days=1), today):
        closes = time_on(day + timedelta(days=calendar.to <= calendar.from_), calendar.to, zone)
        if _is_day(day, calendar) and time_on(day, calendar.from_, zone) <= at < closes:
            return True
    return False


def _is_day(day: date, calendar: Calendar) -> bool:
    return WEEKDAYS[day.weekday()] in calendar.days and day.isoformat() not in calendar.except_


def next_opening(at: int, calendar: Calendar, bundle: Bundle) -> int:
    """The moment itself where it is open, else the first minute at which it is."""
    if is_open(at, calendar, bundle):
        return at
    minute = -(-at // MINUTE) * MINUTE
    while not is_open(minute, calendar, bundle):
        minute += MINUTE
    return minute
