"""One figure, by group: what its document counts, divided by what it is over, and compared where it says so."""

from __future__ import annotations

from collections import defaultdict
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.kpis.groups import HOLDOUT, Grouping
from orchestrator.kpis.intervals import Interval, of_means, of_rates
from orchestrator.kpis.measures import Anchors, amount, counted, durations
from orchestrator.language.spec.kpi import Measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orchestrator.kpis.groups import Group
    from orchestrator.kpis.history import History, Occurrence
    from orchestrator.language.bundle import Bundle
    from orchestrator.language.spec.kpi import Kpi


class Comparison(NamedTuple):
    """A group against the one that the figure is compared with.

    Attributes:
        against: that group.
        difference: value minus its value.
        uplift: value divided by its value, minus 1; None where its value is 0.
        interval: of the difference, 95%; None where it is not of persons, or some who did it are not among those.
    """

    against: Group
    difference: float
    uplift: float | None
    interval: Interval | None


class Row(NamedTuple):
    """One group of a figure.

    Attributes:
        group: a value for each dimension.
        of, over: numerator and denominator; with `time`, `of` is the sum of ms and `over` how many there are.
        value: `of` divided by `over`; None where that is 0. With `time`, the mean in ms.
        percentiles: percentile -> ms, with `time`.
        comparison: where the figure is `versus` something, and this is not that.
    """

    group: Group
    of: float
    over: float
    value: float | None
    percentiles: dict[float, float]
    comparison: Comparison | None


class Figure(NamedTuple):
    """A figure that was counted.

    Attributes:
        name: of its document.
        kind: "share" (persons of persons, rows of rows), "time" (ms), or "number".
        dimensions: what its groups are by.
        rows: by group.
    """

    name: str
    kind: str
    dimensions: Group
    rows: tuple[Row, ...]


class _Tally:
    """What was counted in one group by one measure: its total, and how much of it each person has."""

    def __init__(self) -> None:
        self.by_person: defaultdict[str, float] = defaultdict(float)

    def add(self, person: str, value: float) -> None:
        self.by_person[person] += value

    def total(self, measure: Measure) -> float:
        return float(len(self.by_person)) if _is_of_people(measure) else sum(self.by_person.values())


Tallies = defaultdict[tuple[str, ...], _Tally]


def figure(kpi: Kpi, bundle: Bundle, history: History) -> Figure:
    """Count one figure.

    Args:
        kpi: its document.
        bundle: knows campaigns, labels and the time zone.
        history: what happened.
    """
    base = counted(kpi.over, history) if isinstance(kpi.over, Measure) else []
    if kpi.of.time is not None:
        return _times(kpi, bundle, history)
    found = counted(kpi.of, history)
    grouping = Grouping(kpi, bundle, history, base or found)
    of = _tallies(kpi.of, grouping, _placed(kpi, found, base))
    over = _tallies(kpi.over, grouping, ((one, one) for one in base)) if isinstance(kpi.over, Measure) else None
    groups = {*of, *(over or ())} or ({()} if not grouping.dimensions else set())
    rows = [_row(kpi, group, of[group], over) for group in sorted(groups)]
    kind = "share" if _is_share(kpi) else "number"
    return Figure(kpi.kpi, kind, grouping.dimensions, tuple(_compared(kpi, grouping, rows, of, over)))


def _placed(
    kpi: Kpi, found: Sequence[Occurrence], base: Sequence[Occurrence]
) -> Iterator[tuple[Occurrence, Occurrence]]:
    """What is counted, beside what says its group: with `within`, what it is counted for; else itself."""
    if kpi.of.within is None or not isinstance(kpi.over, Measure):
        yield from ((one, one) for one in found)
        return
    anchors = Anchors(base, kpi.of.within, apart=kpi.versus == HOLDOUT)
    for one in found:
        for anchor in anchors.of(one):
            yield one, anchor


