"""The word that places something in slots: `show`."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.candidates import named
from orchestrator.engine.placements import count_shown, place, take_down
from orchestrator.engine.steps.word import NOTHING, Word
from orchestrator.model import reason

if TYPE_CHECKING:
    from orchestrator.engine.journey import Journey
    from orchestrator.engine.program.plan import StepPlan
    from orchestrator.model.customer import Standing
    from orchestrator.model.event import Event


class Show(Word):
    """The story goes on at once; what was placed stands beside it."""

    def enter(self, step: "StepPlan", journey: "Journey") -> Any:
        content, offer = named(journey, step, step.body.content), named(journey, step, step.body.offer)
        program = journey.moment.program
        if program.content(content) is None and offer not in program.offers:
            missing = f"the offer {offer!r}" if step.body.content is None else f"the content {content!r}"
            journey.note("unknown", step, "error", {"because": f"no document declares {missing}"})
            journey.output(step, "error")
            return step.follow
        placed = place(journey, step, content, offer)
        told = {
            "content": content,
            "offer": offer,
            "slots": list(step.body.slots),
            "until": placed.due,
            "placement": placed.data["placement"],
        }
        journey.output(step, "placed", **told)
        journey.note("placed", step, "", {**told, "content": content or offer, "key": journey.instance.key})
        return step.follow

    def touched(self, step: "StepPlan", journey: "Journey", standing: "Standing", event: "Event") -> Any:
        if standing.is_placement and event.data.get("placement") == standing.data["placement"]:
            count_shown(journey, step, standing)
        return NOTHING

    def due(self, step: "StepPlan", journey: "Journey", standing: "Standing") -> Any:
        take_down(journey, standing, reason.EXPIRED)
        return NOTHING
