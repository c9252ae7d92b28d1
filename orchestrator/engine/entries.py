"""Step 7 of a moment: entries. Who enters: audience, then key and re-entry, then holdout."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.brand import may_begin
from orchestrator.engine.breaker import stopped
from orchestrator.engine.endings import level_ends
from orchestrator.engine.explaining import explained, explained_list
from orchestrator.engine.guard import guarded
from orchestrator.engine.journey import Journey, end, run
from orchestrator.engine.maps import EventMap, opened_event, stored_event
from orchestrator.engine.schedules import is_current, keep_schedules, passed
from orchestrator.engine.sequences import (
    Completed,
    Scope,
    completed,
    completed_by_absence,
    completed_by_merge,
    remember,
)
from orchestrator.language.cel import CelError
from orchestrator.model import reason
from orchestrator.model.customer import Instance, packed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import ScenarioPlan
    from orchestrator.model.event import Event


def check_entries(moment: "Moment") -> None:
    """Scenarios by name that the event under way could start."""
    plan, event = moment.plan, moment.event
    if plan is None or event is None or plan.entries is None:
        return
    for scenario in plan.entries.all() if moment.explain else plan.entries.candidates(event.data):
        if event.late:
            guarded(moment, scenario.name, None, _too_late, moment, scenario)
        else:
            by = _by_event if scenario.sequence is None else _by_sequence
            guarded(moment, scenario.name, None, by, moment, scenario, event)


def _too_late(moment: "Moment", plan: "ScenarioPlan") -> None:
    """A late event enters nothing; that is told where it would have."""
    entry = plan.document.entry
    if plan.sequence is not None or any(moment.holds(entry.where, plan.name, "") for _ in _elements(moment, plan)):
        moment.note("not_entered", plan.name, "", reason.LATE_EVENT)


def _elements(moment: "Moment", plan: "ScenarioPlan") -> "Iterator[Any]":
    """The elements of `each`, one after the other as `item`; without `each` one that is nothing."""
    each = plan.document.entry.each
    if each is None:
        yield None
        return
    try:
        items = moment.value(each, plan.name, "")
    except CelError:
        return
    for item in items:
        moment.scope.item = item
        yield item


def _by_event(moment: "Moment", plan: "ScenarioPlan", event: "Event") -> None:
    entry = plan.document.entry
    if entry.each is None:
        if moment.holds(entry.where, plan.name, ""):
            _enter_keyed(moment, plan, stored_event(event, plan.entry_fields))
        elif moment.explain:
            moment.note("not_entered", plan.name, "", "where", explained(entry.where, moment.scope))
        return
    empty = True
    for item in _elements(moment, plan):
        empty = False
        if moment.holds(entry.where, plan.name, ""):
            _enter_keyed(moment, plan, {**stored_event(event, plan.entry_fields), "item": item})
        elif moment.explain:
            moment.note("not_entered", plan.name, "", "where", explained(entry.where, moment.scope))
    if empty and moment.explain:
        moment.note("not_entered", plan.name, "", "each", explained_list(entry.each, moment.scope))


def _by_sequence(moment: "Moment", plan: "ScenarioPlan", event: "Event") -> None:
    complete = completed(moment, plan, event)
    if not complete and moment.explain:
        moment.note("not_entered", plan.name, "", "sequence")
    _enter_completed(moment, plan, complete)


def _enter_completed(moment: "Moment", plan: "ScenarioPlan", complete: list[Completed]) -> None:
    """Enter once for each: `event` is its last event, the others are known by their names."""
    outer, led_at = moment.scope, moment.led_at
    each = plan.document.entry.each
    for stored, at in complete:
        moment.led_at = at
        seen = opened_event(stored, plan.declared)
        names = {name: seen[name] for name in stored["as"]}
        try:
            moment.scope = Scope(outer, seen, names)  # type: ignore[assignment]
            items = [] if each is None else moment.value(each, plan.name, "")
        except CelError:
            continue
        finally:
            moment.scope = outer
        for entry in [stored] if each is None else [{**stored, "item": item} for item in items]:
            _enter_named(moment, plan, entry, names)
    moment.led_at = led_at


def _enter_named(moment: "Moment", plan: "ScenarioPlan", stored: dict[str, Any], names: dict[str, EventMap]) -> None:
    outer = moment.scope
    scope = Scope(outer, opened_event(stored, plan.declared), names)
    if "item" in stored:
        scope.item = stored["item"]
    moment.scope = scope  # type: ignore[assignment]
    try:
        key = _admitted(moment, plan)
    finally:
        moment.scope = outer
    if key is not None:
        enter(moment, plan, key, stored)


def remember_elements(moment: "Moment", event: "Event") -> None:
    """An event whose entries wait for a merge counts for sequences at once: what must be absent has happened."""
    plan = moment.plan
    for scenario in plan.entries.sequences if plan is not None and plan.entries is not None else ():
        guarded(moment, scenario.name, None, remember, moment, scenario, event)


def check_merged(moment: "Moment") -> None:
    """After a merge: sequences that the events of both halves complete."""
    for plan in moment.program.sequences:
        if plan.name in moment.customer.matching:
            complete = guarded(moment, plan.name, None, completed_by_merge, moment, plan)
            guarded(moment, plan.name, None, _enter_completed, moment, plan, complete or [])


def check_due(moment: "Moment", at: int) -> None:
    """Step 7 of a timer's moment, scenarios by name: `every`, `at`, `absent`."""
    matching = moment.customer.matching
    for name in sorted(name for name, state in matching.items() if 0 < state[0] <= at):
        plan = moment.program.scenarios.get(name)
        if plan is not None and plan.schedule is not None and not is_current(plan, matching[name]):
            keep_schedules(moment)
        elif plan is not None and plan.schedule is not None:
            passed(moment, plan)
            guarded(moment, name, None, _enter_keyed, moment, plan, stored_moment(plan.schedule.kind, at, at))
        elif plan is not None and plan.sequence is not None:
            complete = guarded(moment, name, None, completed_by_absence, moment, plan, at)
            guarded(moment, name, None, _enter_completed, moment, plan, complete or [])
        else:
            moment.customer.matching = {k: state for k, state in moment.customer.matching.items() if k != name}


