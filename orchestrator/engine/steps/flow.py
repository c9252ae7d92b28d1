"""Words that steer: split, experiment, parallel, go_to, set, end."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.context import plain
from orchestrator.engine.journey import STAND, Journey, end, run
from orchestrator.engine.steps.word import Word
from orchestrator.engine.traits.states import pack
from orchestrator.model.reason import FINISHED

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import StepPlan


class Split(Word):
    """The first true branch."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        for number, case in enumerate(step.body.cases, 1):
            if journey.holds(step, case.when):
                journey.output(step, str(number))
                return step.heads[str(number)]
        journey.output(step, "else")
        return step.heads.get("else", step.follow)


class Experiment(Word):
    """Draws a variant, once per person and salt."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        instance = journey.instance
        chosen = instance.vars.get(f"variant:{step.id}") or self._drawn(step, journey) or self._draw(step, journey)
        journey.output(step, chosen, variant=chosen)
        return step.heads[chosen]

    def _drawn(self, step: "StepPlan", journey: Journey) -> str:
        """What the instance drew when it was here before: it keeps that, whatever the weights of a release are now."""
        before = str(journey.instance.outputs.get(step.id, {}).get("variant", ""))
        return before if before in step.heads else ""

    def _draw(self, step: "StepPlan", journey: Journey) -> str:
        salt = step.body.salt or f"{journey.plan.name}/{step.id}"
        program = journey.moment.program
        ticket = program.draw(program.tenant, salt, journey.instance.person)
        reached = 0.0
        for arm in step.body.variants:
            reached += arm.weight * 100
            if ticket < reached:
                return str(arm.name)
        return str(step.body.variants[-1].name)


class Parallel(Word):
    """Does several things side by side; goes on when all are through."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        outer = journey.branch
        journey.output(step, "open", left=len(step.body.tracks))
        for track in step.body.tracks:
            name = f"{step.id}/{track.name}"
            inner = Journey(journey.moment, journey.instance, journey.plan, f"{outer}|{name}" if outer else name)
            run(inner, step.heads[track.name])
            if journey.instance not in journey.moment.customer.instances:
                break
        return STAND


class GoTo(Word):
    """Goes on at another step; a limit passed lets the story go on below."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        limit = step.body.limit
        if limit is not None and journey.instance.visits.get(step.id, 1) > limit:
            journey.output(step, "limit")
            return step.follow
        journey.output(step, "gone")
        return step.body.step


class SetValues(Word):
    """Sets variables of the instance, or stored traits of the profile."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        instance, moment = journey.instance, journey.moment
        named = {name: plain(journey.value(step, value)) for name, value in step.body.vars.items()}
        traits = {name: plain(journey.value(step, value)) for name, value in step.body.profile.items()}
        instance.vars = {**instance.vars, **named}
        for name, value in traits.items():
            moment.customer.traits[name] = pack([0, moment.now, step.id, value])
        if traits:
            moment.customer.version += 1
            moment.scope.refresh()
        journey.output(step, "done")
        return step.follow


class End(Word):
    """Ends the instance."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        return end(journey, step.body.outcome, step.body.reason or FINISHED)


__all__ = ["End", "Experiment", "GoTo", "Parallel", "SetValues", "Split"]
