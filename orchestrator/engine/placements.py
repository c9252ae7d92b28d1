"""What scenarios have placed in slots with `show`: looked at when a slot is asked, not before.

A placement is a standing of its instance, beside the story: whatever ends the instance takes it along. `due` is until
when it stands; `data` has its id (`placement`), the `content` or the `offer` that was chosen, how often it was `shown`.
"""

from typing import TYPE_CHECKING, NamedTuple

from orchestrator.engine.candidates import Candidate
from orchestrator.engine.gates.control_group import control_group
from orchestrator.engine.gates.owned import owned
from orchestrator.engine.gates.stopped import stopped
from orchestrator.engine.journey import Journey, end
from orchestrator.model import reason
from orchestrator.model.customer import Instance, Standing

if TYPE_CHECKING:
    from orchestrator.engine.gates.verdict import Verdict
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import Program, ScenarioPlan, StepPlan
    from orchestrator.language.spec.content import Content, Slot

_OF_MARKETING = (stopped, control_group, owned)
"""Gates that keep marketing of a scenario from a customer whatever the channel."""


class Placement(NamedTuple):
    """One placement, with the instance and the step that it is of."""

    instance: Instance
    plan: "ScenarioPlan"
    step: "StepPlan"
    standing: Standing

    @property
    def priority(self) -> int:
        """Against the candidates of the slot."""
        own = self.step.body.priority
        return int(self.plan.document.priority if own is None else own)


def place(journey: Journey, step: "StepPlan", content: str, offer: str) -> Standing:
    """Place a content, or an offer by itself; what the same step has placed before gives way."""
    instance, now, body = journey.instance, journey.moment.now, step.body
    instance.standing = [one for one in instance.standing if one.step != step.id or not one.is_placement]
    until = instance.ends_at if body.for_ is None else min(instance.ends_at, now + body.for_)
    placed = {"placement": journey.action_id(step), "content": content, "shown": 0}
    if offer:
        placed["offer"] = offer
    standing = Standing(step.id, now, until, placed, journey.branch)
    instance.standing.append(standing)
    return standing


def take_down(journey: Journey, standing: Standing, why: str) -> None:
    """It is not shown any more. A story that was only resting for it is over; one whose goal is watched, rests on."""
    instance = journey.instance
    instance.standing.remove(standing)
    told = {"content": name_placed(standing), "shown": standing.data["shown"]}
    journey.moment.note("taken_down", instance.scenario, standing.step, why, told)
    if instance.mode == "rest" and not instance.standing:
        instance.ends_at = min(instance.ends_at, instance.watched_until)
        if instance.ends_at <= journey.moment.now:
            end(journey, "done", reason.FINISHED)


def count_shown(journey: Journey, step: "StepPlan", standing: Standing) -> None:
    """It was shown once more; after `limit` times it is gone."""
    shown = standing.data["shown"] + 1
    standing.data = {**standing.data, "shown": shown}
    if shown >= step.body.limit:
        take_down(journey, standing, reason.SHOWN)


def name_placed(standing: Standing) -> str:
    """What traces and channels call it: its content, or the offer that is shown by itself."""
    return str(standing.data["content"] or standing.data.get("offer", ""))


def placed_content(program: "Program", standing: Standing) -> "Content | None":
    """The content that was placed; of an offer by itself, one that tells nothing but it."""
    if standing.data["content"]:
        content: Content | None = program.content(standing.data["content"])
        return content
    return program.bare_offers.get(standing.data.get("offer", ""))


def placements_in(moment: "Moment", slot: "Slot") -> list[Placement]:
    """What stands in a slot now, under any of its names: the one made first, then by scenario, key, step."""
    names = {slot.slot, *slot.also}
    found = [one for instance in moment.customer.instances for one in placements_of(moment, instance)]
    mine = [one for one in found if not names.isdisjoint(one.step.body.slots)]
    return sorted(mine, key=lambda one: (one.standing.since, one.plan.name, one.instance.key, one.step.id))


def placements_of(moment: "Moment", instance: Instance) -> list[Placement]:
    """What an instance has placed and still stands."""
    standing = [one for one in instance.standing if one.is_placement and one.due > moment.now]
    plan = moment.program.scenario(instance.scenario, instance.version) if standing else None
    if plan is None:
        return []
    steps = [(plan.steps.get(one.step), one) for one in standing]
    return [Placement(instance, plan, step, one) for step, one in steps if step is not None and step.kind == "show"]


def kept_back(moment: "Moment", placement: Placement, content: "Content") -> str:
    """Why marketing of a scenario may not be shown to this customer at all; "" where it may."""
    decided = Standing(placement.step.id, moment.now, 0, {"decided": moment.now})
    candidate = Candidate(placement.instance, placement.plan, placement.step, decided, content)
    for gate in moment.program.gates[content.class_]:
        verdict: Verdict | None = gate(candidate, moment) if gate in _OF_MARKETING else None
        if verdict is not None:
            return verdict.reason
    return ""
