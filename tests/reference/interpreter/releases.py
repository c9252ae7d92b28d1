"""Section 11: a new release, for one customer who is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reference.interpreter.endings import end
from tests.reference.interpreter.entries import look_at_becomes
from tests.reference.interpreter.moment import Moment, rounds, timers
from tests.reference.interpreter.schedules import keep_schedules
from tests.reference.interpreter.steps import run
from tests.reference.interpreter.track import path_to

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from orchestrator.language.spec.scenario import Scenario
    from orchestrator.language.spec.steps import Step
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.records import Instance, Track


def release(customer: Customer, bundle: Bundle, at: int) -> None:
    """A bundle takes the place of the one before: traits, policy and contents are its own from now on."""
    customer.contents = {**customer.contents, **bundle.contents}
    customer.bundle = bundle
    timers(customer, at)
    moment = Moment(customer, at, at)
    levels = dict(customer.levels)
    look_at_becomes(moment)
    known = dict(customer.schedules)
    settled = [settle(moment, instance) for instance in list(customer.instances)]
    keep_schedules(customer)
    if any(settled) or known != customer.schedules:
        rounds(moment)
    else:
        customer.levels = levels


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
    """It stands at the same steps of the new version; one that is gone ends it."""
    moved = newest.moved
    instance.scenario = newest
    instance.outputs = {moved.get(step, step): output for step, output in instance.outputs.items()}
    instance.visits = {moved.get(step, step): visits for step, visits in instance.visits.items()}
    anew: list[tuple[Track, Step]] = []
    for track in instance.tracks:
        if track.standing is None:
            continue
        old = track.standing.step
        path = path_to(newest.steps, moved.get(old.id, old.id))
        if path is None:
            end(moment, instance, "lost", "step_removed")
            return
        track.root, track.frames = newest.steps, path
        steps, place = path[-1]
        track.standing.step = steps[place]
        if steps[place].kind != old.kind:
            anew.append((track, steps[place]))
    for track, _ in anew:
        track.standing = None
        run(moment, instance, track)
