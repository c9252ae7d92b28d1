"""Reading, writing and taking apart timestamps and durations."""

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestrator.language.cel.errors import CelError
from orchestrator.language.cel.runtime.arithmetic import instant, length
from orchestrator.language.cel.runtime.failures import no_overload
from orchestrator.language.cel.values import NS_PER_MS, NS_PER_SECOND, Duration, Timestamp

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII,
)  # fmt: skip
_OFFSET: Final = re.compile(r"([+-]?)(\d{1,2}):(\d\d)", re.ASCII)
_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h|d|w)", re.ASCII)
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": NS_PER_MS,
    "s": NS_PER_SECOND,
    "m": 60 * NS_PER_SECOND,
    "h": 3_600 * NS_PER_SECOND,
    "d": 86_400 * NS_PER_SECOND,
    "w": 604_800 * NS_PER_SECOND,
}
_MAX_TIME_TEXT: Final = 64  # no timestamp or duration is longer; int() of very long digits is slow


def parse_timestamp(text: str) -> Timestamp:
    """RFC 3339, with up to nine digits of a second.

    Raises:
        CelError: It is no such text, or no such instant.
    """
    found = _RFC3339.fullmatch(text) if len(text) <= _MAX_TIME_TEXT else None
    if found is None:
        raise CelError("not a timestamp; write 2026-03-02T08:15:00Z")
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = found.groups()
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError as error:
        raise CelError(f"not a timestamp: {error}") from None
    shift = 0
    if sign:
        shift = _shift(sign, int(offset_hour), int(offset_minute))
    seconds = (local - _EPOCH) // timedelta(seconds=1) - shift
    return instant(seconds * NS_PER_SECOND + int((fraction or "").ljust(9, "0")))


def _shift(sign: str, hours: int, minutes: int) -> int:
    if hours > 23 or minutes > 59:
        raise CelError("an offset from UTC is at most 23:59")
    seconds = hours * 3_600 + minutes * 60
    return -seconds if sign == "-" else seconds


def parse_duration(text: str) -> Duration:
    """`1h30m`, `-1.5s`, `250ms`; besides CEL's units also `d` (24 hours) and `w`.

    Raises:
        CelError: It is no such text, or longer than 10,000 years.
    """
    sign, body = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if body == "0":
        return Duration(0)
    total, at = 0, 0
    while body and at < len(body) <= _MAX_TIME_TEXT:
        found = _PART.match(body, at)
        if found is None:
            break
        total += _nanoseconds(found.group(1), _UNITS[found.group(2)])
        at = found.end()
    if at == 0 or at < len(body):
        raise CelError("not a duration; write 90s, 30m, 2h, 7d or 1h30m")
    return length(sign * total)


def _nanoseconds(number: str, unit: int) -> int:
    whole, _, fraction = number.partition(".")
    found = int(whole or "0") * unit
    if fraction:
        found += int(fraction) * unit // 10 ** len(fraction)
    return found


def format_timestamp(time: Timestamp) -> str:
    seconds, ns = divmod(time.ns, NS_PER_SECOND)
    whole = _EPOCH + timedelta(seconds=seconds)
    return f"{whole:%H:%M:%S}".join([f"{whole.year:04}-{whole:%m-%d}T", _fraction(ns) + "Z"])


def format_duration(duration: Duration) -> str:
    seconds, ns = divmod(abs(duration.ns), NS_PER_SECOND)
    return f"{'-' if duration.ns < 0 else ''}{seconds}{_fraction(ns)}s"


def _fraction(ns: int) -> str:
    """Three, six or nine digits, none for zero."""
    if ns == 0:
        return ""
    digits = f"{ns:09}"
    return "." + (digits[:3] if digits.endswith("000000") else digits[:6] if digits.endswith("000") else digits)


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """A time zone: an IANA name, an offset such as +05:30, or empty for UTC.

    Raises:
        CelError: There is no such zone.
    """
    if name == "":
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset:
        return timezone(timedelta(seconds=_shift(offset[1], int(offset[2]), int(offset[3]))))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CelError(f"there is no time zone {name[:40]!r}") from None


def _local(time: Timestamp, name: str) -> datetime:
    try:
        return (_EPOCH + timedelta(seconds=time.ns // NS_PER_SECOND)).astimezone(zone(name))
    except OverflowError:
        raise CelError("this timestamp lies outside of the years 1 to 9999 in that zone") from None


def _calendar(name: str, part: Callable[[datetime], int]) -> Callable[..., int]:
    def accessor(time: Any, zone_name: Any = "") -> int:
        if type(time) is not Timestamp or type(zone_name) is not str:
            raise no_overload(name, time, zone_name)
        return part(_local(time, zone_name))

    return accessor


def _clock(name: str, part: Callable[[datetime], int], ns_per_unit: int) -> Callable[..., int]:
    of_timestamp = _calendar(name, part)

    def accessor(value: Any, *zone_name: Any) -> int:
        if type(value) is Duration and not zone_name:
            units = abs(value.ns) // ns_per_unit
            return -units if value.ns < 0 else units
        return of_timestamp(value, *zone_name)

    return accessor


full_year = _calendar("getFullYear", lambda local: local.year)
month = _calendar("getMonth", lambda local: local.month - 1)
date = _calendar("getDate", lambda local: local.day)
day_of_month = _calendar("getDayOfMonth", lambda local: local.day - 1)
day_of_week = _calendar("getDayOfWeek", lambda local: local.isoweekday() % 7)
day_of_year = _calendar("getDayOfYear", lambda local: local.timetuple().tm_yday - 1)
hours = _clock("getHours", lambda local: local.hour, _UNITS["h"])
minutes = _clock("getMinutes", lambda local: local.minute, _UNITS["m"])
seconds = _clock("getSeconds", lambda local: local.second, NS_PER_SECOND)


def milliseconds(value: Any, zone_name: Any = "") -> int:
    """The milliseconds within the second, of a timestamp or a duration."""
    if type(value) is Duration and zone_name == "":
        part = abs(value.ns) % NS_PER_SECOND // NS_PER_MS
        return -part if value.ns < 0 else part
    if type(value) is not Timestamp or type(zone_name) is not str:
        raise no_overload("getMilliseconds", value, zone_name)
    zone(zone_name)
    return value.ns % NS_PER_SECOND // NS_PER_MS
