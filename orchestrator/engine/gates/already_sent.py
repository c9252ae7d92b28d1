"""What they know already is not said again."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.verdict import Verdict
from orchestrator.model.reason import ALREADY_SEEN

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment


def already_sent(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """The content's own `once`."""
    once = candidate.content.once
    if once is not None and moment.holds(once, candidate.plan.name, candidate.step.id):
        return Verdict(ALREADY_SEEN, detail={"once": once.source})
    return None
