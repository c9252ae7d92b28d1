"""Section 5.1: how long a story stands, and what moves it.

What reaches a wait gives `STANDS` or `GOES_ON`; what touches one tells whether the story goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference.interpreter.clock import next_opening, next_time
from tests.reference.interpreter.conditions import holds
from tests.reference.interpreter.track import after, output, scope_of, stand

if TYPE_CHECKING:
    from orchestrator.language.spec.steps import Step
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Happened, Instance, Standing, Track


def delay(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    if body.for_ is not None:
        due = moment.now + body.for_
    elif body.until is not None:
        due = body.until.evaluate(scope_of(moment, instance)).ms
    else:
        due = next_time(moment.now, body.time, moment.customer.zone, body.days_later, body.weekdays)
    if body.calendar is not None:
        due = next_opening(max(due, moment.now), moment.bundle.calendars[body.calendar], moment.bundle)
    if due > moment.now:
        return stand(moment, instance, track, step, due)
    output(moment, instance, step, "passed")
    return after(track)


def retime(moment: Moment, standing: Standing) -> None:
    """A changed zone re-times a delay that waits for an o'clock."""
    body: Any = standing.step.body
    if body.time is not None and standing.zone != moment.customer.zone:
        standing.zone = moment.customer.zone
        due = next_time(standing.since, body.time, standing.zone, body.days_later, body.weekdays)
        if body.calendar is not None:
            due = next_opening(max(due, moment.now), moment.bundle.calendars[body.calendar], moment.bundle)
        standing.due = max(due, moment.now)


def silence(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    began = _newest_touch(moment, instance, step, moment.led_at)
    due = began + body.for_ + body.grace
    if due > moment.now:
        return stand(moment, instance, track, step, due, began)
    output(moment, instance, step, "passed")
    return after(track)


def restart(moment: Moment, instance: Instance, standing: Standing, events: list[Happened]) -> None:
    """A silence counts from the newest of these, too."""
    body: Any = standing.step.body
    newest = _newest_touch(moment, instance, standing.step, standing.touched_at, events)
    if newest > standing.touched_at:
        standing.touched_at = newest
        standing.due = newest + body.for_ + body.grace


def _newest_touch(
    moment: Moment, instance: Instance, step: Step, began: int, events: list[Happened] | None = None
) -> int:
    """What is known already and happened after what led here touches a silence too: it only came earlier."""
    body: Any = step.body
    known = moment.customer.accepted if events is None else events
    known = [one for one in known if not one.made and one.time > began]
    for event in sorted(known, key=lambda one: one.time):
        matches = event.is_one_of(body.of) and moment.customer.is_activity(event)
        in_time = not body.grace or event.time <= began + body.for_
        if matches and in_time and holds(body.where, scope_of(moment, instance, event)):
            began = event.time
    return began


def wait_until(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    scope = scope_of(moment, instance)
    if body.when is not None and holds(body.when, scope):
        return _matched(moment, instance, track, step, "when", None, step.then)
    until = moment.now + body.timeout if body.timeout is not None else body.until.evaluate(scope).ms
    asked = [one.of for one in body.any] or [body.of]
    hopeless = all(of is not None and not _told_anything(instance, of) for of in asked)
    if until + body.grace <= moment.now or hopeless:
        return timed_out(moment, instance, track, step)
    return stand(moment, instance, track, step, until + body.grace)


def _told_anything(instance: Instance, step: str) -> bool:
    """A step that was never reached, or whose message was not sent, has no answer to wait for."""
    output = instance.outputs.get(step, {})
    return bool(output.get("sent")) or "id" in output or bool(output.get("slots"))


def _matched(
    moment: Moment, instance: Instance, track: Track, step: Step, name: str, event: Happened | None,
    then: tuple[Step, ...],
) -> str:  # fmt: skip
    output(moment, instance, step, "matched", matched=name, event=event)
    return after(track, *then)


def timed_out(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    output(moment, instance, step, "timeout", matched="")
    return after(track, *step.on_timeout)


def _counts(standing: Standing, event: Happened) -> bool:
    """What arrives while a wait stands counts; with `grace` only what happened up to the due time, even late."""
    grace = standing.step.body.grace  # type: ignore[union-attr]
    assert standing.due is not None
    return event.time <= standing.due - grace if grace else not event.late


def touch_silence(moment: Moment, instance: Instance, standing: Standing, event: Happened) -> None:
    body: Any = standing.step.body
    if not (event.is_one_of(body.of) and moment.customer.is_activity(event) and _counts(standing, event)):
        return
    if holds(body.where, scope_of(moment, instance, event)) and event.time > standing.touched_at:
        standing.touched_at = event.time
        standing.due = event.time + body.for_ + body.grace


def touch_wait(moment: Moment, instance: Instance, track: Track, event: Happened | None) -> bool:
    """A level is looked at again; an event may be one of those waited for."""
    standing = track.standing
    assert standing is not None
    step = standing.step
    body: Any = step.body
    if body.when is not None:
        if holds(body.when, scope_of(moment, instance)):
            _matched(moment, instance, track, step, "when", None, step.then)
            return True
        return False
    if event is None or not _counts(standing, event):
        return False
    scope = scope_of(moment, instance, event)
    awaited = [(one, one.name, one.then) for one in body.any] or [(body, event.type, step.then)]
    for one, name, then in awaited:
        about = one.of is None or _is_about(moment, instance, one.of, event)
        if event.is_one_of(one.on) and about and holds(one.where, scope):
            _matched(moment, instance, track, step, name, event, then)
            return True
    return False


def _is_about(moment: Moment, instance: Instance, of: str, event: Happened) -> bool:
    """By message id; without one, by content name and the newest send. An answer to any of its channels counts."""
    gave = instance.outputs.get(of, {})
    if gave.get("slots"):
        placement = event.data.get("placement")
        told, mine = ("content", "content") if placement is None else ("placement", "placement")
        return bool(event.data.get(told) == gave[mine])
    named = event.data.get("message", event.data.get("in_reply_to"))
    if not gave.get("message"):
        return False
    messages = gave.get("messages") or [gave["message"]]
    if named is not None:
        known = [one.id for one in moment.customer.sent if named in {one.id, one.content}]
        return bool(known) and known[-1] in messages
    content = event.data.get("content")
    newest = [one for one in moment.customer.sent if one.channel == event.channel and content in {None, one.content}]
    return bool(newest) and newest[-1].id in messages
