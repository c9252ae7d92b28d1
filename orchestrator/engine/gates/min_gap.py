"""A pause after the last message."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.next_channel import next_channel
from orchestrator.engine.gates.verdict import Verdict, hold
from orchestrator.model.reason import MIN_GAP

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment


def min_gap(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Since the last one of that class and channel; one that went out on another channel was not on this one."""
    policy = moment.program.policy
    if policy is None or not policy.min_gap:
        return None
    for rule in policy.min_gap:
        if rule.class_ not in {None, candidate.class_} or rule.channel not in {None, candidate.channel}:
            continue
        last = max(
            (
                c.at
                for c in moment.customer.contacts
                if rule.class_ in {None, c.class_}
                and rule.channel in {None, c.channel}
                and not c.replaced
                and c.id not in candidate.messages
            ),
            default=None,
        )
        if last is None or moment.now >= last + rule.gap:
            continue
        detail = {"last": last, "gap": rule.gap}
        if rule.on_hit == "hold":
            return hold(MIN_GAP, last + rule.gap, detail)
        refused = Verdict(MIN_GAP, detail=detail)
        return next_channel(candidate, moment, refused) if rule.on_hit == "next_channel" else refused
    return None
