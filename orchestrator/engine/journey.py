"""One instance on its way through a story: it runs until it stands, rests or ends."""

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.program.story import JOIN
from orchestrator.language.cel import CelError
from orchestrator.model import reason
from orchestrator.model.customer import Instance, Standing
from orchestrator.model.ids import action_id

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import ScenarioPlan, StepPlan

STAND: Final = object()
ENDED: Final = object()
MOST_STEPS: Final = 500


class Journey:
    """An instance with its plan, in one moment: what a step word works with. `branch` is the parallel track."""

    __slots__ = ("branch", "instance", "moment", "plan")

    def __init__(self, moment: "Moment", instance: Instance, plan: "ScenarioPlan", branch: str = "") -> None:
        self.moment = moment
        self.instance = instance
        self.plan = plan
        self.branch = branch

    def look(self) -> None:
        """Make this instance's entry, steps and variables known to conditions."""
        self.moment.scope.tell_story(self.instance, self.plan)

    def stand(self, step: "StepPlan", due: int = 0, data: Any = None) -> Any:
        """Stand at a step until `due` (ms, 0: until something happens)."""
        self.instance.standing.append(Standing(step.id, self.moment.now, due, data, self.branch))
        return STAND

    def leave(self, standing: Standing) -> None:
        """Stand there no longer; later steps of this journey are on the same track."""
        self.instance.standing.remove(standing)
        self.branch = standing.branch

    def output(self, step: "StepPlan", outcome: str, **more: Any) -> None:
        """What a step gives to later ones."""
        outputs = self.instance.outputs
        self.instance.outputs = {**outputs, step.id: {"outcome": outcome, "at": self.moment.now, **more}}
        if self.moment.explain:
            self.note("gave", step, outcome, more)
        self.look()

    def value(self, step: "StepPlan", expression: Any) -> Any:
        return self.moment.value(expression, self.plan.name, step.id)

    def holds(self, step: "StepPlan", condition: Any) -> bool:
        return self.moment.holds(condition, self.plan.name, step.id)

    def visit(self, step: "StepPlan") -> int:
        """How often the instance has come to this step, this time included."""
        return self.instance.visits.get(step.id, 1)

    def action_id(self, step: "StepPlan", attempt: int = 0, visit: int = 0) -> str:
        """The id of what this step does, no event id and no clock in it.

        `attempt` counts the attempts of one visit, from 0; the visit is this one where no other is named.
        """
        i, visit = self.instance, visit or self.visit(step)
        name = f"{step.id}/{attempt}" if attempt else step.id
        return action_id(self.moment.program.tenant, i.person, i.scenario, i.key, i.ordinal, name, visit)

    def note(self, what: str, step: "StepPlan | None" = None, why: str = "", detail: Any = None) -> None:
        self.moment.note(what, self.plan.name, step.id if step else "", why, detail)


def run(journey: Journey, step_id: str | None) -> None:
    """Go on at a step until the instance stands, rests or ends. A step that cannot be done is left out, visibly."""
    from orchestrator.engine.steps.words import WORDS  # noqa: PLC0415 - words run steps, steps are words

    journey.look()
    for _ in range(MOST_STEPS):
        if step_id is None or step_id.startswith(JOIN):
            step_id = _arrive(journey, step_id)
            if step_id is None:
                return
            continue
        step = journey.plan.steps.get(step_id)
        if step is None:
            end(journey, "lost", reason.STEP_REMOVED)
            return
        if journey.plan.loops or journey.instance.visits:
            visits = journey.instance.visits
            journey.instance.visits = {**visits, step_id: visits.get(step_id, 0) + 1}
        if journey.moment.explain:
            journey.note("step", step)
        try:
            following = WORDS[step.kind].enter(step, journey)
        except CelError:
            journey.output(step, "error")
            following = step.follow
        if following is STAND or following is ENDED:
            return
        step_id = following
    journey.note("stopped", None, reason.TOO_DEEP)
    end(journey, "lost", reason.TOO_DEEP)


def _arrive(journey: Journey, at: str | None) -> str | None:
    """The end of a track, or of the story. Gives the step that goes on, or None where nothing does."""
    instance = journey.instance
    if at is None:
        finish_if_over(journey)
        return None
    step = journey.plan.steps[at[len(JOIN) :]]
    left = instance.outputs[step.id]["left"] - 1
    journey.output(step, "open" if left else "done", left=left)
    if left:
        return None
    journey.branch = journey.branch.rpartition("|")[0]
    return step.follow if step.follow is not None else _arrive(journey, None)


def finish_if_over(journey: Journey) -> None:
    """The story is over where the instance stands nowhere and no send of it is to be judged; once is enough.

    What it has placed in slots stands beside the story.
    """
    instance = journey.instance
    if instance.mode != "rest" and not _judged_later(journey) and all(one.is_placement for one in instance.standing):
        finish(journey)


def _judged_later(journey: Journey) -> bool:
    return any(candidate.instance is journey.instance for candidate in journey.moment.candidates)


def finish(journey: Journey) -> None:
    """After its last step an instance rests while its goal is watched or something of it is placed; else it is done.

    Only what is placed still reads what the steps gave.
    """
    instance, now = journey.instance, journey.moment.now
    watched = now + goal_watched(journey.plan)
    until = max([watched, *(placed.due for placed in instance.standing)])
    if until > now and instance.mode == "live":
        instance.mode, instance.watched_until = "rest", watched
        instance.outputs = instance.outputs if instance.standing else {}
        instance.ends_at = min(instance.ends_at, until)
        if journey.moment.explain:
            journey.note("rests")
        return
    end(journey, "done", reason.FINISHED)


def goal_watched(plan: "ScenarioPlan") -> int:
    """For how long (ms) a story that is over may still be won."""
    goal = plan.document.goal
    return goal.keep_watching if goal is not None else 0


def end(journey: Journey, outcome: str, why: str) -> Any:
    """End an instance: its timers and held sends go with it, its tasks by `on_exit`."""
    return end_instance(journey.moment, journey.instance, outcome, why)


def end_instance(moment: "Moment", instance: Instance, outcome: str, why: str) -> Any:
    """End an instance of which nothing but itself is known: its scenario may be gone."""
    from orchestrator.engine.tasks import withdraw_tasks  # noqa: PLC0415 - tasks know journeys

    if instance not in moment.customer.instances:
        return ENDED
    moment.customer.instances.remove(instance)
    moment.candidates[:] = [candidate for candidate in moment.candidates if candidate.instance is not instance]
    instance.standing = []
    withdraw_tasks(moment, instance)
    moment.note("ended", instance.scenario, "", why, {"outcome": outcome, "key": instance.key})
    moment.make("exited", {"scenario": instance.scenario, "outcome": outcome, "reason": why, "key": instance.key})
    return ENDED
