"""A subject that another instance owns: while it lives, marketing about it comes from there only."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.verdict import Verdict
from orchestrator.language.cel import CelError
from orchestrator.model.reason import OWNED

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment
    from orchestrator.language.spec.values import NameOr


def owned(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Settles what the message is about, and its topic."""
    candidate.about = subjects(candidate, moment)
    candidate.topic = topic(candidate, moment)
    if candidate.class_ != "marketing" or not candidate.about:
        return None
    for instance in moment.customer.instances:
        if instance.mode != "live" or instance.scenario == candidate.instance.scenario:
            continue
        plan = moment.program.scenario(instance.scenario, instance.version)
        if plan is not None and not set(plan.document.owns).isdisjoint(candidate.about):
            return Verdict(OWNED, detail={"owner": instance.scenario})
    return None


def subjects(candidate: "Candidate", moment: "Moment") -> tuple[str, ...]:
    """The names of `about`; one that is unknown is left out."""
    found = (_named(name, candidate, moment) for name in candidate.content.about)
    return tuple(name for name in found if name is not None)


def topic(candidate: "Candidate", moment: "Moment") -> str:
    """The unit of the redundancy rule; the content's name where none is given or known."""
    name = candidate.content.topic
    said = _named(name, candidate, moment) if name is not None else None
    return candidate.content.content if said is None else said


def _named(name: "NameOr", candidate: "Candidate", moment: "Moment") -> str | None:
    """A `name*`, None where its expression is unknown."""
    if name.expr is None:
        return name.name
    try:
        return str(moment.value(name.expr, candidate.plan.name, candidate.step.id))
    except CelError:
        return None
