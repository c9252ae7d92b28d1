"""The filters of our templates: Liquid's own, within bounds, and a `date` that knows the customer's zone.

Values come from customers, templates from people who review them; still no template may eat the process. What a
filter takes in and what it could make of it is measured before it runs.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liquid import RenderContext, Undefined
from liquid.exceptions import FilterArgumentError, LiquidValueError
from liquid.filter import with_context

Filter = Callable[..., Any]

ZONE: Final = "_zone"
DECIDED_AT: Final = "_decided_at"
"""Names in a template's values that the `date` filter reads: the customer's zone, and when the message was decided."""
MAX_TEXT: Final = 256 * 1024
MAX_ITEMS: Final = 10_000
MAX_DIGITS: Final = 300
MAX_WORK: Final = 500_000
_TEXT_PER_WORK: Final = 32
_MAX_NUMBER: Final = 10**MAX_DIGITS
_SECONDS_UNTIL_2286: Final = 10_000_000_000

REMOVED: Final = frozenset(
    {"safe", *(f"base64_{kind}" for kind in ("encode", "decode", "url_safe_encode", "url_safe_decode"))}
)
"""Not ours: `safe` would carry a customer's text past the escaping, and encoded text is no message."""


class TooLargeError(LiquidValueError):  # type: ignore[misc]  # seen untyped, see pyproject.toml
    """A filter was given, or would make, more than a message can be."""


class Work:
    """What the filters of one rendering may still do; a loop around a costly filter ends when it is used up."""

    def __init__(self) -> None:
        self._left = 0

    def renew(self) -> None:
        """Allow a whole rendering's work."""
        self._left = MAX_WORK

    def spend(self, amount: int) -> None:
        """Take some of it.

        Raises:
            TooLargeError: there is not so much left.
        """
        self._left -= amount
        if self._left < 0:
            raise TooLargeError("the filters of a template have too much to do", token=None)


def bounded(name: str, plain: Filter, work: Work) -> Filter:
    """The same filter, refusing what is too large before it works on it and after."""

    @wraps(plain)
    def limited(value: Any, *arguments: Any, **options: Any) -> Any:
        work.spend(_check(value, *arguments))
        if name == "replace" and arguments:
            _check_growth(str(value).count(str(arguments[0])), *map(str, arguments[1:2]))
        if name == "join" and arguments:
            _check_growth(_size(value), str(arguments[0]))
        result = plain(value, *arguments, **options)
        _check(result)
        return result

    return limited


def _check(*values: Any) -> int:
    """How much work these values are; refuses each that is too large by itself."""
    work = 1
    for value in values:
        if isinstance(value, str):
            work += len(value) // _TEXT_PER_WORK
            if len(value) > MAX_TEXT:
                raise TooLargeError("a text in a template is too long", token=None)
        elif isinstance(value, int):
            if not -_MAX_NUMBER < value < _MAX_NUMBER:
                raise TooLargeError("a number in a template has too many digits", token=None)
        else:
            work += (size := _size(value))
            if size > MAX_ITEMS:
                raise TooLargeError("a list in a template is too long", token=None)
    return work


def _check_growth(times: int, text: str = "") -> None:
    if times * len(text) > MAX_TEXT:
        raise TooLargeError("a filter in a template would make too long a text", token=None)


def _size(value: Any) -> int:
    if isinstance(value, Undefined) or not isinstance(value, list | tuple | range | Mapping):
        return 0
    try:
        return len(value)
    except OverflowError:
        raise TooLargeError("a range in a template is too long", token=None) from None


@with_context  # type: ignore[untyped-decorator]  # the library's decorators carry no types
def local_date(value: Any, form: Any = "%Y-%m-%d", *, context: RenderContext) -> str:
    """A moment or a date, written by a strftime form in the customer's zone.

    Takes RFC 3339 text, milliseconds or seconds since the epoch, and `"now"`, which is the time at which the
    message was decided: a message that is sent again reads the same.
    """
    zone = _zone(str(context.resolve(ZONE, default="UTC")))
    moment = _moment(context.resolve(DECIDED_AT, default=0) if value == "now" else value, zone)
    try:
        return moment.strftime(str(form))
    except (ValueError, UnicodeError) as fault:
        raise FilterArgumentError("date: this form cannot be written", token=None) from fault


def _moment(value: Any, zone: ZoneInfo) -> datetime | date:
    try:
        if isinstance(value, str):
            if len(value) == len("2026-03-02"):
                return date.fromisoformat(value)
            parsed = datetime.fromisoformat(value)
            return parsed.astimezone(zone) if parsed.tzinfo else parsed.replace(tzinfo=zone)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value if abs(value) < _SECONDS_UNTIL_2286 else value / 1000
            return datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        pass  # said below, without the value: it may be personal
    raise FilterArgumentError("date: this is no RFC 3339 time and no time since the epoch", token=None)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
