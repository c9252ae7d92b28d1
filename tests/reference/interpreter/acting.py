"""Section 5.2: steps that act and are done at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError, Timestamp
from tests.reference.interpreter.clock import next_opening
from tests.reference.interpreter.conditions import Scope, holds
from tests.reference.interpreter.profile import Contribution
from tests.reference.interpreter.records import Happened, Instance, Track, Work
from tests.reference.interpreter.track import action_id, after, named, output, scope_of

if TYPE_CHECKING:
    from orchestrator.language.spec.steps import Step
    from tests.reference.interpreter.moment import Moment


def set_values(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    scope = scope_of(moment, instance)
    variables = {name: value.evaluate(scope) for name, value in body.vars.items()}
    stored = {name: value.evaluate(scope) for name, value in body.profile.items()}
    instance.vars = {**instance.vars, **variables}
    moment.customer.stored.update({name: (moment.now, value) for name, value in stored.items()})
    output(moment, instance, step, "done")
    return after(track)


def award(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    scope = scope_of(moment, instance)
    ref, amount = str(body.ref.evaluate(scope)), body.amount.evaluate(scope)
    line: Any = f"award:{instance.name}/{step.id}"
    awards = moment.customer.awards.setdefault(body.ledger, [])
    entered = all((one.line, one.value[1]) != (line, ref) for one in awards)
    if entered:
        awards.append(Contribution(instance.entry, line, ("add", ref, amount), moment.now, line))
    output(moment, instance, step, "done", entered=entered)
    return after(track)


# Work for people.


def task(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    body: Any = step.body
    scope = scope_of(moment, instance)
    queue = named(body.queue, scope)
    key = f"{instance.name}/{instance.key}" if body.key is None else str(body.key.evaluate(scope))
    values = {name: _or_nothing(value, scope) for name, value in body.with_.items()}
    due = _task_due(moment, instance, body, scope)
    known = next((one for one in moment.customer.tasks if (one.queue, one.key) == (queue, key)), None)
    if known is not None:
        known.values = {**known.values, **values}
        moment.tell("task_added", instance.name, step.id, "", known.id)
    else:
        thread = moment.customer.threads.get(key)
        agent = thread.newest("agent") if thread is not None else ""
        assignee = agent if body.assignee is None else str(body.assignee.evaluate(scope))
        of, id_ = (key if thread is not None else ""), action_id(moment, instance, step)
        known = Work(id_, queue, key, due, instance, step, values, moment.now, of, assignee)
        moment.customer.tasks.append(known)
        moment.tell("task", instance.name, step.id, "", known.id)
        _task_event(moment, "task_opened", known)
    output(moment, instance, step, "opened", id=known.id, key=known.key, due=known.due, assignee=known.assignee)
    return after(track)


def _task_due(moment: Moment, instance: Instance, body: Any, scope: Scope) -> int:
    """When it is due, 0 for never; outside of its calendar at the next opening."""
    due: int
    if body.due_at is not None:
        at = body.due_at.evaluate(scope)
        assert isinstance(at, Timestamp)
        due = at.ms
    else:
        channel = moment.bundle.channels.get(instance.entry.channel)
        wanted = body.due if body.due is not None else (channel.respond_within if channel is not None else None)
        if wanted is None:
            return 0
        due = moment.now + wanted
    return due if body.calendar is None else next_opening(due, moment.bundle.calendars[body.calendar], moment.bundle)


def _or_nothing(value: Any, scope: Scope) -> Any:
    """A value shown to a person: nothing where it is unknown."""
    try:
        return value.evaluate(scope)
    except CelError:
        return None


def close_tasks(moment: Moment, event: Happened) -> None:
    for work in list(moment.customer.tasks):
        body: Any = work.step.body
        scope = scope_of(moment, work.instance, event)
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
    moment.make(type_, task=work.id, queue=work.queue, key=work.key, thread=work.thread)
