"""Section 3, and step 5 of a moment: what ends an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reference.interpreter.conditions import Scope, holds

if TYPE_CHECKING:
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Happened, Instance


def check_endings(moment: Moment, event: Happened | None) -> None:
    """Every live instance, resting ones too: goal, then `exit` in order, then `while`; the first that holds ends it."""
    for instance in list(moment.customer.instances):
        if instance in moment.customer.instances:
            _check(moment, instance, event)


def _check(moment: Moment, instance: Instance, event: Happened | None) -> None:
    scenario = instance.scenario
    scope = Scope(moment.customer, event, instance)
    goal = scenario.goal
    if event is not None and event.time < min(instance.entry.time, instance.entered_at):
        event = None  # it happened before the story began
    if goal is not None and event is not None and event.is_one_of(goal.on) and holds(goal.where, scope):
        end(moment, instance, "won", "converted")
        return
    for one in scenario.exit:
        if one.on and event is not None and event.is_one_of(one.on) and holds(one.where, scope):
            end(moment, instance, "lost", one.reason)
            return
        if one.when is not None and holds(one.when, scope):
            end(moment, instance, "lost", one.reason)
            return
    if not holds(scenario.while_, scope, unknown=True):
        end(moment, instance, "lost", "condition_no_longer_true")


def end_by_event(moment: Moment, instance: Instance, event: Happened) -> None:
    """Goal and exits by event alone."""
    scenario, scope = instance.scenario, Scope(moment.customer, event, instance)
    goal = scenario.goal
    if goal is not None and event.is_one_of(goal.on) and holds(goal.where, scope):
        end(moment, instance, "won", "converted")
        return
    for one in scenario.exit:
        if one.on and event.is_one_of(one.on) and holds(one.where, scope):
            end(moment, instance, "lost", one.reason)
            return


def already_over(moment: Moment, instance: Instance) -> str:
    """Step 7: the reason why nobody enters, where `while` is false or an exit `when` true already."""
    scope = Scope(moment.customer, None, instance)
    for one in instance.scenario.exit:
        if one.when is not None and holds(one.when, scope):
            return one.reason
    return "" if holds(instance.scenario.while_, scope, unknown=True) else "condition_no_longer_true"


def too_old(moment: Moment, instance: Instance) -> None:
    """`lives` is over, or nobody watches for the goal any more."""
    if instance.mode == "rest":
        end(moment, instance, "done", "finished")
    else:
        end(moment, instance, "lost", "too_old")


def end(moment: Moment, instance: Instance, outcome: str, reason: str) -> None:
    """Its timers and held sends go with it, its tasks by `on_exit`."""
    moment.customer.instances.remove(instance)
    moment.candidates = [one for one in moment.candidates if one.instance is not instance]
    for work in list(moment.customer.tasks):
        if work.instance is instance and work.step.body.on_exit == "withdraw":  # type: ignore[union-attr]
            moment.customer.tasks.remove(work)
            moment.tell("task_withdrawn", instance.name, work.step.id, "", work.id)
    moment.tell("ended", instance.name, "", reason, outcome)
    moment.make("exited", scenario=instance.name, outcome=outcome, reason=reason, key=instance.key)
