"""The customer's clock: days, times of day and weekdays in a zone.

An hour that summer time skips is taken at its end; of a doubled one the first counts.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY: Final = 86_400_000
MINUTE: Final = 60_000
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=1024)
def zone(name: str, otherwise: str = "UTC") -> ZoneInfo:
    """A zone by its IANA name; an unknown name gives `otherwise`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(otherwise)


def local(at: int, where: ZoneInfo) -> datetime:
    """A moment (ms) on the clock of a zone."""
    return datetime.fromtimestamp(at / 1000, where)


def instant(day: date, minutes: int, where: ZoneInfo) -> int:
    """The moment (ms) of a time of day, in minutes after midnight, on a local day."""
    wall = datetime.combine(day, time(), tzinfo=None) + timedelta(minutes=minutes)
    aware = wall.replace(tzinfo=where, fold=0)
    at = round(aware.timestamp() * 1000)
    if local(at, where).replace(tzinfo=None) == wall:
        return at
    return _end_of_gap(wall, where)


def _end_of_gap(wall: datetime, where: ZoneInfo) -> int:
    """The moment at which the clock jumps over `wall`: the offset before it puts the moment too late by the jump."""
    before = round(wall.replace(tzinfo=where, fold=0).timestamp() * 1000)
    after = round(wall.replace(tzinfo=where, fold=1).timestamp() * 1000)
    low, high = min(before, after), max(before, after)
    first = local(low, where).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if local(middle, where).utcoffset() == first else (low, middle)
    return high


def start_of_day(at: int, where: ZoneInfo) -> int:
    """Local midnight (ms) of the day of a moment."""
    return instant(local(at, where).date(), 0, where)


def start_of_week(at: int, where: ZoneInfo) -> int:
    """Local midnight (ms) of the Monday of a moment's week."""
    day = local(at, where).date()
    return instant(day - timedelta(days=day.weekday()), 0, where)


def start_of_month(at: int, where: ZoneInfo) -> int:
    """Local midnight (ms) of the first day of a moment's month."""
    return instant(local(at, where).date().replace(day=1), 0, where)


def minutes_of_day(at: int, where: ZoneInfo) -> int:
    """Minutes after local midnight, by the clock on the wall."""
    moment = local(at, where)
    return moment.hour * 60 + moment.minute


def minutes_gone(at: int, where: ZoneInfo) -> int:
    """The newest o'clock (minutes after local midnight) that has been: what hours from and to are compared with.

    It is the one on the wall, but in an hour that comes twice: its first time counts, so that the second time all of
    it has been.
    """
    moment = local(at, where)
    if moment.fold:
        moment = local(_end_of_first(at, moment, where), where)
    return moment.hour * 60 + moment.minute


def _end_of_first(at: int, again: datetime, where: ZoneInfo) -> int:
    """The last ms before the clock went back, where `at` shows an o'clock for the second time."""
    low, high = round(again.replace(fold=0).timestamp() * 1000), at
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if local(middle, where).fold else (middle, high)
    return low


def within(minutes: int, begin: int, end: int) -> bool:
    """Whether a time of day lies in [begin, end), also across midnight."""
    return begin <= minutes < end if begin <= end else minutes >= begin or minutes < end


def next_time(at: int, minutes: int, where: ZoneInfo, days_later: int = 0, weekdays: tuple[str, ...] = ()) -> int:
    """The next moment (ms), not before `at`, when it is `minutes` after midnight.

    `days_later` counts local days (0: the next time it is that o'clock, today included); then `weekdays` (names of
    WEEKDAYS, none: any) must agree.
    """
    day = local(at, where).date() + timedelta(days=days_later)
    for _ in range(9):
        due = instant(day, minutes, where)
        if due >= at and (not weekdays or WEEKDAYS[day.weekday()] in weekdays):
            return due
        day += timedelta(days=1)
    raise ValueError("no weekday fits: name days out of " + " ".join(WEEKDAYS))


def utc_text(at: int) -> str:
    """A moment as RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
