"""Entry by `every` and `at`: each customer's own timer, kept in the record.

The state of one schedule is a list: due (ms, 0: never), the occurrence that it stands for, the zone and the schedule it
was computed by, and the occurrence that has been. An occurrence is named by its local day, so a changed zone re-times
it and cannot make it happen twice; the first look only takes what lies ahead, so publishing makes nothing happen.
"""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.brand import is_brands
from orchestrator.engine.local_time import zone

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import ScenarioPlan
    from orchestrator.engine.program.schedule import Schedule


def keep_schedules(moment: "Moment") -> None:
    """Let every schedule have its timer for this customer, as their clock stands now."""
    if timers := new_timers(moment):
        moment.customer.matching = {**moment.customer.matching, **timers}


def new_timers(moment: "Moment") -> dict[str, list[Any]]:
    """Schedule -> its state, where it is not what it should be."""
    customer = moment.customer
    if not customer.person or is_brands(moment.node):
        return {}
    found = {}
    for plan in moment.program.schedules:
        known = customer.matching.get(plan.name)
        state = _standing(moment, plan, known)
        if state != known and state is not None:
            found[plan.name] = state
    return found


def is_current(plan: "ScenarioPlan", state: list[Any]) -> bool:
    """Whether a timer was set by the schedule that counts now; a release may have changed it since."""
    return state[3:4] == [_schedule(plan).sign]


def passed(moment: "Moment", plan: "ScenarioPlan") -> None:
    """An occurrence has come: the next one stands."""
    schedule = _schedule(plan)
    _, day, name, sign, _ = moment.customer.matching[plan.name]
    following = schedule.next(moment.now, zone(name, moment.program.zone), day)
    state = [following.due if following else 0, following.day if following else "", name, sign, day]
    moment.customer.matching = {**moment.customer.matching, plan.name: state}


def join(one: list[Any], other: list[Any]) -> list[Any]:
    """Of two halves the one for which more has been; its timer is set anew when it is next looked at."""
    return max(one, other, key=lambda state: (state[4], state[1], state[0]))


def _standing(moment: "Moment", plan: "ScenarioPlan", known: list[Any] | None) -> list[Any] | None:
    """The state as it should be; None where there is nothing to keep."""
    schedule = _schedule(plan)
    name = moment.scope.zone_name() if schedule.floating else moment.program.zone
    if known is not None and known[2:4] == [name, schedule.sign]:
        return known
    where = zone(name, moment.program.zone)
    if known is not None and len(known) > 3 and known[3] == schedule.sign:
        day = known[1]
        due = max(schedule.instant(day, where), moment.now) if day else 0
        return [due, day, name, schedule.sign, known[4]]
    last = known[4] if known is not None and len(known) > 4 else ""
    following = None if schedule.is_over(moment.now) else schedule.next(moment.now, where, last)
    if following is None:
        return None if known is None else [0, "", name, schedule.sign, last]
    return [following.due, following.day, name, schedule.sign, last]


def _schedule(plan: "ScenarioPlan") -> "Schedule":
    assert plan.schedule is not None  # noqa: S101 - only such plans come here
    return plan.schedule
