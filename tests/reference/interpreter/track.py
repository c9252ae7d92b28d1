"""Where an instance is in its story: the finger under a step, what steps gave, the ids of what they do."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tests.reference.interpreter.conditions import Scope
from tests.reference.interpreter.records import Standing

if TYPE_CHECKING:
    from orchestrator.language.spec.steps import Step
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Happened, Instance, Track

STANDS = "stands"
GOES_ON = "goes on"

Path = list[tuple[tuple["Step", ...], int]]
"""For each list of steps, from the outermost to the innermost, the next step to do."""


def next_step(track: Track) -> Step | None:
    """The step under the finger; lists that are through are left."""
    while track.frames and track.frames[-1][1] >= len(track.frames[-1][0]):
        track.frames.pop()
    return track.frames[-1][0][track.frames[-1][1]] if track.frames else None


def after(track: Track, *branch: Step) -> str:
    """The finger moves past its step, and into a branch of it where one is given."""
    steps, place = track.frames[-1]
    track.frames[-1] = (steps, place + 1)
    track.frames.append((branch, 0))
    track.standing = None
    return GOES_ON


def stand(moment: Moment, instance: Instance, track: Track, step: Step, due: int | None, touched_at: int = 0) -> str:
    track.standing = Standing(step, moment.now, due, touched_at, zone=moment.customer.zone)
    instance.tracks.remove(track)
    instance.tracks.append(track)  # those who stand longest come first
    return STANDS


def path_to(steps: tuple[Step, ...], wanted: str) -> Path | None:
    """The lists that lead to a step; of those around it, what comes after."""
    for place, step in enumerate(steps):
        if step.id == wanted:
            return [(steps, place)]
        for _, branch in step.branches:
            inner = path_to(branch, wanted)
            if inner is not None:
                return [(steps, place + 1), *inner]
    return None


def output(moment: Moment, instance: Instance, step: Step, outcome: str, **more: Any) -> None:
    instance.outputs[step.id] = {"outcome": outcome, "at": moment.now, **more}


def action_id(moment: Moment, instance: Instance, step: Step) -> str:
    """Tenant, person, scenario, key, ordinal, step, visit: no event id and no clock."""
    visit = instance.visits[step.id]
    tenant = moment.bundle.settings.tenant
    told = [tenant, instance.person, instance.name, instance.key, instance.ordinal, step.id, visit]
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def scope_of(moment: Moment, instance: Instance, event: Happened | None = None) -> Scope:
    """What a condition of this instance sees."""
    return Scope(moment.customer, event, instance)


def named(name: Any, scope: Scope) -> str:
    """A `name*`: the name, or what its expression gives."""
    return str(name.name if name.expr is None else name.expr.evaluate(scope))
