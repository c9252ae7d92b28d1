"""What one measure counts: which occurrences, and which of another measure each belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
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
    names = measure.on or (ENTERED if measure.count == "instances" else ())
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
        self._by_person: defaultdict[str, dict[str, list[Occurrence]]] = defaultdict(dict)
        for one in those:
            self._by_person[one.person].setdefault(one.source.scenario if apart else "", []).append(one)

    def of(self, one: Occurrence) -> Iterator[Occurrence]:
        """None where there is none in time. What is counted is never counted for itself."""
        for candidates in self._by_person.get(one.person, {}).values():
            found = self._newest(candidates, one)
            if found is not None:
                yield found

    def _newest(self, candidates: list[Occurrence], one: Occurrence) -> Occurrence | None:
        for other in reversed(candidates[: bisect_right(candidates, one.at, key=_time)]):
            if one.at - other.at > self._within:
                return None
            if other is not one and belong(one.source, other.source):
                return other
        return None


def durations(measure: Measure, history: History) -> Iterator[tuple[Occurrence, int]]:
    """For each first event the time (ms) to the next second one of its person that it may belong to."""
    interval = measure.time
    if interval is None:
        return
    ends = by_person(history.named(interval.to))
    most = measure.within if measure.within is not None else _EVER
    for one in history.named(interval.from_):
        following = ends.get(one.person, [])
        later = following[bisect_right(following, one.at, key=_time) :]
        end = next((other for other in later if belong(one.source, other.source)), None)
        if end is not None and end.at - one.at <= most and _holds(measure.where, one):
            yield one, end.at - one.at


def belong(one: Source, other: Source) -> bool:
    """Whether two events may be of one thread: of one message where both name one, of one instance where both do."""
    if one.message and other.message:
        return one.message == other.message
    if one.scenario and other.scenario:
        return (one.scenario, one.key) == (other.scenario, other.key)
    return True


def by_person(those: Iterable[Occurrence]) -> dict[str, list[Occurrence]]:
    """What happened to each, in the order given."""
    found: defaultdict[str, list[Occurrence]] = defaultdict(list)
    for one in those:
        found[one.person].append(one)
    return found
