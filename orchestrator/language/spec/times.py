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
_MONTHS = re.compile(r"\d+\s*(?:mo|mon|months?|M|y|yr|years?)", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d\d))?\s*([ap]m)?", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})[-/.](\d\d?)[-/.](\d\d?)")
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
    """A day without a clock, as a timestamp is written."""
    match = _DAY.fullmatch(text)
    return f"write `{match[1]}-{int(match[2]):02}-{int(match[3]):02}T00:00:00`" if match else None


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
        return reader.wrong_type("a date such as `2026-12-25`", node)

    def schema(self) -> JSON:
        return {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d$"}


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
        hint = _meant(node.text) if isinstance(node, Scalar) else None
        hint = hint or nearest_hint(node, ("day", "week", "month"))
        return reader.wrong_type("a duration, or `day`, `week`, `month`", node, hint)

    def schema(self) -> JSON:
        return {"anyOf": [Duration().schema(), {"enum": ["day", "week", "month"]}]}
