"""The same topic is said once per person, whatever the channel."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.verdict import Verdict
from orchestrator.model.reason import REDUNDANT

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment


def redundancy(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """The next channel of one message (same instance and step) is not redundant."""
    policy = moment.program.policy
    rule = policy.redundancy if policy is not None else None
    if rule is None or candidate.class_ in rule.except_:
        return None
    if rule.channels and candidate.channel not in rule.channels:
        return None
    for contact in reversed(moment.customer.contacts):
        if contact.topic != candidate.topic or contact.at <= moment.now - rule.for_:
            continue
        if rule.channels and contact.channel not in rule.channels:
            continue
        if contact.id in candidate.messages:
            continue
        return Verdict(REDUNDANT, detail={"topic": candidate.topic, "said_at": contact.at, "on": contact.channel})
    return None
