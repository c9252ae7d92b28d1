"""Times in which there are no such messages: an open complaint, a call under way."""

from typing import TYPE_CHECKING, Final

from orchestrator.engine.gates.verdict import Verdict, hold

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import PausePlan

RELOOK: Final = 6 * 3_600_000


def pauses(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """The first pause that concerns this message; the reason is its name."""
    if not moment.program.pauses:
        return None
    for pause in moment.program.pauses:
        if pause.class_ not in {None, candidate.class_}:
            continue
        if pause.about and pause.about.isdisjoint(candidate.about):
            continue
        until = paused_until(moment, pause)
        if until is not None:
            detail = {"while": pause.while_.source, "lifted": moment.customer.pauses.get(f"{pause.name}/over", 0)}
            return Verdict(pause.name, detail=detail) if pause.cancels else hold(pause.name, until, detail)
    return None


def paused_until(moment: "Moment", pause: "PausePlan") -> int | None:
    """None where nothing is paused; else until when (ms) to look again.

    What ends a pause is mostly an event, which is noticed at once; a condition that time alone can change is looked
    at again every six hours.
    """
    began, over = f"{pause.name}/began", f"{pause.name}/over"
    marks = moment.customer.pauses
    if moment.holds(pause.while_, "", pause.name, unknown=True):
        if began not in marks:  # no event of this customer began it: a merge did, a new release, or time
            moment.customer.pauses = marks = {**marks, began: moment.now}
        start = marks[began]
        if pause.longest and moment.now >= start + pause.longest:
            return None
        relook = moment.now + RELOOK
        return min(relook, start + pause.longest) if pause.longest else relook
    if began in marks:  # no event of this customer ended it: it is over since somebody looks
        kept = {name: at for name, at in marks.items() if name != began}
        moment.customer.pauses = marks = {**kept, over: moment.now}
    lifted = marks.get(over)
    if lifted is not None and moment.now < lifted + pause.and_then:
        return lifted + pause.and_then
    return None


def follow_pauses(moment: "Moment") -> None:
    """After the profile has changed: note when a pause began and when it was over."""
    plan = moment.plan
    for pause in moment.program.pauses:
        if plan is not None and pause.reads is not None and pause.reads.isdisjoint(plan.trait_names):
            continue
        began, over = f"{pause.name}/began", f"{pause.name}/over"
        marks = moment.customer.pauses
        if moment.holds(pause.while_, "", pause.name, unknown=True):
            if began not in marks:
                moment.customer.pauses = {**marks, began: moment.now}
        elif began in marks:
            kept = {name: at for name, at in marks.items() if name != began}
            moment.customer.pauses = {**kept, over: moment.now}
