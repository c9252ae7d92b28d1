"""What a figure is told by: for each dimension, the groups that an occurrence belongs to."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING, Final

from orchestrator.engine.local_time import zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orchestrator.kpis.history import History, Occurrence
    from orchestrator.language.bundle import Bundle
    from orchestrator.language.spec.kpi import Kpi

Group = tuple[str, ...]
LABEL: Final = "label."
REACHED: Final = "channels_reached"
PATH: Final = "path"
HOLDOUT: Final = "holdout"
TREATED: Final = "treated"
ARM: Final = "arm"
NONE: Final = "(none)"
"""The group of what has no value of a dimension."""
MANY: Final = 3
"""So many channels are as many as there are: `3+`."""


class Grouping:
    """The groups of one figure.

    Args:
        kpi: what is counted.
        bundle: knows campaigns, labels and the zone of weeks and months.
        history: knows segments.
        base: what reach and path of a person are told by, oldest first.
    """

    def __init__(self, kpi: Kpi, bundle: Bundle, history: History, base: Iterable[Occurrence]) -> None:
        self.dimensions: Group = (*kpi.by, ARM) if kpi.versus == HOLDOUT else kpi.by
        self._bundle = bundle
        self._history = history
        self._zone = zone(bundle.settings.zone)
        self._over_all = {REACHED, PATH} & set(kpi.by)
        self._channels: Mapping[tuple[str, Group], list[str]] = self._first_met(base) if self._over_all else {}

    def of(self, one: Occurrence) -> Iterator[Group]:
        """One group, or one for each segment that the person is in."""
        found = product(*(self._values(dimension, one) for dimension in self.dimensions))
        return (self._with_channels(one, group) for group in found) if self._over_all else found

    def people(self) -> Iterator[tuple[str, Group]]:
        """Every customer at the end, with the groups that a person has without having done anything."""
        for person, segments in self._history.people.items():
            known = (sorted(segments) or [NONE] if name == "segment" else [NONE] for name in self.dimensions)
            for group in product(*known):
                yield person, group

    def _with_channels(self, one: Occurrence, group: Group) -> Group:
        channels = self._channels.get((one.person, group), [])
        said = {REACHED: f"{MANY}+" if len(channels) >= MANY else str(len(channels)), PATH: ">".join(channels)}
        return tuple(said.get(name, value) for name, value in zip(self.dimensions, group, strict=True))

    def _first_met(self, base: Iterable[Occurrence]) -> dict[tuple[str, Group], list[str]]:
        """By person and the other dimensions: the channels, in the order in which the person first met them."""
        channels: defaultdict[tuple[str, Group], dict[str, None]] = defaultdict(dict)
        for one in base:
            for group in product(*(self._values(dimension, one) for dimension in self.dimensions)):
                channels[one.person, group].setdefault(one.source.channel or one.channel)
        return {place: list(found) for place, found in channels.items()}

    def _values(self, dimension: str, one: Occurrence) -> list[str]:
        of = _OF.get(dimension, _label(dimension))
        return of(self, one)

    def campaign(self, one: Occurrence) -> str:
        """The campaign of a message's content, "" where there is none."""
        content = self._bundle.contents.get(one.source.content)
        return (content.campaign if content is not None else None) or ""

    def label(self, one: Occurrence, name: str) -> str:
        """A label of the scenario that something comes from, "" where it has none of the name."""
        scenario = self._bundle.scenarios.get(one.source.scenario)
        return scenario.labels.get(name, "") if scenario is not None else ""

    def segments(self, one: Occurrence) -> list[str]:
        """The segments of the person, at the end."""
        return sorted(self._history.people.get(one.person, ()))

    def local(self, one: Occurrence) -> datetime:
        """When it happened, on the clock of the bundle's zone."""
        return datetime.fromtimestamp(one.at / 1000, self._zone)


def _label(dimension: str) -> Callable[[Grouping, Occurrence], list[str]]:
    name = dimension.removeprefix(LABEL)
    return lambda grouping, one: [grouping.label(one, name) or NONE]


def _week(at: datetime) -> str:
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02}"


_OF: Final[Mapping[str, Callable[[Grouping, Occurrence], list[str]]]] = {
    "scenario": lambda _, one: [one.source.scenario or NONE],
    "content": lambda _, one: [one.source.content or NONE],
    "channel": lambda _, one: [one.source.channel or one.channel],
    "campaign": lambda grouping, one: [grouping.campaign(one) or NONE],
    "offer": lambda _, one: [str(one.event.get("offer") or NONE)],
    "segment": lambda grouping, one: grouping.segments(one) or [NONE],
    "week": lambda grouping, one: [_week(grouping.local(one))],
    "month": lambda grouping, one: [f"{grouping.local(one):%Y-%m}"],
    ARM: lambda _, one: [HOLDOUT if one.source.holdout else TREATED],
    REACHED: lambda _, __: [""],  # both are told by all that a person has met, in the group of all other dimensions
    PATH: lambda _, __: [""],
}
"""Dimension -> the values of an occurrence; `label.NAME` is made of its name."""
