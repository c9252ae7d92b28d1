"""Declared topics: marketing must be about one of them."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.verdict import Verdict
from orchestrator.model.reason import NOT_PREFERRED

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment


def preferred_topics(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """A message without subjects concerns everybody."""
    policy = moment.program.policy
    if policy is None or candidate.class_ != "marketing" or policy.preferences.topics == "ignore":
        return None
    if not candidate.about:
        return None
    declared = moment.scope.profile["topics"]
    if declared and set(declared).isdisjoint(candidate.about):
        return Verdict(NOT_PREFERRED, detail={"about": list(candidate.about)})
    return None
