"""Section 5: what each step word does, read straight from the document."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError, Timestamp
from tests.reference.interpreter.clock import next_time
from tests.reference.interpreter.conditions import Scope, holds
from tests.reference.interpreter.endings import end
from tests.reference.interpreter.profile import Contribution
from tests.reference.interpreter.records import Candidate, Happened, Instance, Standing, Track, Work

if TYPE_CHECKING:
    from orchestrator.language.spec.steps import Step
    from tests.reference.interpreter.moment import Moment

STANDS = "stands"
GOES_ON = "goes on"


def run(moment: Moment, instance: Instance, track: Track) -> None:
    """Do one step after the other until the track stands or the instance is over."""
    while instance in moment.customer.instances:
        step = _next(track)
        if step is None:
            if track.parent is None:
                finish(moment, instance)
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


def _next(track: Track) -> Step | None:
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


def finish(moment: Moment, instance: Instance) -> None:
    """After its last step an instance rests while its goal is watched."""
    goal = instance.scenario.goal
    if goal is not None and goal.keep_watching > 0:
        instance.mode = "rest"
        instance.outputs = {}
        instance.tracks = []
        instance.ends_at = min(instance.ends_at, moment.now + goal.keep_watching)
    else:
        end(moment, instance, "done", "finished")


def output(moment: Moment, instance: Instance, step: Step, outcome: str, **more: Any) -> None:
    instance.outputs[step.id] = {"outcome": outcome, "at": moment.now, **more}


def action_id(moment: Moment, instance: Instance, step: Step) -> str:
    """Tenant, person, scenario, key, ordinal, step, visit: no event id and no clock."""
    visit = instance.visits[step.id]
    tenant = moment.bundle.settings.tenant
    told = [tenant, instance.person, instance.name, instance.key, instance.ordinal, step.id, visit]
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _scope(moment: Moment, instance: Instance, event: Happened | None = None) -> Scope:
    return Scope(moment.customer, event, instance)


def _stand(moment: Moment, instance: Instance, track: Track, step: Step, due: int | None, touched_at: int = 0) -> str:
    track.standing = Standing(step, moment.now, due, touched_at)
    instance.tracks.remove(track)
    instance.tracks.append(track)  # those who stand longest come first
    return STANDS


# Waiting: what happens when the story comes there, when an event or a level touches it, when its time has come.


def _delay(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    if body.for_ is not None:
        due = moment.now + body.for_
    elif body.until is not None:
        due = body.until.evaluate(_scope(moment, instance)).ms
    else:
        due = next_time(moment.now, body.time, moment.customer.zone, body.days_later, body.weekdays)
    if due > moment.now:
        return _stand(moment, instance, track, step, due)
    output(moment, instance, step, "passed")
    return after(track)


def _silence(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    began = _newest_touch(moment, instance, step, moment.led_at)
    due = began + body.for_ + body.grace
    if due > moment.now:
        return _stand(moment, instance, track, step, due, began)
    output(moment, instance, step, "passed")
    return after(track)


def _newest_touch(moment: Moment, instance: Instance, step: Step, began: int) -> int:
    """What is known already and happened after what led here touches a silence too: it only came earlier."""
    body: Any = step.body
    known = [one for one in moment.customer.accepted if one.channel != "engine" and one.time > began]
    for event in sorted(known, key=lambda one: one.time):
        matches = event.is_one_of(body.of) and moment.customer.is_activity(event)
        in_time = not body.grace or event.time <= began + body.for_
        if matches and in_time and holds(body.where, _scope(moment, instance, event)):
            began = event.time
    return began


def _wait_until(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    scope = _scope(moment, instance)
    if body.when is not None and holds(body.when, scope):
        return _matched(moment, instance, track, step, "when", None, step.then)
    until = moment.now + body.timeout if body.timeout is not None else body.until.evaluate(scope).ms
    asked = [one.of for one in body.any] or [body.of]
    hopeless = all(of is not None and instance.outputs.get(of, {}).get("sent") is False for of in asked)
    if until + body.grace <= moment.now or hopeless:
        return _timed_out(moment, instance, track, step)
    return _stand(moment, instance, track, step, until + body.grace)


def _matched(
    moment: Moment, instance: Instance, track: Track, step: Step, name: str, event: Happened | None,
    then: tuple[Step, ...],
) -> str:  # fmt: skip
    output(moment, instance, step, "matched", matched=name, event=event)
    return after(track, *then)


def _timed_out(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    output(moment, instance, step, "timeout", matched="")
    return after(track, *step.on_timeout)


def touched(moment: Moment, instance: Instance, track: Track, event: Happened | None) -> None:
    """Step 6 of a moment for one track that stands."""
    standing = track.standing
    if standing is None:
        return
    step, body = standing.step, standing.step.body
    if step.kind == "silence" and event is not None:
        _touch_silence(moment, instance, standing, event)
    elif step.kind == "send" and standing.held_by:
        _look_at_pause(moment, instance, track, standing)
    elif step.kind == "wait_until" and body.when is not None:  # type: ignore[union-attr]
        if holds(body.when, _scope(moment, instance)):  # type: ignore[union-attr]
            _matched(moment, instance, track, step, "when", None, step.then)
            run(moment, instance, track)
    elif step.kind == "wait_until" and event is not None and _counts(standing, event):
        _touch_wait(moment, instance, track, step, event)


def _counts(standing: Standing, event: Happened) -> bool:
    """What arrives while a wait stands counts; with `grace` only what happened up to the due time, even late."""
    grace = standing.step.body.grace  # type: ignore[union-attr]
    assert standing.due is not None
    return event.time <= standing.due - grace if grace else not event.late


def _touch_silence(moment: Moment, instance: Instance, standing: Standing, event: Happened) -> None:
    body: Any = standing.step.body
    if not (event.is_one_of(body.of) and moment.customer.is_activity(event) and _counts(standing, event)):
        return
    if holds(body.where, _scope(moment, instance, event)) and event.time > standing.touched_at:
        standing.touched_at = event.time
        standing.due = event.time + body.for_ + body.grace


def _touch_wait(moment: Moment, instance: Instance, track: Track, step: Step, event: Happened) -> None:
    body: Any = step.body
    scope = _scope(moment, instance, event)
    awaited = [(one, one.name, one.then) for one in body.any] or [(body, event.type, step.then)]
    for one, name, then in awaited:
        about = one.of is None or _is_about(moment, instance, one.of, event)
        if event.is_one_of(one.on) and about and holds(one.where, scope):
            _matched(moment, instance, track, step, name, event, then)
            run(moment, instance, track)
            return


def _is_about(moment: Moment, instance: Instance, of: str, event: Happened) -> bool:
    """By message id; without one, by content name and the newest send."""
    gave = instance.outputs.get(of, {})
    named = event.data.get("message")
    if not gave.get("message"):
        return False
    if named is not None:
        return bool(named == gave["message"])
    content = event.data.get("content")
    newest = [one for one in moment.customer.sent if one.channel == event.channel and content in {None, one.content}]
    return bool(newest) and newest[-1].id == gave["message"]


def _look_at_pause(moment: Moment, instance: Instance, track: Track, standing: Standing) -> None:
    """Held by a pause: a candidate again when it lifts, or when the message is no longer valid."""
    from tests.reference.interpreter.policy import paused_until  # noqa: PLC0415 - gates look at candidates

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
        moment.candidates.append(Candidate(instance, track, standing, standing.content))


def due(moment: Moment, instance: Instance, track: Track) -> None:
    """The time of a step has come."""
    standing = track.standing
    assert standing is not None
    if standing.step.kind == "send":
        by_pause = standing.held_by in {pause.name for pause in moment.bundle.policy.pauses}
        (_look_at_pause if by_pause else _again)(moment, instance, track, standing)
        return
    if standing.step.kind == "wait_until":
        _timed_out(moment, instance, track, standing.step)
    else:
        output(moment, instance, standing.step, "passed")
        after(track)
    run(moment, instance, track)


# Acting.


def _send(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    content = moment.bundle.contents[_named(body.content, _scope(moment, instance))]
    _stand(moment, instance, track, step, None)
    assert track.standing is not None
    track.standing.content = content
    moment.candidates.append(Candidate(instance, track, track.standing, content))
    return STANDS


def _named(name: Any, scope: Scope) -> str:
    return str(name.name if name.expr is None else name.expr.evaluate(scope))


def _set(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    scope = _scope(moment, instance)
    variables = {name: value.evaluate(scope) for name, value in body.vars.items()}
    stored = {name: value.evaluate(scope) for name, value in body.profile.items()}
    instance.vars = {**instance.vars, **variables}
    moment.customer.stored.update(stored)
    output(moment, instance, step, "done")
    return after(track)


def _award(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    scope = _scope(moment, instance)
    ref, amount = str(body.ref.evaluate(scope)), body.amount.evaluate(scope)
    line: Any = f"award:{instance.name}/{step.id}"
    awards = moment.customer.awards.setdefault(body.ledger, [])
    entered = all((one.line, one.value[1]) != (line, ref) for one in awards)
    if entered:
        awards.append(Contribution(instance.entry, line, ("add", ref, amount), moment.now, line))
    output(moment, instance, step, "done", entered=entered)
    return after(track)


def _split(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    for number, case in enumerate(body.cases, 1):
        if holds(case.when, _scope(moment, instance)):
            output(moment, instance, step, str(number))
            return after(track, *case.then)
    output(moment, instance, step, "else")
    return after(track, *step.else_)


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


def _go_to(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    if body.limit is not None and instance.visits[step.id] > body.limit:
        output(moment, instance, step, "limit")
        return after(track)
    output(moment, instance, step, "gone")
    found = _find(track.root, body.step)
    assert found is not None
    track.frames = found
    return GOES_ON


def _find(steps: tuple[Step, ...], wanted: str) -> list[tuple[tuple[Step, ...], int]] | None:
    """The lists that lead to a step; of those around it, what comes after."""
    for place, step in enumerate(steps):
        if step.id == wanted:
            return [(steps, place)]
        for _, branch in step.branches:
            inner = _find(branch, wanted)
            if inner is not None:
                return [(steps, place + 1), *inner]
    return None


def _end(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    end(moment, instance, body.outcome, body.reason or "finished")
    return STANDS


# Tasks.


def _task(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    scope = _scope(moment, instance)
    queue = _named(body.queue, scope)
    key = f"{instance.name}/{instance.key}" if body.key is None else str(body.key.evaluate(scope))
    values = {name: _or_nothing(value, scope) for name, value in body.with_.items()}
    due = _task_due(moment, instance, body, scope)
    known = next((one for one in moment.customer.tasks if (one.queue, one.key) == (queue, key)), None)
    if known is not None:
        known.values = {**known.values, **values}
        moment.tell("task_added", instance.name, step.id, "", known.id)
    else:
        known = Work(action_id(moment, instance, step), queue, key, due, instance, step, values)
        moment.customer.tasks.append(known)
        moment.tell("task", instance.name, step.id, "", known.id)
        _task_event(moment, "task_opened", known)
    output(moment, instance, step, "opened", id=known.id, key=known.key, due=known.due, assignee="")
    return after(track)


def _task_due(moment: Moment, instance: Instance, body: Any, scope: Scope) -> int:
    if body.due_at is not None:
        at = body.due_at.evaluate(scope)
        assert isinstance(at, Timestamp)
        return at.ms
    channel = moment.bundle.channels.get(instance.entry.channel)
    wanted = body.due if body.due is not None else (channel.respond_within if channel is not None else None)
    return 0 if wanted is None else moment.now + wanted


def _or_nothing(value: Any, scope: Scope) -> Any:
    """A value shown to a person: nothing where it is unknown."""
    try:
        return value.evaluate(scope)
    except CelError:
        return None


def close_tasks(moment: Moment, event: Happened) -> None:
    for work in list(moment.customer.tasks):
        body: Any = work.step.body
        scope = _scope(moment, work.instance, event)
        if any(event.is_one_of(one.on) and holds(one.where, scope) for one in body.close_on):
            moment.customer.tasks.remove(work)
            moment.tell("task_closed", work.instance.name, work.step.id, "", work.id)
            _task_event(moment, "task_closed", work)


def overdue(moment: Moment, work: Work) -> None:
    if work in moment.customer.tasks:
        work.overdue = True
        moment.tell("task_overdue", work.instance.name, work.step.id, "", work.id)
        _task_event(moment, "task_overdue", work)


def _task_event(moment: Moment, type_: str, work: Work) -> None:
    moment.make(type_, task=work.id, queue=work.queue, key=work.key, thread="")


_DO = {
    "delay": _delay, "silence": _silence, "wait_until": _wait_until, "send": _send, "set": _set, "award": _award,
    "split": _split, "parallel": _parallel, "go_to": _go_to, "end": _end, "task": _task,
}  # fmt: skip
