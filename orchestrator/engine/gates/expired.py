"""A message that has lost its sense is never sent: `valid_for` counts from the moment it was decided."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.verdict import Verdict
from orchestrator.language.cel import CelError
from orchestrator.model.reason import EXPIRED

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment


def expired(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Settles until when the message is valid, too."""
    content = candidate.content
    candidate.valid_until = candidate.decided_at + content.valid_for
    if content.valid_until is not None:
        try:
            candidate.valid_until = moment.value(content.valid_until, candidate.plan.name, candidate.step.id).ms
        except CelError:
            return Verdict(EXPIRED, detail={"because": "valid_until is unknown"})
    if moment.now >= candidate.valid_until:
        return Verdict(EXPIRED, detail={"valid_until": candidate.valid_until})
    return None
