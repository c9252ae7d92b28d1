"""What one measure counts: which occurrences, and which of another measure each belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.cel import CelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.kpis.history import History, Occurrence, Source
    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.kpi import Measure

ENTERED: Final = ("entered",)
"""What `count: instances` counts where it does not say."""
PLACED: Final = "placed by show"
"""The type of what `count: placements` counts: no event can have this name."""
_OWN: Final = {"instances": ENTERED, "placements": (PLACED,)}
_PROXY: Final = ("event", "proxy")
_EVER: Final = 1 << 62
_time: Final = attrgetter("at")


class Scope:
    """What a condition of a figure sees: the event."""

    __slots__ = ("event",)

    def __init__(self, event: Any) -> None:
        self.event = event


def counted(measure: Measure, history: History) -> list[Occurrence]:
    """What a measure counts, oldest first.

    What a mail provider's proxy did (`event.proxy`) is nobody's doing, unless the condition asks for it. An event that
    the condition cannot be evaluated for (a property is missing) is not counted.
    """
    if measure.fact is not None:
        return [one for one in history.rows(measure.fact) if _holds(measure.where, one)]
    names = measure.on or _OWN.get(measure.count or "", ())
    asks = measure.where is not None and _PROXY in measure.where.reads
    return [
        one
        for one in history.named(names)
        if (asks or one.event.get("proxy") is not True) and _holds(measure.where, one)
    ]


def _holds(where: Expression | None, one: Occurrence) -> bool:
    if where is None:
        return True
    try:
        return bool(where.evaluate(Scope(one.event)))
    except CelError:
        return False


def amount(measure: Measure, one: Occurrence) -> float:
    """What an occurrence adds: its value with `sum`, otherwise 1. A value that is missing adds nothing."""
    if measure.sum is None:
        return 1.0
    try:
        value = measure.sum.evaluate(Scope(one.event))
    except CelError:
        return 0.0
    return float(value) if value is not None else 0.0


class Anchors:
    """For each occurrence what it is counted for: the newest before it, of its person, that it may belong to.

    Args:
        those: what may be counted for, oldest first.
        within: how long after, ms.
        apart: the newest of each scenario, so that every scenario is judged by all that followed it.
    """

    def __init__(self, those: Iterable[Occurrence], within: int, *, apart: bool) -> None:
        self._within = within
        self._by_person: defaultdict[str, defaultdict[str, Line]] = defaultdict(lambda: defaultdict(Line))
        for one in those:
            self._by_person[one.person][one.source.scenario if apart else ""].add(one)

    def of(self, one: Occurrence) -> Iterator[Occurrence]:
        """None where there is none in time. What is counted is never counted for itself."""
        lines = self._by_person.get(one.person)
        for line in lines.values() if lines is not None else ():
            found = line.before(one)
            if found is not None and one.at - found.at <= self._within:
                yield found


def durations(measure: Measure, history: History) -> Iterator[tuple[Occurrence, int]]:
    """For each first event the time (ms) to the next second one of its person that it may belong to."""
    interval = measure.time
    if interval is None:
        return
    ends: defaultdict[str, Line] = defaultdict(Line)
    for one in history.named(interval.to):
        ends[one.person].add(one)
    most = measure.within if measure.within is not None else _EVER
    for one in history.named(interval.from_):
        end = ends[one.person].after(one) if one.person in ends else None
        if end is not None and end.at - one.at <= most and _holds(measure.where, one):
            yield one, end.at - one.at


class Line:
    """What happened to one person, oldest first; apart by message, so that one of thousands is found at once."""

    def __init__(self) -> None:
        self._all: list[Occurrence] = []
        self._by_message: defaultdict[str, list[Occurrence]] = defaultdict(list)

    def add(self, one: Occurrence) -> None:
        """What came next."""
        self._all.append(one)
        self._by_message[one.source.message].append(one)

    def before(self, one: Occurrence) -> Occurrence | None:
        """The newest that is not later and not itself, and that it may belong to."""
        found = []
        for those in self._fitting(one):
            earlier = range(bisect_right(those, one.at, key=_time) - 1, -1, -1)
            found += _first(those, earlier, one)
        return max(found, key=_time, default=None)

    def after(self, one: Occurrence) -> Occurrence | None:
        """The oldest that is later, and that it may belong to."""
        found = []
        for those in self._fitting(one):
            found += _first(those, range(bisect_right(those, one.at, key=_time), len(those)), one)
        return min(found, key=_time, default=None)

    def _fitting(self, one: Occurrence) -> tuple[list[Occurrence], ...]:
        """All; for what names a message, those of that message and those of none."""
        message = one.source.message
        return (self._by_message.get(message, []), self._by_message.get("", [])) if message else (self._all,)


def _first(those: list[Occurrence], places: Iterable[int], one: Occurrence) -> list[Occurrence]:
    fits = (those[at] for at in places if those[at] is not one and belong(one.source, those[at].source))
    return list(islice(fits, 1))


def belong(one: Source, other: Source) -> bool:
    """Whether two events may be of one thread: of one message where both name one, of one instance where both do."""
    if one.message and other.message:
        return one.message == other.message
    if one.scenario and other.scenario:
        return (one.scenario, one.key) == (other.scenario, other.key)
    return True
