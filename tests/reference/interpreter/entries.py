"""Section 4, and step 7 of a moment: who enters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError
from tests.reference.interpreter.conditions import Scope, holds, ticket
from tests.reference.interpreter.endings import already_over, end
from tests.reference.interpreter.records import Happened, Instance, Track
from tests.reference.interpreter.steps import run

if TYPE_CHECKING:
    from orchestrator.language.spec.scenario import Scenario
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.moment import Moment


def enter_at(moment: Moment, scenario: Scenario, by: str) -> None:
    """By the clock: the entry is no event of the customer's, only a time."""
    event = Happened(by, "engine", "", moment.now, moment.now, {}, "engine")
    enter_by(moment, scenario, Scope(moment.customer, event), event, None, {})


def by_event(moment: Moment, scenario: Scenario, event: Happened) -> None:
    enter_each(moment, scenario, event, {})


def would_enter(moment: Moment, scenario: Scenario, event: Happened) -> bool:
    """Whether a late event fits an entry: for some element at least, where there is `each`."""
    each = scenario.entry.each
    try:
        items = [None] if each is None else each.evaluate(Scope(moment.customer, event))
    except CelError:
        return False
    seen = [{} if each is None else {"item": item} for item in items]
    return any(holds(scenario.entry.where, Scope(moment.customer, event, None, **one)) for one in seen)


def enter_each(moment: Moment, scenario: Scenario, event: Happened, names: dict[str, Happened], **seen: Any) -> None:
    """By an event, once, or once for each element of what `each` gives; `seen` are elements of a sequence by name."""
    each = scenario.entry.each
    try:
        items = [None] if each is None else each.evaluate(Scope(moment.customer, event, None, **seen))
    except CelError:
        return
    for item in items:
        more = seen if each is None else {**seen, "item": item}
        scope = Scope(moment.customer, event, None, **more)
        if holds(scenario.entry.where, scope):
            enter_by(moment, scenario, scope, event, item, names)


def enter_by(
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
    shut = _shut(customer, scenario, key)
    if shut:
        moment.tell("not_entered", name, "", shut)
        return
    ordinal, entered_at = customer.entered.get((name, key), (0, 0))
    twin = next((one for one in customer.instances if (one.name, one.key) == (name, key)), None)
    live = twin is not None and twin.mode != "rest"
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
    held_out = ticket(moment.bundle, name, customer.person) < scenario.holdout * 100
    moment.tell("entered", name, "", "holdout" if held_out else "", key)
    moment.make("entered", scenario=name, key=key, outcome="", reason="")
    if held_out:
        instance.mode = "holdout"  # it lives for goal and exits, and does nothing
        return
    track = Track(scenario.steps, [(scenario.steps, 0)])
    instance.tracks.append(track)
    run(moment, instance, track)


def _shut(customer: Customer, scenario: Scenario, key: str) -> str:
    """Why nobody enters for now, "" where they may."""
    if scenario.entries == "closed":
        return "entries_closed"
    if customer.shared.stopped(scenario):
        return "stopped"
    others = [one for one in customer.instances if one.name == scenario.scenario]
    on_another = [one for one in others if one.scenario.version != scenario.version]
    drains = scenario.in_flight == "drain" and any(one.key != key or one.mode != "rest" for one in on_another)
    return "draining" if drains else ""


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
