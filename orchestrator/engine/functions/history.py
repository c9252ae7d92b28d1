"""What a customer did: count, seen, last, since. Only what some condition asks for is kept."""

from bisect import bisect_left, insort
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orchestrator.engine.maps import EventMap, opened_event, stored_event
from orchestrator.language.cel import CelError, Duration, Timestamp

if TYPE_CHECKING:
    from orchestrator.model.customer import Customer
    from orchestrator.model.event import Event

LONGEST: Final = 400 * 86_400_000
LONGEST_WINDOW: Final = Duration.of_ms(LONGEST)
NEWEST: Final = "last:"
"""Names what is kept of an event type's newest event, where conditions ask for more than its times."""
_UNITS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


@lru_cache(maxsize=4096)
def window_ms(text: str) -> int:
    """A duration as the language writes it (`90s 30m 2h 7d 2w`, also combined), in milliseconds.

    Raises:
        CelError: it is no duration.
    """
    total, digits = 0.0, ""
    for c in text:
        if c.isdigit() or c == ".":
            digits += c
        elif c in _UNITS and digits:
            total += float(digits) * _UNITS[c]
            digits = ""
        else:
            raise CelError(f"{text!r} is no duration")
    if digits or not text:
        raise CelError(f"{text!r} is no duration")
    return round(total)


class Need(NamedTuple):
    """What is kept of an event type: its times (property ""), its times with a property's value, or the newest."""

    name: str
    type: str
    property: str
    window: int
    newest: bool = False


def need_name(type_: str, property_: str = "") -> str:
    return f"{type_}|{property_}" if property_ else type_


def remember(customer: "Customer", event: "Event", needs: tuple[Need, ...], now: int) -> None:
    """Add an event to what is kept of its type."""
    history = customer.history
    for need in needs:
        if need.newest:
            known = history.get(need.name)
            if known is None or (event.time, event.id) >= (known[0][0], known[0][1]):
                history[need.name] = [[event.time, event.id, stored_event(event, None)]]
            continue
        entries = history.get(need.name)
        if entries is None:
            entries = history[need.name] = []
        if need.property:
            insort(entries, [event.time, str(event.data.get(need.property))])
        else:
            insort(entries, event.time)
        horizon = now - need.window
        if entries and _time(entries[0]) <= horizon:
            history[need.name] = [entry for entry in entries if _time(entry) > horizon]


def join(name: str, one: list[Any], other: list[Any]) -> list[Any]:
    """What both halves of a customer keep under a name, as if one had kept it."""
    if name.startswith(NEWEST):
        return [max(*one, *other, key=lambda entry: (entry[0], entry[1]))]
    return sorted(one + other)


def _time(entry: Any) -> int:
    return int(entry[0] if isinstance(entry, list) else entry)


class HistoryFunctions:
    """Part of the evaluation context: needs `customer` and `at`."""

    customer: "Customer"
    at: int

    def count(self, type_: str, window: str | Duration, property_: str = "", value: Any = None) -> int:
        """How many events of a type have their event time in (now - window, now]."""
        entries = self.customer.history.get(need_name(type_, property_))
        if not entries:
            return 0
        since = self.at - (window_ms(window) if isinstance(window, str) else window.ms)
        if property_:
            return sum(1 for time, known in entries if since < time <= self.at and known == str(value))
        return bisect_left(entries, self.at + 1) - bisect_left(entries, since + 1)

    def seen(self, type_: str, window: str | Duration = LONGEST_WINDOW, *rest: Any) -> bool:
        return self.count(type_, window, *rest) > 0

    def last(self, type_: str) -> EventMap:
        """The newest such event; an error when there is none."""
        return opened_event(self._newest(type_)[2], frozenset())

    def since(self, type_: str) -> Duration:
        """How long ago the newest such event happened; an error when there is none."""
        return Duration.of_ms(self.at - int(self._newest(type_)[0]))

    def _newest(self, type_: str) -> Any:
        known = self.customer.history.get(f"{NEWEST}{type_}")
        if not known:
            raise CelError(f"no {type_} so far")
        return max(known, key=lambda entry: (entry[0], entry[1]))


def timestamp(at: int) -> Timestamp:
    return Timestamp.of_ms(at)
