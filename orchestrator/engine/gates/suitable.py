"""Whom a content suits and what it requires, looked at again when it is sent; `instead` is tried once in its place."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.explaining import explained
from orchestrator.engine.gates.verdict import Verdict
from orchestrator.model.reason import NOT_SUITED

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment
    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.content import Content


def suitable(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """The swap happens only where `requires` is false; if it fails too, the first reason stands."""
    refused = _unfit(candidate, moment, candidate.content)
    if refused is None or refused.reason == NOT_SUITED or candidate.content.instead is None or candidate.swapped:
        return refused
    return refused if not _swap(candidate, moment, candidate.content.instead) else None


def _unfit(candidate: "Candidate", moment: "Moment", content: "Content") -> Verdict | None:
    place = (candidate.plan.name, candidate.step.id)
    if not moment.holds(content.suits, *place):
        return Verdict(NOT_SUITED, detail=_why(content.suits, moment))
    if not moment.holds(content.requires, *place):
        return Verdict(content.reason, detail=_why(content.requires, moment))
    return None


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
