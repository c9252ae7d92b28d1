"""Section 5.2: where a story goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference.interpreter.conditions import holds, ticket
from tests.reference.interpreter.endings import end
from tests.reference.interpreter.track import GOES_ON, STANDS, after, output, place_of, scope_of

if TYPE_CHECKING:
    from orchestrator.language.spec.steps import Step
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Instance, Track


def split(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    for number, case in enumerate(body.cases, 1):
        if holds(case.when, scope_of(moment, instance)):
            output(moment, instance, step, str(number))
            return after(track, *case.then)
    output(moment, instance, step, "else")
    return after(track, *step.else_)


def experiment(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    """The variant that was drawn here before, else the one in whose part of a hundred the customer's number lies."""
    body: Any = step.body
    before = instance.outputs.get(step.id, {}).get("variant")
    for variant in body.variants:
        if variant.name == before:
            output(moment, instance, step, variant.name, variant=variant.name)
            return after(track, *variant.then)
    number = ticket(moment.bundle, body.salt or f"{instance.name}/{step.id}", instance.person)
    reached = 0.0
    for variant in body.variants:
        reached += variant.weight * 100
        if number < round(reached, 6):
            break
    output(moment, instance, step, variant.name, variant=variant.name)
    return after(track, *variant.then)


def go_to(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    if body.limit is not None and instance.visits[step.id] > body.limit:
        output(moment, instance, step, "limit")
        return after(track)
    output(moment, instance, step, "gone")
    found = place_of(track.root, body.step)
    assert found is not None
    track.frames = found.frames
    return GOES_ON


def end_story(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    end(moment, instance, body.outcome, body.reason or "finished")
    return STANDS
