"""A scenario's steps as one flat table: ids are unique, so a place in the story is a step's id."""

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.program.plan import Ending, ScenarioPlan, StepPlan
from orchestrator.engine.program.schedule import plan_schedule
from orchestrator.model.reason import CONDITION_NO_LONGER_TRUE, CONVERTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.spec.scenario import Scenario
    from orchestrator.language.spec.steps import Step

JOIN: Final = "\n"
OUTCOMES: Final = frozenset({"delivered", "bounced", "failed", "expired", "withdrawn"})
"""What delivery says of a message."""
SHOWN: Final = frozenset({"slot_shown"})


def plan_scenario(document: "Scenario") -> ScenarioPlan:
    """Flatten a scenario. What depends on the rest of the bundle is filled in by build.py."""
    steps: dict[str, StepPlan] = {}
    first = _flatten(document.steps, None, steps, "steps")
    plan = ScenarioPlan(document, steps, first)
    plan.endings = tuple(_endings(document))
    plan.has_levels = any(ending.on is None for ending in plan.endings)
    plan.ending_names = frozenset(name for ending in plan.endings for name in ending.on or ())
    plan.heard = plan.ending_names.union(*(_hears(step) for step in steps.values()))
    plan.watched = plan.ending_names | frozenset(
        name for step in steps.values() if step.kind == "silence" for name in step.body.of
    )
    plan.schedule = plan_schedule(document.entry)
    return plan


def _hears(step: StepPlan) -> frozenset[str]:
    """The events that a step, or a task that it opened, waits for."""
    closings = step.body.close_on if step.kind == "task" else ()
    return step.listens | {name for closing in closings for name in closing.on}


def _flatten(story: "tuple[Step, ...]", follow: str | None, steps: dict[str, StepPlan], path: str) -> str | None:
    """Plan a list of steps; gives the id of its first, or what follows an empty list."""
    after = follow
    for number in range(len(story) - 1, -1, -1):
        step = story[number]
        planned = StepPlan(step.id, step.kind, step.body, after, f"{path}[{number}]")
        steps[step.id] = planned
        _branches(step, planned, steps)
        planned.listens = _listens(step)
        after = step.id
    return after


def _branches(step: "Step", planned: StepPlan, steps: dict[str, StepPlan]) -> None:
    for label, inner in step.branches:
        follow = JOIN + step.id if step.kind == "parallel" else planned.follow
        planned.heads[label] = _flatten(inner, follow, steps, f"{planned.path}.{label}")


def _listens(step: "Step") -> frozenset[str]:
    body: Any = step.body
    if step.kind == "silence":
        return frozenset(body.of)
    if step.kind == "wait_until":
        return frozenset(body.on) | frozenset(name for awaited in body.any for name in awaited.on)
    if step.kind == "send" and body.fallback is not None:
        return OUTCOMES
    if step.kind == "show" and body.limit is not None:
        return SHOWN
    return frozenset()


def _endings(document: "Scenario") -> "Iterator[Ending]":
    """Goal, then exits in order, then `while`: the first that holds ends the instance."""
    if document.goal is not None:
        yield Ending(frozenset(document.goal.on), document.goal.where, True, "won", CONVERTED)
    for leave in document.exit:
        if leave.when is None:
            yield Ending(frozenset(leave.on), leave.where, True, "lost", leave.reason)
        else:
            yield Ending(None, leave.when, True, "lost", leave.reason)
    if document.while_ is not None:
        yield Ending(None, document.while_, False, "lost", CONDITION_NO_LONGER_TRUE)
