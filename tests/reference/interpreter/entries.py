"""Section 4, and step 7 of a moment: who enters."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError
from tests.reference.interpreter.conditions import Scope, Seen, holds
from tests.reference.interpreter.endings import already_over, end
from tests.reference.interpreter.records import Happened, Instance, Track
from tests.reference.interpreter.steps import run

if TYPE_CHECKING:
    from orchestrator.language.spec.scenario import Scenario
    from tests.reference.interpreter.moment import Moment


def check_entries(moment: Moment, event: Happened) -> None:
    """Scenarios by name."""
    for name in sorted(moment.bundle.scenarios):
        scenario = moment.bundle.scenarios[name]
        if scenario.entry.on and event.is_one_of(scenario.entry.on):
            if not event.late:
                _by_event(moment, scenario, event)
            elif scenario.entry.each is not None or holds(scenario.entry.where, Scope(moment.customer, event)):
                moment.tell("not_entered", name, "", "late_event")
        elif scenario.entry.sequence:
            _by_sequence(moment, scenario, event)


def _by_event(moment: Moment, scenario: Scenario, event: Happened) -> None:
    each = scenario.entry.each
    try:
        items = [None] if each is None else each.evaluate(Scope(moment.customer, event))
    except CelError:
        return
    for item in items:
        scope = Scope(moment.customer, event) if each is None else Scope(moment.customer, event, item=item)
        if not holds(scenario.entry.where, scope):
            continue
        _enter_by(moment, scenario, scope, event, item, {})


def _enter_by(
    moment: Moment, scenario: Scenario, scope: Scope, event: Happened, item: Any, names: dict[str, Happened]
) -> None:
    if not holds(scenario.audience, scope):
        return
    key = ""
    if scenario.entry.key is not None:
        try:
            given = scenario.entry.key.evaluate(scope)
        except CelError:
            return
        if given is None:
            return
        key = str(given)
    enter(moment, scenario, key, event, item, names)


def enter(moment: Moment, scenario: Scenario, key: str, event: Happened, item: Any, names: dict[str, Happened]) -> None:
    """Enter under a key, if `re_entry` and `if_live` allow it and nothing ends it at once."""
    customer, entry, name = moment.customer, scenario.entry, scenario.scenario
    if scenario.entries == "closed":
        moment.tell("not_entered", name, "", "entries_closed")
        return
    ordinal, entered_at = customer.entered.get((name, key), (0, 0))
    twin = next((one for one in customer.instances if (one.name, one.key) == (name, key)), None)
    live = twin is not None and twin.mode == "live"
    if live and entry.if_live == "ignore":
        return
    if ordinal and not live and entry.re_entry != "always":
        after = None if isinstance(entry.re_entry, str) else entry.re_entry.after
        if after is None or moment.now < entered_at + after:
            moment.tell("not_entered", name, "", "re_entry")
            return
    ends_at = moment.now + scenario.lives
    instance = Instance(scenario, key, ordinal + 1, customer.person, moment.now, event, item, names, ends_at)
    over = already_over(moment, instance)
    if over:
        moment.tell("not_entered", name, "", over)
        return
    if twin is not None:
        end(moment, twin, "lost" if live else "done", "restarted" if live else "finished")
    customer.entered[name, key] = (ordinal + 1, moment.now)
    customer.instances = sorted([*customer.instances, instance], key=lambda one: (one.name, one.key))
    moment.tell("entered", name, "", "", key)
    moment.make("entered", scenario=name, key=key, outcome="", reason="")
    track = Track(scenario.steps, [(scenario.steps, 0)])
    instance.tracks.append(track)
    run(moment, instance, track)


# `becomes`.


def look_at_becomes(moment: Moment) -> None:
    """At the first look ever, the value before this input counts."""
    for name, scenario in _becoming(moment):
        if name not in moment.customer.levels:
            moment.customer.levels[name] = _level(moment, scenario)


def becomes_now(moment: Moment) -> bool:
    """Enter where a level became true, or is true with another key; True where one did."""
    moved = False
    for name, scenario in _becoming(moment):
        before = moment.customer.levels.get(name)
        level = moment.customer.levels[name] = _level(moment, scenario)
        if level is not None and level != before:
            moved = True
            event = Happened("becomes", "engine", "", moment.now, moment.now, {}, "engine")
            if holds(scenario.audience, Scope(moment.customer)):
                enter(moment, scenario, level, event, None, {})
    return moved


def _becoming(moment: Moment) -> list[tuple[str, Scenario]]:
    return [(name, one) for name, one in sorted(moment.bundle.scenarios.items()) if one.entry.becomes is not None]


def _level(moment: Moment, scenario: Scenario) -> str | None:
    """The key where it is true ("" without one), None where it is not."""
    scope = Scope(moment.customer)
    if not holds(scenario.entry.becomes, scope):
        return None
    try:
        return "" if scenario.entry.key is None else str(scenario.entry.key.evaluate(scope))
    except CelError:
        return None


# `sequence`.


def _by_sequence(moment: Moment, scenario: Scenario, event: Happened) -> None:
    """Look for every way in which the events so far are the sequence; each last event completes it once."""
    elements = [one for one in scenario.entry.sequence if not one.absent]
    if not any(event.is_one_of(one.on or one.absent) for one in scenario.entry.sequence):
        return
    if event.late:
        moment.tell("not_entered", scenario.scenario, "", "late_event")
        return
    done = moment.customer.completed.setdefault(scenario.scenario, set())
    in_time = [one for one in moment.customer.accepted if not one.late]
    ordered = sorted(in_time, key=lambda one: (one.time, one.id))
    for place, last in enumerate(ordered):
        if (last.time, last.id) < (event.time, event.id) or (last.time, last.id) in done:
            continue
        chain = _first_chain(moment, scenario, elements, ordered[:place], last)
        if chain is None:
            continue
        done.add((last.time, last.id))
        _enter_by_chain(moment, scenario, elements, chain)


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
    names = _named(elements[:number], chain[:number])
    seen = {name: Seen(one, moment.customer.declared) for name, one in names.items()}
    return event.is_one_of(element.on) and holds(element.where, Scope(moment.customer, event, None, **seen))


def _named(elements: list[Any], chain: list[Happened]) -> dict[str, Happened]:
    return {element.as_: event for element, event in zip(elements, chain, strict=True) if element.as_}


def _enter_by_chain(moment: Moment, scenario: Scenario, elements: list[Any], chain: list[Happened]) -> None:
    names = _named(elements, chain)
    seen = {name: Seen(one, moment.customer.declared) for name, one in names.items()}
    moment.led_at = chain[-1].time
    _enter_by(moment, scenario, Scope(moment.customer, chain[-1], None, **seen), chain[-1], None, names)
