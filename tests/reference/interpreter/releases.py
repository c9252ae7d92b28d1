"""Section 11: a new release, for one customer who is under way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.reference.interpreter.endings import end
from tests.reference.interpreter.entries import look_at_becomes
from tests.reference.interpreter.moment import Moment, rounds, timers
from tests.reference.interpreter.records import Track
from tests.reference.interpreter.schedules import keep_schedules
from tests.reference.interpreter.showing import follow, leave
from tests.reference.interpreter.steps import finish_if_over, run
from tests.reference.interpreter.track import place_of

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from orchestrator.language.spec.scenario import Scenario
    from orchestrator.language.spec.steps import Step
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.records import Instance
    from tests.reference.interpreter.track import Place


def release(customer: Customer, bundle: Bundle, at: int) -> None:
    """A bundle takes the place of the one before: traits, policy and contents are its own from now on."""
    customer.contents = {**customer.contents, **bundle.contents}
    customer.bundle = bundle
    timers(customer, at)
    moment = Moment(customer, at, at)
    levels = dict(customer.levels)
    look_at_becomes(moment)
    _forget_what_is_gone(customer)
    settled = [settle(moment, instance) for instance in list(customer.instances)]
    if keep_schedules(customer) or any(settled):
        rounds(moment)
    else:
        customer.levels = levels


def _forget_what_is_gone(customer: Customer) -> None:
    """A schedule that is gone is never due again; what must be absent goes on counting where its sequence lives on."""
    scenarios = customer.bundle.scenarios
    for name in list(customer.schedules):
        entry = scenarios[name].entry if name in scenarios else None
        if entry is None or (entry.every is None and entry.at_ is None):
            del customer.schedules[name]
    pending = [one for one in customer.absences if one.scenario.scenario in scenarios]
    customer.absences = [one for one in pending if scenarios[one.scenario.scenario].entry.sequence]
    for absence in customer.absences:
        absence.scenario = scenarios[absence.scenario.scenario]


def settle(moment: Moment, instance: Instance) -> bool:
    """What becomes of an instance; True where it does not just finish as it began."""
    newest = moment.bundle.scenarios.get(instance.name)
    if newest is None:
        end(moment, instance, "lost", "scenario_removed")
        return True
    if newest.version == instance.scenario.version or newest.in_flight in {"pin", "drain"}:
        return False
    if newest.in_flight == "end":
        end(moment, instance, "lost", "released")
    else:
        _follow(moment, instance, newest)
    return True


def _follow(moment: Moment, instance: Instance, newest: Scenario) -> None:
    """It stands at the same steps of the new version; one that is gone ends it, and what waits for delivery goes."""
    moved = newest.moved
    instance.scenario = newest
    instance.outputs = {moved.get(step, step): output for step, output in instance.outputs.items()}
    follow(instance, moved, partial(_step_of, newest))
    instance.visits = {moved.get(step, step): visits for step, visits in instance.visits.items()}
    anew: list[tuple[Track, Step]] = []
    around: dict[tuple[str, ...], Track] = {}
    for track in list(instance.tracks):
        assert track.standing is not None
        old = track.standing.step
        place = place_of(newest.steps, moved.get(old.id, old.id))
        step = None if place is None else place.step
        if track.beside and (step is None or step.kind != "send"):
            instance.tracks.remove(track)
            continue
        if place is None or step is None:
            end(moment, instance, "lost", "step_removed")
            return
        track.standing.step = step
        if not track.beside:
            _put(track, place, around)
            anew += [(track, step)] if step.kind != old.kind else []
    for track, _ in anew:
        track.standing = None
    for track, _ in anew:
        if instance in moment.customer.instances:
            run(moment, instance, track)
    if instance in moment.customer.instances:
        finish_if_over(moment, instance)
        leave(moment, instance)


def _step_of(scenario: Scenario, id_: str) -> Step | None:
    place = place_of(scenario.steps, id_)
    return None if place is None else place.step


def _put(track: Track, place: Place, around: dict[tuple[str, ...], Track]) -> None:
    """The finger at its place; a `parallel` around it goes on when all are through that are under way in it."""
    track.parent = None
    names: tuple[str, ...] = ()
    for name, level in place.around:
        names = (*names, name)
        outer: Track | None = track.parent
        if names not in around:
            around[names] = Track(level.root, list(level.frames), outer)
            if outer is not None:
                outer.children_left += 1
        track.parent = around[names]
    if track.parent is not None:
        track.parent.children_left += 1
    track.root, track.frames = place.root, list(place.frames)