def stored_moment(kind: str, time: int, received: int) -> dict[str, Any]:
    """The entry of an instance that no event started: `entry.meta` only."""
    meta = {
        "id": "", "type": kind, "channel": "engine", "time": time, "received": received,
        "source": "engine", "thread": "", "late": False,
    }  # fmt: skip
    return {"data": {}, "meta": meta}


def _enter_keyed(moment: "Moment", plan: "ScenarioPlan", stored: dict[str, Any]) -> None:
    key = _admitted(moment, plan)
    if key is not None:
        enter(moment, plan, key, stored)


def _admitted(moment: "Moment", plan: "ScenarioPlan") -> str | None:
    """The key to enter under; None for who is not of the audience, or where the key is unknown."""
    document = plan.document
    if not moment.holds(document.audience, plan.name, ""):
        if moment.explain:
            detail = explained(document.audience, moment.scope)
            moment.note("not_entered", plan.name, "", reason.NOT_IN_AUDIENCE, detail)
        return None
    if document.entry.key is None:
        return ""
    try:
        given = moment.value(document.entry.key, plan.name, "")
    except CelError:
        return None
    return None if given is None else str(given)


def enter(moment: "Moment", plan: "ScenarioPlan", key: str, stored: dict[str, Any]) -> None:
    """Enter under a key, if re-entry allows it and no end holds already; then run until it stands."""
    if not may_begin(plan, moment.node):
        return
    if plan.document.entries == "closed":
        moment.note("not_entered", plan.name, "", "entries_closed", {"key": key})
        return
    if stopped(moment.facts, plan):
        moment.note("not_entered", plan.name, "", reason.STOPPED, {"key": key})
        return
    if plan.document.in_flight == "drain" and _drains(moment, plan, key):
        moment.note("not_entered", plan.name, "", "draining", {"key": key})
        return
    twin = _twin(moment, plan, key)
    if not _admits(moment, plan, key, twin):
        return
    instance = _instance(moment, plan, key, stored)
    journey = Journey(moment, instance, plan)
    journey.look()
    for ending in plan.endings:
        if ending.on is None and level_ends(moment, plan, ending):
            detail = {"key": key, "condition": ending.condition.source} if ending.condition is not None else None
            moment.note("not_entered", plan.name, "", ending.reason, detail)
            return
    if twin is not None:
        _make_way(moment, plan, twin)
    name = f"{plan.name}\n{key}"
    moment.customer.ordinals = {**moment.customer.ordinals, name: (instance.ordinal, moment.now)}
    _add(moment, instance)
    moment.note("entered", plan.name, "", instance.mode if instance.mode == "holdout" else "", {"key": key})
    moment.make("entered", {"scenario": plan.name, "key": key, "outcome": "", "reason": ""})
    if instance.mode == "live":
        outer = moment.scope.event
        run(journey, plan.first)
        moment.scope.event = outer


