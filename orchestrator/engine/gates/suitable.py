"""Whom a content suits, what it requires and whether its offer is open, looked at again when it is sent.

`instead` is tried once in its place.
"""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.explaining import explained
from orchestrator.engine.gates.verdict import Verdict
from orchestrator.engine.offers.opening import Closed, open_offer, why_closed
from orchestrator.language.cel import CelError
from orchestrator.model.reason import NO_OFFER, NOT_SUITED

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment
    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.content import Content


def suitable(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """The swap happens where `requires` is false or the offer is not open; if it fails too, the first reason stands."""
    refused = _unfit(candidate, moment, candidate.content)
    if refused is None or refused.reason == NOT_SUITED or candidate.content.instead is None or candidate.swapped:
        return refused
    return refused if not _swap(candidate, moment, candidate.content.instead) else None


def _unfit(candidate: "Candidate", moment: "Moment", content: "Content") -> Verdict | None:
    place = (candidate.plan.name, candidate.step.id)
    closed = _look_at_offer(candidate, moment, content) if moment.program.offers else None
    if not moment.holds(content.suits, *place):
        return Verdict(NOT_SUITED, detail=_why(content.suits, moment))
    if not moment.holds(content.requires, *place):
        return Verdict(content.reason, detail=_why(content.requires, moment))
    return None if closed is None else Verdict(NO_OFFER, detail=why_closed(moment, closed))


def _look_at_offer(candidate: "Candidate", moment: "Moment", content: "Content") -> Closed | None:
    """Find the offer that the step names, else the content's; why it is not open, None where it is, or none is named.

    Conditions and values of the content see it as `offer`.
    """
    candidate.offer = None
    moment.scope.no_offer()
    try:
        name = content.offer if candidate.step.body.offer is None else _named(candidate, moment)
    except CelError:
        return Closed("", "unknown")
    found = open_offer(moment, name, granted=True) if name is not None else None
    if isinstance(found, Closed):
        return found
    candidate.offer = found
    return None


def _named(candidate: "Candidate", moment: "Moment") -> str:
    """The offer that the step names, for itself or by an expression."""
    name = candidate.step.body.offer
    return str(name.name if name.expr is None else moment.value(name.expr, candidate.plan.name, candidate.step.id))


def _why(condition: "Expression | None", moment: "Moment") -> dict[str, Any]:
    if moment.explain:
        return explained(condition, moment.scope)
    return {"condition": condition.source if condition is not None else ""}


def _swap(candidate: "Candidate", moment: "Moment", name: str) -> bool:
    """Put another content in its place if it passes what was passed so far."""
    first, chosen = candidate.content, (candidate.channel, candidate.address, candidate.topic, candidate.about)
    candidate.content, candidate.swapped = moment.program.content(name), True
    gates = moment.program.gates[candidate.class_]
    for gate in gates[: gates.index(suitable)]:
        if gate(candidate, moment) is not None:
            break
    else:
        if _unfit(candidate, moment, candidate.content) is None:
            return True
    candidate.content, candidate.swapped = first, False
    candidate.channel, candidate.address, candidate.topic, candidate.about = chosen
    return False
