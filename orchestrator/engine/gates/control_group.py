"""The part of all customers that gets no marketing at all."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.verdict import Verdict
from orchestrator.model.reason import CONTROL_GROUP

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment

SALT = "global_control_group"


def control_group(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Sticky by person id."""
    policy = moment.program.policy
    if policy is None or not policy.global_control_group or candidate.class_ != "marketing":
        return None
    if moment.program.draw(moment.program.tenant, SALT, moment.customer.person) < policy.global_control_group * 100:
        return Verdict(CONTROL_GROUP)
    return None
