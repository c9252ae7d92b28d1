"""Event times on the way in: RFC 3339 with an offset."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

MAX_AHEAD: Final = 5 * 60 * 1000

_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(text: str) -> int:
    """Milliseconds since the epoch; finer parts are cut off. A leap second counts as the next minute's first.

    Raises:
        ValueError: it is no RFC 3339 time with an offset; the message says what is wrong, without quoting it.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("must be an RFC 3339 time with an offset, such as 2026-03-02T08:15:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    leap = second == 60
    try:
        moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=_zone(match))
    except ValueError:
        raise ValueError("names a day, hour or offset that does not exist") from None
    fraction = int(((match[7] or "") + "000")[:3])
    return (moment - _EPOCH) // timedelta(milliseconds=1) + (1000 if leap else fraction)


def format_time(moment: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC."""
    seconds, rest = divmod(moment, 1000)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03d}Z" if rest else f"{text}Z"


def time_problem(moment: int, now: int) -> str | None:
    """Why an event may not bear this time, or None. Both are milliseconds since the epoch."""
    if moment > now + MAX_AHEAD:
        return "is more than 5 minutes in the future; check the producer's clock"
    if moment < 0:
        return "is before 1970; leave it out where it is not known"
    return None


def _zone(match: re.Match[str]) -> timezone:
    if match[8]:
        return UTC
    hours, minutes = int(match[10]), int(match[11])
    if hours > 23 or minutes > 59:
        raise ValueError("offset")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match[9] == "-" else offset)
