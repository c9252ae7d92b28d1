"""Of what is decided in one moment only the best of a class is sent."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.verdict import Verdict
from orchestrator.model.reason import ARBITRATION

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment


def arbitration(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Candidates come sorted, so the first that was sent is the best; it is named."""
    policy = moment.program.policy
    if policy is None or candidate.class_ not in policy.one_per_moment:
        return None
    winner = moment.taken.get(candidate.class_)
    if winner is None:
        return None
    return Verdict(ARBITRATION, detail={"winner": winner})