def _tallies(measure: Measure, grouping: Grouping, placed: Iterable[tuple[Occurrence, Occurrence]]) -> Tallies:
    tallies: Tallies = defaultdict(_Tally)
    if measure.count == "customers":
        for person, group in grouping.people():
            tallies[group].add(person, 1.0)
    for one, place in placed:
        value = amount(measure, one)
        for group in grouping.of(place):
            tallies[group].add(one.person, value)
    return tallies


def _is_share(kpi: Kpi) -> bool:
    """Persons of persons, or rows of rows of the same fact."""
    of, over = kpi.of, kpi.over
    if not isinstance(over, Measure):
        return False
    return (_is_of_people(of) and _is_of_people(over)) or (of.fact is not None and of.fact == over.fact)


def _is_of_people(measure: Measure) -> bool:
    return measure.count in {"persons", "customers"}


def _row(kpi: Kpi, group: Group, of: _Tally, over: Tallies | None) -> Row:
    top = of.total(kpi.of)
    bottom = over[group].total(kpi.over) if over is not None and isinstance(kpi.over, Measure) else _number(kpi.over)
    return Row(group, top, bottom, top / bottom if bottom else None, {}, None)


def _number(over: Measure | float) -> float:
    return 1.0 if isinstance(over, Measure) else float(over)


# Compared.


def _compared(kpi: Kpi, grouping: Grouping, rows: list[Row], of: Tallies, over: Tallies | None) -> Iterator[Row]:
    by_group = {row.group: row for row in rows}
    place = _place(kpi, grouping, rows)
    for row in rows:
        against = by_group.get(_against(kpi, row.group, place)) if place is not None else None
        if against is None or against is row or row.value is None or against.value is None:
            yield row
            continue
        interval = _interval(kpi, row, against, of, over)
        uplift = row.value / against.value - 1 if against.value else None
        yield row._replace(comparison=Comparison(against.group, row.value - against.value, uplift, interval))


def _place(kpi: Kpi, grouping: Grouping, rows: list[Row]) -> int | None:
    """The dimension that `versus` names a value of; None where nothing is compared, or no group has that value."""
    places = range(len(grouping.dimensions))
    return next((place for place in places if any(row.group[place] == kpi.versus for row in rows)), None)


def _against(kpi: Kpi, group: Group, place: int) -> Group:
    """The group that one is compared with: the same in all other dimensions."""
    return (*group[:place], str(kpi.versus), *group[place + 1 :])


def _interval(kpi: Kpi, row: Row, against: Row, of: Tallies, over: Tallies | None) -> Interval | None:
    """A difference of rates where persons are counted, of means where what each of them has."""
    if over is None or not isinstance(kpi.over, Measure) or not _is_of_people(kpi.over):
        return None
    groups = [(of[group].by_person, over[group].by_person) for group in (row.group, against.group)]
    if any(top.keys() - bottom.keys() for top, bottom in groups):
        return None  # some who did it are not of those whom it is divided by
    if _is_of_people(kpi.of):
        return of_rates(int(row.of), int(row.over), int(against.of), int(against.over))
    ones, others = ([top.get(person, 0.0) for person in bottom] for top, bottom in groups)
    return of_means(ones, others)


# Times.


def _times(kpi: Kpi, bundle: Bundle, history: History) -> Figure:
    took = list(durations(kpi.of, history))
    grouping = Grouping(kpi, bundle, history, [one for one, _ in took])
    by_group: defaultdict[Group, list[int]] = defaultdict(list)
    for one, ms in took:
        for group in grouping.of(one):
            by_group[group].append(ms)
    rows = [_time_row(kpi, group, sorted(times)) for group, times in sorted(by_group.items())]
    return Figure(kpi.kpi, "time", grouping.dimensions, tuple(rows))


def _time_row(kpi: Kpi, group: Group, times: list[int]) -> Row:
    percentiles = {name: float(times[max(ceil(name / 100 * len(times)), 1) - 1]) for name in kpi.percentiles}
    return Row(group, float(sum(times)), float(len(times)), sum(times) / len(times), percentiles, None)
