"""The reasons that the orchestrator gives by itself: a customer's context lists what was decided lately, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from demo.people import Person
    from demo.timeline import Timeline

TOLD_ELSEWHERE: Final = ("sent", "task")


@dataclass
class Decisions:
    """Shows each decision once, but for what has a topic of its own, which tells of it: messages and tasks.

    Attributes:
        timeline: where they are shown.
    """

    timeline: Timeline
    _shown: set[tuple[Any, ...]] = field(default_factory=set)

    def show(self, person: Person, context: dict[str, Any]) -> None:
        """Show what was decided since the last look."""
        for decision in context["decisions"]:
            line = (person.name, *decision.values())
            if decision["what"] not in TOLD_ELSEWHERE and line not in self._shown:
                self._shown.add(line)
                self.timeline.row("decided", person.name, "journey", _what(decision), _why(decision))


def _what(decision: dict[str, Any]) -> str:
    scenario, content = decision["scenario"], decision["content"]
    if decision["what"] == "entered":
        begins = "is held out of" if decision["reason"] == "holdout" else "begins"
        return f"{begins} {scenario}"
    if decision["what"] == "ended":
        return f"{scenario} ends: {decision['reason']}"
    return f"{decision['what']}: {content or scenario}"


def _why(decision: dict[str, Any]) -> str:
    if decision["what"] == "entered" and decision["reason"] == "holdout":
        return "a share of customers stays without, to measure what it does"
    at = datetime.fromtimestamp(decision["at"] / 1000).astimezone().strftime("%H:%M:%S")
    reason = decision["reason"] if decision["what"] not in {"entered", "ended"} else ""
    return f"{reason or 'context, decisions'}, at {at}"
