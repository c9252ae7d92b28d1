"""Section 8: the gates in their order, and what a full channel leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference.interpreter import content_gates, pressure_gates

if TYPE_CHECKING:
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Candidate, Refusal


def refusal_of(moment: Moment, candidate: Candidate, full: list[str], last: str = "") -> Refusal | None:
    """The first gate that refuses. `full` are channels that were given up; `last` is the last gate to look at."""
    for name, gate in _CHAIN:
        if not _concerns(moment, candidate, name):
            continue
        refusal: Refusal | None = gate(moment, candidate, full)
        if refusal is not None and refusal.next_channel and not last:
            return _elsewhere(moment, candidate, full, refusal)
        if refusal is not None:
            return refusal
        if name == last:
            return None
    return None


def _elsewhere(moment: Moment, candidate: Candidate, full: list[str], refusal: Refusal) -> Refusal | None:
    """The channel is full: the next one, from the top; where none is free the first reason stands."""
    kept = (candidate.channel, candidate.address)
    tried = [*full, candidate.channel]
    while True:
        again = refusal_of(moment, candidate, tried, "min_gap")
        if again is None:
            return _after_min_gap(moment, candidate)
        if not again.next_channel:
            candidate.channel, candidate.address = kept
            return refusal
        tried.append(candidate.channel)


def _after_min_gap(moment: Moment, candidate: Candidate) -> Refusal | None:
    names = [name for name, _ in _CHAIN]
    for name, gate in _CHAIN[names.index("min_gap") + 1 :]:
        if _concerns(moment, candidate, name):
            refusal: Refusal | None = gate(moment, candidate, [])
            if refusal is not None:
                return refusal
    return None


def _concerns(moment: Moment, candidate: Candidate, gate: str) -> bool:
    """Whether a policy holds for the class of a message at all."""
    class_ = candidate.content.class_
    if gate in {"preferred_topics", "preferred_hours"}:
        return class_ == "marketing" and not _exempt(moment, class_, "preferences")
    if gate == "stopped":
        return class_ == "marketing"
    if gate in {"expired", "owned", "channel", "suitable", "once"}:
        return True
    return not _exempt(moment, class_, gate)


def _exempt(moment: Moment, class_: str, policy: str) -> bool:
    free = moment.bundle.policy.exempt.get(class_, ())
    return "all" in free or policy in free


_CHAIN: tuple[tuple[str, Any], ...] = (
    ("expired", content_gates.expired),
    ("stopped", content_gates.stopped),
    ("owned", content_gates.owned),
    ("channel", content_gates.channel),
    ("suitable", content_gates.suitable),
    ("once", content_gates.once),
    ("redundancy", content_gates.redundancy),
    ("pauses", pressure_gates.pauses),
    ("preferred_topics", pressure_gates.preferred_topics),
    ("caps", pressure_gates.caps),
    ("min_gap", pressure_gates.min_gap),
    ("one_per_moment", pressure_gates.arbitration),
    ("quiet_hours", pressure_gates.quiet_hours),
    ("preferred_hours", pressure_gates.preferred_hours),
    ("browse_delay", pressure_gates.browse_delay),
)
