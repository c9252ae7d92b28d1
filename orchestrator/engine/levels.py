"""`becomes`: false to true, compared at the end of each round with the look before."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.entries import enter, stored_moment
from orchestrator.engine.guard import guarded
from orchestrator.language.cel import CelError

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import ScenarioPlan


def look_before(moment: "Moment") -> None:
    """At the first look ever the value before this input counts, so that publishing floods nobody."""
    for plan in moment.program.becomes:
        if plan.name not in moment.customer.levels:
            moment.customer.levels = {**moment.customer.levels, plan.name: _look(moment, plan)}


def compare_levels(moment: "Moment") -> bool:
    """Enter where a level became true; True where anybody entered."""
    entered = False
    for plan in moment.program.becomes:
        before = moment.customer.levels.get(plan.name)
        level = _look(moment, plan)
        if level == before:
            continue
        moment.customer.levels = {**moment.customer.levels, plan.name: level}
        if level is not None:
            guarded(moment, plan.name, None, _enter, moment, plan, level)
            entered = True
    return entered


def _look(moment: "Moment", plan: "ScenarioPlan") -> Any:
    """The key where the level is true ("" without one), None where it is false or unknown."""
    entry = plan.document.entry
    if not moment.holds(entry.becomes, plan.name, ""):
        return None
    if entry.key is None:
        return ""
    try:
        return str(moment.value(entry.key, plan.name, ""))
    except CelError:
        return None


def _enter(moment: "Moment", plan: "ScenarioPlan", key: str) -> None:
    if not moment.holds(plan.document.audience, plan.name, ""):
        return
    enter(moment, plan, key, stored_moment("becomes", moment.now, moment.received))
