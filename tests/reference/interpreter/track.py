"""Where an instance is in its story: the finger under a step, what steps gave, the ids of what they do."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.language.spec.steps import Step
from tests.reference.interpreter.conditions import Scope
from tests.reference.interpreter.records import Standing

if TYPE_CHECKING:
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Happened, Instance, Track

STANDS = "stands"
GOES_ON = "goes on"

Path = list[tuple[tuple[Step, ...], int]]
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


class Place(NamedTuple):
    """Where a step is: the lists that lead to it within one track, and the tracks around that, outermost first.

    Of each list around it, the place is the step that comes after; each track around goes by the id of its `parallel`.
    """

    step: Step
    root: tuple[Step, ...]
    frames: Path
    around: tuple[tuple[str, Level], ...] = ()


class Level(NamedTuple):
    """A track around a step: what it goes on with when all inside are through."""

    root: tuple[Step, ...]
    frames: Path


def place_of(steps: tuple[Step, ...], wanted: str) -> Place | None:
    """Where the step of an id is, None where there is none."""
    for number, step in enumerate(steps):
        if step.id == wanted:
            return Place(step, steps, [(steps, number)])
        for _, branch in step.branches:
            inner = place_of(branch, wanted)
            if inner is None:
                continue
            here = (steps, number + 1)
            if step.kind == "parallel":
                return inner._replace(around=((step.id, Level(steps, [here])), *inner.around))
            if inner.around:
                (name, level), *rest = inner.around
                return inner._replace(around=((name, Level(steps, [here, *level.frames])), *rest))
            return inner._replace(root=steps, frames=[here, *inner.frames])
    return None


def output(moment: Moment, instance: Instance, step: Step, outcome: str, **more: Any) -> None:
    instance.outputs[step.id] = {"outcome": outcome, "at": moment.now, **more}


def action_id(moment: Moment, instance: Instance, step: Step, visit: int = 0, attempt: int = 0) -> str:
    """Tenant, person, scenario, key, ordinal, step, visit: no event id and no clock. `attempt` is 0 for the first."""
    name = f"{step.id}/{attempt}" if attempt else step.id
    tenant = moment.bundle.settings.tenant
    visit = visit or instance.visits[step.id]
    told = [tenant, instance.person, instance.name, instance.key, instance.ordinal, name, visit]
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def scope_of(moment: Moment, instance: Instance, event: Happened | None = None) -> Scope:
    """What a condition of this instance sees."""
    return Scope(moment.customer, event, instance)


def named(name: Any, scope: Scope) -> str:
    """A `name*`: the name, or what its expression gives."""
    return str(name.name if name.expr is None else name.expr.evaluate(scope))
