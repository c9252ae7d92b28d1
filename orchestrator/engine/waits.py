"""Step 6 of a moment: waits. One input moves an instance (each parallel branch) by at most one wait."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.guard import guarded
from orchestrator.engine.journey import ENDED, STAND, Journey, run
from orchestrator.engine.steps.word import NOTHING
from orchestrator.engine.steps.words import WORDS

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import ScenarioPlan, StepPlan
    from orchestrator.model.customer import Instance, Standing
    from orchestrator.model.event import Event


def check_waits(moment: "Moment") -> None:
    """Let the event under way touch what listens for it, and look at levels."""
    names = moment.plan.names if moment.plan is not None else ("", "")
    for instance in tuple(moment.customer.instances):
        if not instance.standing:
            continue
        plan = moment.program.scenario(instance.scenario, instance.version)
        if plan is not None and _concerned(instance, plan, names):
            guarded(moment, instance.scenario, instance, _check, moment, instance, plan)


def _concerned(instance: "Instance", plan: "ScenarioPlan", names: tuple[str, ...]) -> bool:
    """Whether any step where the instance stands listens for this, or has something to look at."""
    for standing in instance.standing:
        step = plan.steps.get(standing.step)
        if step is not None and (names[0] in step.listens or names[1] in step.listens or step.looks):
            return True
    return False


def _check(moment: "Moment", instance: "Instance", plan: "ScenarioPlan") -> None:
    event = moment.event
    names = moment.plan.names if moment.plan is not None else ("", "")
    for standing in list(instance.standing):
        step = plan.steps.get(standing.step)
        if step is None:
            continue
        journey = Journey(moment, instance, plan, standing.branch)
        if (
            event is not None
            and (names[0] in step.listens or names[1] in step.listens)
            and _may_move(moment, event, step)
        ):
            journey.look()
            _go(journey, WORDS[step.kind].touched(step, journey, standing, event))
        elif step.looks:
            journey.look()
            _go(journey, WORDS[step.kind].look(step, journey, standing))


def _may_move(moment: "Moment", event: "Event", step: "StepPlan") -> bool:
    """A late event moves nothing, but where `grace` covers it: how far, the step knows.

    What is no activity breaks no silence, but who waits for it by name gets it. What became of a message, and that
    something was shown, counts whenever it is told.
    """
    if step.kind in {"send", "show"}:
        return True
    if step.kind == "silence" and moment.plan is not None and not moment.plan.activity:
        return False
    return not event.late or bool(getattr(step.body, "grace", 0))


def _go(journey: Journey, following: Any) -> None:
    if following is not NOTHING and following is not STAND and following is not ENDED:
        run(journey, following)


def act_due(moment: "Moment", instance: "Instance", standing: "Standing") -> None:
    """A timer of a step is due."""
    plan = moment.program.scenario(instance.scenario, instance.version)
    step = plan.steps.get(standing.step) if plan is not None else None
    if plan is None or step is None or instance not in moment.customer.instances or standing not in instance.standing:
        return
    guarded(moment, instance.scenario, instance, _act, moment, instance, plan, standing)


def _act(moment: "Moment", instance: "Instance", plan: "ScenarioPlan", standing: "Standing") -> None:
    step = plan.steps[standing.step]
    journey = Journey(moment, instance, plan, standing.branch)
    journey.look()
    _go(journey, WORDS[step.kind].due(step, journey, standing))