def _drains(moment: "Moment", plan: "ScenarioPlan", key: str) -> bool:
    """Whether somebody here is still on another version; who only rests under the same key makes way."""
    return any(
        i.scenario == plan.name and i.version != plan.version and not (i.mode == "rest" and i.key == key)
        for i in moment.customer.instances
    )


def _twin(moment: "Moment", plan: "ScenarioPlan", key: str) -> Instance | None:
    """The instance of the same key that is under way or rests."""
    for instance in moment.customer.instances:
        if instance.scenario == plan.name and instance.key == key:
            return instance
    return None


def _admits(moment: "Moment", plan: "ScenarioPlan", key: str, twin: Instance | None) -> bool:
    """Where the same key lives, `if_live` says; where it has ended or rests, `re_entry`. Nothing ends here."""
    entry = plan.document.entry
    if twin is not None and twin.mode != "rest":
        if entry.if_live != "restart" and moment.explain:
            moment.note("not_entered", plan.name, "", "live", {"key": key})
        return entry.if_live == "restart"
    known = moment.customer.ordinals.get(f"{plan.name}\n{key}")
    if known is None or entry.re_entry == "always":
        return True
    if entry.re_entry != "never" and moment.now >= known[1] + entry.re_entry.after:  # type: ignore[union-attr]
        return True
    moment.note("not_entered", plan.name, "", "re_entry", {"key": key, "entered_at": known[1]})
    return False


def _make_way(moment: "Moment", plan: "ScenarioPlan", twin: Instance) -> None:
    """A new entry of its key ends an instance."""
    if twin.mode == "rest":
        end(Journey(moment, twin, plan), "done", reason.FINISHED)
    else:
        end(Journey(moment, twin, plan), "lost", reason.RESTARTED)


def _instance(moment: "Moment", plan: "ScenarioPlan", key: str, stored: dict[str, Any]) -> Instance:
    customer, document = moment.customer, plan.document
    ordinal = customer.ordinals.get(f"{plan.name}\n{key}", (0, 0))[0] + 1
    program = moment.program
    held_out = document.holdout and program.draw(program.tenant, plan.name, customer.person) < document.holdout * 100
    return Instance(
        scenario=plan.name,
        version=plan.version,
        key=key,
        ordinal=ordinal,
        person=customer.person,
        entered_at=moment.now,
        entry_time=stored["meta"]["time"],
        packed_entry=packed(stored),
        standing=[],
        mode="holdout" if held_out else "live",
        ends_at=moment.now + document.lives,
        received=moment.received,
        once=document.entry.re_entry == "never",
    )


def _add(moment: "Moment", instance: Instance) -> None:
    """Instances stand sorted by scenario, then key: the order of every later moment."""
    instances = [*moment.customer.instances, instance]
    if len(instances) > 1:
        instances.sort(key=lambda i: (i.scenario, i.key))
    moment.customer.instances = instances
