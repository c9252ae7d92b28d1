"""What every step word can do. A word leaves out what it never needs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.engine.journey import Journey
    from orchestrator.engine.program.plan import StepPlan
    from orchestrator.model.customer import Standing
    from orchestrator.model.event import Event

NOTHING: Any = object()


class Word:
    """A step word. The answer is the id of the step that follows (None: the end of the story), STAND or ENDED."""

    def enter(self, step: "StepPlan", journey: "Journey") -> Any:
        """The story has come to this step."""
        raise NotImplementedError

    def touched(self, step: "StepPlan", journey: "Journey", standing: "Standing", event: "Event") -> Any:
        """An event that this step listens for, while the instance stands here; NOTHING where it moves nothing."""
        return NOTHING

    def due(self, step: "StepPlan", journey: "Journey", standing: "Standing") -> Any:
        """The timer of this step acts."""
        return NOTHING

    def look(self, step: "StepPlan", journey: "Journey", standing: "Standing") -> Any:
        """Something may have changed what a level here reads."""
        return NOTHING
