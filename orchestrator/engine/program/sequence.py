"""A sequence ready to run: which events its elements take, and what of them must be kept."""

from typing import TYPE_CHECKING, NamedTuple

from orchestrator.model.ids import made_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.scenario import Entry, Moment


class Element(NamedTuple):
    """One element. `free`: its condition reads no earlier element, so that it can be judged when the event comes."""

    name: str
    on: frozenset[str]
    where: "Expression | None"
    free: bool


class SequencePlan(NamedTuple):
    """The elements in order.

    Attributes:
        elements: those that are events; the last one completes it, or begins the wait for what must not happen.
        absent: what must not happen after the last of them, None where nothing must be absent.
        for_: for so long (ms).
        within: from the first of the events to the last, at most so long (ms).
        names: every event name that an element looks for.
        fields: the properties that must be kept of an event, None for all.
        sign: tells its elements from others under the same name.
    """

    elements: tuple[Element, ...]
    absent: Element | None
    for_: int
    within: int
    names: frozenset[str]
    fields: frozenset[str] | None
    sign: str


def plan_sequence(entry: "Entry", conditions: "Iterable[Expression]") -> SequencePlan | None:
    """The plan of an entry's sequence, None where it has none.

    Args:
        entry: how the scenario begins.
        conditions: everything that may read the entry: of the scenario, and of what it may send.
    """
    if not entry.sequence:
        return None
    named = frozenset(moment.as_ for moment in entry.sequence if moment.as_)
    planned = tuple(_element(moment, named) for moment in entry.sequence)
    last = entry.sequence[-1]
    absent = planned[-1] if last.absent else None
    return SequencePlan(
        planned[:-1] if absent is not None else planned,
        absent,
        last.for_ or 0,
        entry.within or 0,
        frozenset().union(*(element.on for element in planned)),
        _fields(named, conditions),
        made_id(*(_sign(element) for element in planned), absent is not None)[:8],
    )


def _sign(element: Element) -> str:
    where = element.where.source if element.where is not None else ""
    return f"{element.name} {sorted(element.on)} {where}"


def _element(moment: "Moment", named: frozenset[str]) -> Element:
    reads = moment.where.reads if moment.where is not None else ()
    free = not any(path[0] in named for path in reads)
    return Element(moment.as_ or "", frozenset(moment.on or moment.absent), moment.where, free)


def _fields(named: frozenset[str], conditions: "Iterable[Expression]") -> frozenset[str] | None:
    """The properties that anything reads of an element; None where an element is read as a whole."""
    found: set[str] = set()
    for expression in conditions:
        for path in expression.reads:
            inside = _of_element(path, named)
            if inside is None:
                continue
            if not inside:
                return None
            found.add(inside[0])
    return frozenset(found - {"meta"})


def _of_element(path: tuple[str, ...], named: frozenset[str]) -> tuple[str, ...] | None:
    """What a path reads inside of an element: `event.X`, `AS.X`, `entry.X`, `entry.AS.X`; None for other paths."""
    if path[0] == "entry" and len(path) > 1 and path[1] in named:
        return path[2:]
    if path[0] in {"event", "entry"} or path[0] in named:
        return path[1:]
    return None
