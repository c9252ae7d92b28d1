"""Which policies do not hold for a class of messages."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment


def exempt(candidate: "Candidate", moment: "Moment", policy: str) -> bool:
    """Whether the bundle's policy frees this message's class from one of its parts."""
    in_force = moment.program.policy
    if in_force is None:
        return True
    freed = in_force.exempt.get(candidate.class_, ())
    return "all" in freed or policy in freed
