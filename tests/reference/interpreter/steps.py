"""Section 5: one step after the other, read straight from the document; what touches a step that stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError
from tests.reference.interpreter import acting, fallback, flow, showing, waiting
from tests.reference.interpreter.endings import end
from tests.reference.interpreter.pressure_gates import paused_until
from tests.reference.interpreter.records import Candidate, Happened, Instance, Standing, Track
from tests.reference.interpreter.track import STANDS, after, named, next_step, output, scope_of, stand

if TYPE_CHECKING:
    from orchestrator.language.spec.steps import Step
    from tests.reference.interpreter.moment import Moment


def run(moment: Moment, instance: Instance, track: Track) -> None:
    """Do one step after the other until the track stands or the instance is over."""
    while instance in moment.customer.instances:
        step = next_step(track)
        if step is None:
            if track.parent is None:
                instance.tracks.remove(track)
                finish_if_over(moment, instance)
                return
            instance.tracks.remove(track)
            track.parent.children_left -= 1
            if track.parent.children_left:
                return
            track = track.parent
            instance.tracks.append(track)
            continue
        instance.visits[step.id] = instance.visits.get(step.id, 0) + 1
        try:
            if _DO[step.kind](moment, instance, track, step) == STANDS:
                return
        except CelError:
            output(moment, instance, step, "error")
            track.standing = None
            after(track)


def finish_if_over(moment: Moment, instance: Instance) -> None:
    """After its last step an instance rests while a placement stands or its goal is watched.

    It waits for what becomes of its messages.
    """
    if instance.tracks or instance.mode != "live":
        return
    goal = instance.scenario.goal
    watched = goal is not None and goal.keep_watching > 0
    if watched or instance.placements:
        instance.mode = "rest"
        instance.outputs = instance.outputs if instance.placements else {}
        instance.watched_until = moment.now + goal.keep_watching if goal is not None else moment.now
        instance.ends_at = min(instance.ends_at, showing.rests_until(instance))
    else:
        end(moment, instance, "done", "finished")


def touched(moment: Moment, instance: Instance, track: Track, event: Happened | None) -> None:
    """Step 6 of a moment for one track that stands."""
    standing = track.standing
    if standing is None:
        return
    if track.beside and event is not None and fallback.is_outcome(standing, event):
        _outcome(moment, instance, track, standing, event)
    elif standing.step.kind == "delay":
        waiting.retime(moment, standing)
    elif standing.step.kind == "silence" and event is not None:
        waiting.touch_silence(moment, instance, standing, event)
    elif standing.step.kind == "send" and standing.held_by:
        _look_at_pause(moment, instance, track, standing)
    elif standing.step.kind == "wait_until" and waiting.touch_wait(moment, instance, track, event):
        run(moment, instance, track)


def due(moment: Moment, instance: Instance, track: Track) -> None:
    """The time of a step has come."""
    standing = track.standing
    assert standing is not None
    if track.beside and standing.messages[-1].settled not in fallback.UNDELIVERED | {""}:
        _drop(moment, instance, track)
    elif standing.step.kind == "send":
        by_pause = standing.held_by in {pause.name for pause in moment.bundle.policy.pauses}
        (_look_at_pause if by_pause else _again)(moment, instance, track, standing)
    elif standing.step.kind == "wait_until":
        waiting.timed_out(moment, instance, track, standing.step)
        run(moment, instance, track)
    else:
        output(moment, instance, standing.step, "passed")
        after(track)
        run(moment, instance, track)


# A send stands until it is judged, and while it is held.


def _send(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    content = moment.customer.contents[named(body.content, scope_of(moment, instance))]
    stand(moment, instance, track, step, None)
    assert track.standing is not None
    track.standing.content = content
    track.standing.decided = moment.now
    track.standing.visit = instance.visits[step.id]
    moment.candidates.append(Candidate(instance, track, track.standing, content))
    return STANDS


def _outcome(moment: Moment, instance: Instance, track: Track, standing: Standing, event: Happened) -> None:
    """What became of the message: the next channel at once (unless it is on its way there), or none at all."""
    if event.type not in fallback.UNDELIVERED:
        _drop(moment, instance, track)
    elif not standing.held_by:
        _again(moment, instance, track, standing)


def _drop(moment: Moment, instance: Instance, track: Track) -> None:
    """Nobody waits for the message any more."""
    instance.tracks.remove(track)
    moment.candidates = [one for one in moment.candidates if one.track is not track]
    finish_if_over(moment, instance)


def _look_at_pause(moment: Moment, instance: Instance, track: Track, standing: Standing) -> None:
    """Held by a pause: a candidate again when it lifts, or when the message is no longer valid."""
    for pause in moment.bundle.policy.pauses:
        if pause.name == standing.held_by:
            paused, until = paused_until(moment, pause)
            if paused and moment.now < standing.valid_until:
                standing.due = min(until, standing.valid_until)
            else:
                _again(moment, instance, track, standing)


def _again(moment: Moment, instance: Instance, track: Track, standing: Standing) -> None:
    if all(one.standing is not standing for one in moment.candidates):
        assert standing.content is not None
        standing.due = None
        content = moment.customer.contents[standing.content.content]
        moment.candidates.append(Candidate(instance, track, standing, content))


def _parallel(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    after(track)
    instance.tracks.remove(track)
    track.children_left = len(body.tracks)
    children = [Track(one.steps, [(one.steps, 0)], track) for one in body.tracks]
    for child in children:
        if instance in moment.customer.instances:
            instance.tracks.append(child)
            run(moment, instance, child)
    return STANDS


_DO = {
    "delay": waiting.delay, "silence": waiting.silence, "wait_until": waiting.wait_until, "send": _send,
    "show": showing.show, "set": acting.set_values, "award": acting.award, "task": acting.task, "split": flow.split,
    "experiment": flow.experiment, "parallel": _parallel, "go_to": flow.go_to, "end": flow.end_story,
}  # fmt: skip
