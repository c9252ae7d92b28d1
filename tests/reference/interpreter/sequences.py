"""Section 4: `sequence`, found by looking at every choice of events."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tests.reference.interpreter.conditions import Scope, Seen, holds
from tests.reference.interpreter.entries import enter_each

if TYPE_CHECKING:
    from orchestrator.language.spec.scenario import Scenario
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Happened


@dataclass(eq=False)
class Absence:
    """A sequence that is complete at `due` (ms), if nothing comes between."""

    scenario: Scenario
    chain: list[Happened]
    due: int


def by_sequence(moment: Moment, scenario: Scenario, event: Happened) -> None:
    """Look for every way in which the events so far are the sequence; each last event completes it once."""
    elements = [one for one in scenario.entry.sequence if not one.absent]
    if not any(event.is_one_of(one.on or one.absent) for one in scenario.entry.sequence):
        return
    if event.late:
        moment.tell("not_entered", scenario.scenario, "", "late_event")
        return
    customer = moment.customer
    customer.absences = [
        one for one in customer.absences if one.scenario is not scenario or not _ends(moment, one, event)
    ]
    done = customer.completed.setdefault(scenario.scenario, set())
    in_time = [one for one in customer.accepted if not one.late]
    ordered = sorted(in_time, key=lambda one: (one.time, one.id))
    for place, last in enumerate(ordered):
        if (last.time, last.id) < (event.time, event.id) or (last.time, last.id) in done:
            continue
        chain = _first_chain(moment, scenario, elements, ordered[:place], last)
        if chain is None:
            continue
        done.add((last.time, last.id))
        _complete(moment, scenario, chain)


def _first_chain(
    moment: Moment, scenario: Scenario, elements: list[Any], before: list[Happened], last: Happened
) -> list[Happened] | None:
    """The earliest events that make the sequence with this last one."""
    within = [one for one in before if one.time >= last.time - (scenario.entry.within or 0)]
    for chosen in combinations(within, len(elements) - 1):
        chain = [*chosen, last]
        if all(_fits(moment, elements, chain, number) for number in range(len(elements))):
            return chain
    return None


def _fits(moment: Moment, elements: list[Any], chain: list[Happened], number: int) -> bool:
    element, event = elements[number], chain[number]
    return event.is_one_of(element.on) and holds(element.where, _scope(moment, elements[:number], chain, event))


def _scope(moment: Moment, elements: Any, chain: list[Happened], event: Happened) -> Scope:
    """An event, and the elements before it by their names."""
    names = _named(elements, chain)
    return Scope(
        moment.customer, event, None, **{name: Seen(one, moment.customer.declared) for name, one in names.items()}
    )


def _named(elements: Any, chain: list[Happened]) -> dict[str, Happened]:
    return {element.as_: event for element, event in zip(elements, chain, strict=False) if element.as_}


def _complete(moment: Moment, scenario: Scenario, chain: list[Happened]) -> None:
    """All elements are there; where something must be absent, nothing of it may come for so long."""
    last = scenario.entry.sequence[-1]
    if not last.absent:
        _enter(moment, scenario, chain, chain[-1].time)
        return
    absence = Absence(scenario, chain, chain[-1].time + (last.for_ or 0))
    if is_ended(moment, absence):
        return
    if absence.due <= moment.now:
        _enter(moment, scenario, chain, absence.due)
    else:
        moment.customer.absences.append(absence)


def is_ended(moment: Moment, absence: Absence) -> bool:
    """Whether anything that is known is what must be absent."""
    return any(_ends(moment, absence, one) for one in moment.customer.accepted if not one.late)


def _ends(moment: Moment, absence: Absence, event: Happened) -> bool:
    """Whether an event is what must be absent, in the time after the last element."""
    element = absence.scenario.entry.sequence[-1]
    before = absence.chain[-1]
    in_between = (before.time, before.id) < (event.time, event.id) and event.time <= absence.due
    if not in_between or not event.is_one_of(element.absent):
        return False
    return holds(element.where, _scope(moment, absence.scenario.entry.sequence, absence.chain, event))


def nothing_came(moment: Moment, scenario: Scenario, at: int) -> None:
    """Step 7 in a timer's moment, for one scenario: absences whose time is over."""
    customer = moment.customer
    ready = [one for one in customer.absences if one.scenario is scenario and one.due <= at]
    customer.absences = [one for one in customer.absences if one not in ready]
    for absence in sorted(ready, key=lambda one: (one.due, one.chain[-1].id)):
        _enter(moment, scenario, absence.chain, absence.due)


def _enter(moment: Moment, scenario: Scenario, chain: list[Happened], led_at: int) -> None:
    """What led here is the last element, or that nothing had come when the time was over: at `led_at` (ms)."""
    names = _named(scenario.entry.sequence, chain)
    outer, moment.led_at = moment.led_at, led_at
    seen = {name: Seen(one, moment.customer.declared) for name, one in names.items()}
    enter_each(moment, scenario, chain[-1], names, **seen)
    moment.led_at = outer
