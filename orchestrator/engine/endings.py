"""Step 5 of a moment: goals and exits. Every live instance, resting ones too: the first that holds ends it."""

from typing import TYPE_CHECKING

from orchestrator.engine.journey import Journey, end
from orchestrator.engine.maps import EventMap
from orchestrator.model.customer import Instance
from orchestrator.model.lines import Line

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import Ending, ScenarioPlan
    from orchestrator.model.event import Event


def check_endings(moment: "Moment") -> None:
    """Look at every instance, ordered by scenario, then key."""
    names = moment.plan.names if moment.plan is not None else ("", "")
    for instance in tuple(moment.customer.instances):
        plan = moment.program.scenario(instance.scenario, instance.version)
        if plan is not None and (plan.has_levels or names[0] in plan.ending_names or names[1] in plan.ending_names):
            _check(moment, instance, plan, names)


def _check(moment: "Moment", instance: Instance, plan: "ScenarioPlan", names: tuple[str, ...]) -> None:
    journey = Journey(moment, instance, plan)
    journey.look()
    if moment.event is not None and _was_before(moment.event, instance):
        names = ()
    for ending in plan.endings:
        if ending.on is None:
            if level_ends(moment, plan, ending):
                end(journey, ending.outcome, ending.reason)
                return
        elif any(name in ending.on for name in names) and moment.holds(ending.condition, plan.name, ""):
            end(journey, ending.outcome, ending.reason)
            return


def _was_before(event: "Event", instance: Instance) -> bool:
    """Whether an event that comes now happened before the story began: had it come in time, it would end nothing.

    A story whose event is dated ahead began when that came.
    """
    return event.time < instance.entry_time and event.time < instance.entered_at


def level_ends(moment: "Moment", plan: "ScenarioPlan", ending: "Ending") -> bool:
    """Whether an `exit` `when` is true or `while` false. An unknown condition never ends anything."""
    return moment.holds(ending.condition, plan.name, "", unknown=not ending.ends_when) is ending.ends_when


def check_against(moment: "Moment", instance: Instance, plan: "ScenarioPlan", lines: list[Line]) -> bool:
    """After a merge: did the other half's timeline reach a goal or an exit since the journey began?"""
    journey = Journey(moment, instance, plan)
    journey.look()
    heard = plan.ending_names
    for line in lines:
        names = (line.type, f"{line.channel}.{line.type}")
        if line.time < instance.entry_time or (names[0] not in heard and names[1] not in heard):
            continue
        moment.scope.event = remembered(moment, line)
        for ending in plan.endings:
            named = ending.on is not None and any(name in ending.on for name in names)
            if named and moment.holds(ending.condition, plan.name, ""):
                end(journey, ending.outcome, ending.reason)
                return True
    return False


def remembered(moment: "Moment", line: Line) -> EventMap:
    """A line of the timeline as conditions see it."""
    plan = moment.program.event_plan(line.type, line.channel)
    envelope = {
        "id": line.id, "type": line.type, "channel": line.channel, "time": line.time, "received": line.time,
        "source": "", "thread": "", "late": False,
    }  # fmt: skip
    return EventMap(line.data or {}, envelope, plan.declared)
