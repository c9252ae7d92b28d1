"""Timers: what is due next, and a timer's moment. Timers live in the record; an index of them is somebody else's."""

from typing import TYPE_CHECKING, NamedTuple

from orchestrator.engine.journey import end_instance
from orchestrator.engine.offers.states import earliest_expiry
from orchestrator.engine.releases import go_on_without
from orchestrator.engine.tasks import overdue
from orchestrator.engine.waits import act_due
from orchestrator.model import reason
from orchestrator.model.customer import Customer, Instance, Standing, Task

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment

NEVER = 0


class Due(NamedTuple):
    """One thing that is due: a step's timer, an instance's end, a task."""

    scenario: str
    key: str
    step: str
    instance: Instance | None
    standing: Standing | None
    task: Task | None = None


def earliest_due(customer: Customer, waits: bool = True) -> int:
    """The earliest due time (ms), NEVER where nothing is due; without `waits`, of entries that wait for a merge."""
    earliest = NEVER
    for instance in customer.instances:
        due = instance.ends_at
        for standing in instance.standing:
            if standing.due and standing.due < due:
                due = standing.due
        if earliest == NEVER or due < earliest:
            earliest = due
    for task in customer.tasks:
        if task.due and not task.overdue and (earliest == NEVER or task.due < earliest):
            earliest = task.due
    for waiting in customer.waiting if waits else ():
        if earliest == NEVER or waiting.until < earliest:
            earliest = waiting.until
    if customer.offers:
        expiry = earliest_expiry(customer)
        earliest = min(expiry, earliest) if expiry and earliest else expiry or earliest
    return _or_of_entries(customer, earliest) if customer.matching else earliest


def _or_of_entries(customer: Customer, earliest: int) -> int:
    """The earliest due time, with the timers of entries: schedules, and what must be absent."""
    dues = [state[0] for state in customer.matching.values() if state[0]]
    return min([*dues, earliest] if earliest != NEVER else dues, default=NEVER)


def due_at(customer: Customer, at: int) -> list[Due]:
    """What is due at exactly this moment or before, in the order in which it acts."""
    found: list[Due] = []
    for instance in customer.instances:
        found += [
            Due(instance.scenario, instance.key, standing.step, instance, standing)
            for standing in instance.standing
            if standing.due and standing.due <= at
        ]
        if instance.ends_at <= at:
            found.append(Due(instance.scenario, instance.key, "", instance, None))
    found += [
        Due(t.scenario, t.instance_key, t.step, None, None, t)
        for t in customer.tasks
        if 0 < t.due <= at and not t.overdue
    ]
    return sorted(found, key=lambda due: due[:3])


def act(moment: "Moment", due: list[Due]) -> None:
    """Step 6 of a timer's moment: what is due acts, in order."""
    for item in due:
        if item.task is not None:
            if any(task is item.task for task in moment.customer.tasks):  # not withdrawn in this very moment
                overdue(moment, item.task)
        elif item.instance is not None and item.standing is not None:
            due_before = item.standing.due
            act_due(moment, item.instance, item.standing)
            if item.standing.due == due_before and item.standing in item.instance.standing:
                _still_due(moment, item.instance, item.standing)
        elif item.instance is not None and item.instance in moment.customer.instances:
            _too_old(moment, item.instance)


def _still_due(moment: "Moment", instance: Instance, standing: Standing) -> None:
    """It raised, its step is gone, or the release that has it never came: it must not be due for ever."""
    due = standing.due
    if moment.program.scenario(instance.scenario, instance.version) is None:
        go_on_without(moment, instance)
        act_due(moment, instance, standing)
    if standing.due == due and instance in moment.customer.instances and standing in instance.standing:
        end_instance(moment, instance, "lost", reason.ERROR)


def _too_old(moment: "Moment", instance: Instance) -> None:
    """Its time is over, also where only a release to come has its version."""
    if instance.mode == "rest":
        end_instance(moment, instance, "done", reason.FINISHED)
    else:
        end_instance(moment, instance, "lost", reason.TOO_OLD)


__all__ = ["NEVER", "Due", "act", "due_at", "earliest_due"]
