"""A full channel may give way to the next one in the message's order."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.verdict import Verdict

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment


def next_channel(candidate: "Candidate", moment: "Moment", refused: Verdict) -> Verdict | None:
    """Try the other channels, through the gates up to the one that refused; None where one of them is free.

    Where none is, the first reason stands.
    """
    from orchestrator.engine.gates.chain import JUDGED_BEFORE  # noqa: PLC0415 - the chain holds this gate

    passed = (candidate.channel, candidate.address, candidate.standing.data)
    full = (*candidate.standing.data.get("tried", ()), candidate.channel)
    candidate.standing.data = {**candidate.standing.data, "tried": list(full)}
    try:
        for gate in moment.program.gates[candidate.class_]:
            if gate in JUDGED_BEFORE and gate(candidate, moment) is not None:
                candidate.channel, candidate.address = passed[:2]
                return refused
    finally:
        candidate.standing.data = passed[2]
    return None
