"""A scenario that has stopped itself by its `stop_when` sends no marketing."""

from typing import TYPE_CHECKING

from orchestrator.engine.breaker import stopped as stopped_row
from orchestrator.engine.gates.verdict import Verdict
from orchestrator.model.reason import STOPPED

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment


def stopped(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Until a person reopens it."""
    row = stopped_row(moment.facts, candidate.plan)
    if not row:
        return None
    return Verdict(STOPPED, detail={"sent": row["sent"], "met": row["met"], "stopped_at": row["at"]})
