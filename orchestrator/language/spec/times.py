"""Types of fields about time: durations, times of day, moments, days, windows."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.language.source.nodes import Node, Scalar
from orchestrator.language.spec.slips import as_duration
from orchestrator.language.spec.types import JSON, Type, milliseconds, nearest_hint
from orchestrator.language.spec.values import Instant, Per

if TYPE_CHECKING:
    from orchestrator.language.spec.reader import Reader

_TIME = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_MONTHS = re.compile(r"\d+\s*(?:mo|mon|months?|M)", re.IGNORECASE)
_YEARS = re.compile(r"(\d*)\s*(?:y|yr|years?|yearly)", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d\d))?\s*([ap]m)?", re.IGNORECASE)
_HOUR = re.compile(r"(\d\d?):(\d\d)")
_DAY = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)")
_DAY_FIRST = re.compile(r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})")
_BEHIND = re.compile(r"(?:(?:T|,?\s+)(\d\d?):(\d\d)(:\d\d)?(.*))?", re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MINUTES_OF_A_DAY = 1440


@dataclass(frozen=True)
class Duration(Type):
    """A length of time in ms; may be negative where `signed`."""

    signed: bool = False
    words = "duration"

    def read(self, node: Node, reader: Reader) -> Any:
        value = milliseconds(node.text) if isinstance(node, Scalar) else None
        if value is None:
            hint = _meant(node.text) if isinstance(node, Scalar) else None
            return reader.wrong_type("a duration such as `90s`, `30m`, `2h`, `7d`, `2w`", node, hint)
        if value < 0 and not self.signed:
            return reader.wrong_type("a duration that is not negative", node)
        return value

    def schema(self) -> JSON:
        sign = "-?" if self.signed else ""
        return {"type": "string", "pattern": f"^{sign}(\\d+(ms|[wdhms]))+$"}


def _meant(text: str) -> str | None:
    if text.isdigit():
        return f"say of what: `{text}s`, `{text}m`, `{text}h` or `{text}d`"
    meant = as_duration(text)
    if meant and milliseconds(meant) is not None:
        return f"write `{meant}`"
    if _DAY.match(text) or _DAY_FIRST.match(text):
        return "that is a date; how long something takes is written `30d`"
    hour, years = _HOUR.fullmatch(text), _YEARS.fullmatch(text)
    if hour is not None:
        return f"that is a time of day; how long something takes is written `{int(hour[1])}h{int(hour[2])}m`"
    if years is not None:
        return f"a year has no length of its own: write days, such as `{365 * int(years[1] or 1)}d`"
    return "a month has no length of its own: write days, such as `30d`" if _MONTHS.fullmatch(text) else None


@dataclass(frozen=True)
class TimeOfDay(Type):
    """A time on the clock, in minutes after midnight."""

    words = "time of day"

    def read(self, node: Node, reader: Reader) -> Any:
        match = _TIME.fullmatch(node.text) if isinstance(node, Scalar) else None
        minutes = int(match[1]) * 60 + int(match[2]) if match else MINUTES_OF_A_DAY + 1
        if minutes > MINUTES_OF_A_DAY:
            hint = _clock(node.text) if isinstance(node, Scalar) else None
            return reader.wrong_type('a time of day such as `"08:00"`', node, hint)
        return minutes

    def schema(self) -> JSON:
        return {"type": "string", "pattern": "^([01]\\d|2[0-4]):[0-5]\\d$"}


def _clock(text: str) -> str | None:
    """`9:00`, `9am`, `9.30 pm` as a time of day is written."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    half = (match[3] or "").lower()
    hour = int(match[1]) % 12 + 12 * (half == "pm") if half else int(match[1])
    return f'write `"{hour:02}:{match[2] or "00"}"`' if hour <= 24 else None


@dataclass(frozen=True)
class Timestamp(Type):
    """A moment: date and time, with an offset or without (then it is local)."""

    words = "timestamp"

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Scalar) and len(node.text) > len("2026-03-02"):
            try:
                moment = dt.datetime.fromisoformat(node.text)
            except ValueError:
                moment = None
            if moment is not None:
                return _instant(moment)
        hint = _moment(node.text) if isinstance(node, Scalar) else None
        return reader.wrong_type("a timestamp such as `2026-03-02T11:00:00+01:00`", node, hint)

    def schema(self) -> JSON:
        return {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d"}


def _moment(text: str) -> str | None:
    """A day without a clock, or one that is written in another order, as a timestamp is written."""
    match = _DAY.match(text) or _DAY_FIRST.match(text)
    behind = _BEHIND.fullmatch(text, match.end()) if match else None
    if match is None or behind is None:
        return None
    day = _iso(match)
    if day is None:
        return "there is no such day"
    hour, minute, second, offset = behind.groups()
    written = f"{day}T{int(hour):02}:{minute}{second or ':00'}{offset}" if hour else f"{day}T00:00:00"
    try:
        dt.datetime.fromisoformat(written)
    except ValueError:
        return None
    return f"write `{written}`"


def _iso(match: re.Match[str]) -> str | None:
    """The day as `2026-12-25`; None where there is none."""
    try:
        return dt.date(int(match["year"]), int(match["month"]), int(match["day"])).isoformat()
    except ValueError:
        return None


def _instant(moment: dt.datetime) -> Instant:
    local = moment.tzinfo is None
    if local:
        moment = moment.replace(tzinfo=dt.UTC)
    return Instant((moment - _EPOCH) // dt.timedelta(milliseconds=1), local)


@dataclass(frozen=True)
class Date(Type):
    """A day, kept as text `2026-12-25`."""

    words = "date"

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Scalar) and _DATE.fullmatch(node.text):
            try:
                dt.date.fromisoformat(node.text)
            except ValueError:
                return reader.wrong_type("a day that exists", node)
            return node.text
        hint = _date(node.text) if isinstance(node, Scalar) else None
        return reader.wrong_type("a date such as `2026-12-25`", node, hint)

    def schema(self) -> JSON:
        return {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d$"}


def _date(text: str) -> str | None:
    """A day that is written in another order, or with a clock behind it."""
    match = _DAY.match(text) or _DAY_FIRST.match(text)
    day = _iso(match) if match is not None and _BEHIND.fullmatch(text, match.end()) else None
    return f"write `{day}`" if day else None


@dataclass(frozen=True)
class PerType(Type):
    """A rolling duration, or a calendar's day, week or month."""

    words = "duration, `day` `week` `month`"

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Scalar):
            if node.text in {"day", "week", "month"}:
                return Per(calendar=node.text)
            value = milliseconds(node.text)
            if value is not None and value > 0:
                return Per(ms=value)
            if value is not None:
                return reader.wrong_type("a window that is longer than nothing", node, "`limit: 0` forbids altogether")
        hint = _meant(node.text) if isinstance(node, Scalar) else None
        hint = hint or nearest_hint(node, ("day", "week", "month"))
        return reader.wrong_type("a duration, or `day`, `week`, `month`", node, hint)

    def schema(self) -> JSON:
        return {"anyOf": [Duration().schema(), {"enum": ["day", "week", "month"]}]}
