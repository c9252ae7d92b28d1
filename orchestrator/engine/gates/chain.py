"""The chain of gates, in order: the first that refuses gives the reason."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.engine.gates.already_sent import already_sent
from orchestrator.engine.gates.arbitration import arbitration
from orchestrator.engine.gates.caps import caps
from orchestrator.engine.gates.channel import channel
from orchestrator.engine.gates.control_group import control_group
from orchestrator.engine.gates.expired import expired
from orchestrator.engine.gates.hours import browse_delay, preferred_hours, quiet_hours
from orchestrator.engine.gates.min_gap import min_gap
from orchestrator.engine.gates.owned import owned
from orchestrator.engine.gates.pauses import pauses
from orchestrator.engine.gates.redundancy import redundancy
from orchestrator.engine.gates.stopped import stopped
from orchestrator.engine.gates.suitable import suitable
from orchestrator.engine.gates.topics import preferred_topics

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.gates.verdict import Verdict
    from orchestrator.engine.moment import Moment
    from orchestrator.language.spec.policy import Policy

Judge = Callable[["Candidate", "Moment"], "Verdict | None"]


class Gate(NamedTuple):
    """One gate; `policy` names the part of the policy that it keeps, "" where it keeps none and always stands."""

    judge: Judge
    policy: str = ""
    marketing_only: bool = False


GATES: Final[tuple[Gate, ...]] = (
    Gate(expired),
    Gate(stopped, marketing_only=True),
    Gate(control_group, "global_control_group", marketing_only=True),
    Gate(owned),
    Gate(channel),
    Gate(suitable),
    Gate(already_sent),
    Gate(redundancy, "redundancy"),
    Gate(pauses, "pauses"),
    Gate(preferred_topics, "preferences", marketing_only=True),
    Gate(caps, "caps"),
    Gate(min_gap, "min_gap"),
    Gate(arbitration, "one_per_moment"),
    Gate(quiet_hours, "quiet_hours"),
    Gate(preferred_hours, "preferences", marketing_only=True),
    Gate(browse_delay, "browse_delay"),
)


JUDGED_BEFORE: Final = (channel, suitable, already_sent, redundancy, pauses, preferred_topics, caps, min_gap)
"""What another channel has to pass, when the one before was full."""


def gates_for(policy: "Policy | None", class_: str) -> tuple[Judge, ...]:
    """The gates that a class of messages has to pass under a policy: those it is free of cost nothing."""
    return tuple(gate.judge for gate in GATES if _stands(gate, policy, class_))


def through_gates(candidate: "Candidate", moment: "Moment") -> "Verdict | None":
    """Send a candidate through the gates of its class; the first that refuses it, or None where it may leave.

    Where `instead` has put a content of another class in its place, the gates behind are those of that class.
    """
    content, class_ = candidate.content, candidate.class_
    for gate in moment.program.gates[class_]:
        verdict: Verdict | None = gate(candidate, moment)
        if verdict is not None:
            return verdict
        if candidate.content is not content and candidate.class_ != class_:
            return _behind(gate, candidate, moment)
    return None


def _behind(passed: Judge, candidate: "Candidate", moment: "Moment") -> "Verdict | None":
    gates = moment.program.gates[candidate.class_]
    verdicts = (gate(candidate, moment) for gate in gates[gates.index(passed) + 1 :])
    return next((verdict for verdict in verdicts if verdict is not None), None)


def _stands(gate: Gate, policy: "Policy | None", class_: str) -> bool:
    if gate.marketing_only and class_ != "marketing":
        return False
    if not gate.policy:
        return True
    return policy is not None and not policy.frees(class_, gate.policy) and bool(getattr(policy, gate.policy))
