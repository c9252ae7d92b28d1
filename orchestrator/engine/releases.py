"""A new release, for instances under way: those of `pin` and `drain` finish as they began, the others follow or end."""

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from orchestrator.engine.fallback import drop, is_fallback
from orchestrator.engine.guard import guarded
from orchestrator.engine.journey import Journey, end, end_instance, run
from orchestrator.engine.placements import take_down
from orchestrator.engine.program.older import is_to_come, next_version
from orchestrator.engine.schedules import keep_schedules, new_timers
from orchestrator.model import reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import Program, ScenarioPlan
    from orchestrator.model.customer import Customer, Instance, Standing


RELEASE_WAIT: Final = 600_000
"""For so long (ms) what is due of an instance waits for the release that has its version."""


def is_outdated(customer: "Customer", program: "Program") -> bool:
    """Whether the customer has instances that a release has moved or taken away."""
    outdated = program.outdated
    return any((instance.scenario, instance.version) in outdated for instance in customer.instances)


def concerns_everybody(before: "Program | None", after: "Program") -> bool:
    """Whether a release has schedules that customers do not have timers for yet."""
    known = {plan.name: plan.schedule for plan in before.schedules} if before is not None else {}
    return any(known.get(plan.name) != plan.schedule for plan in after.schedules)


def moves(before: "Program | None", after: "Program") -> bool:
    """Whether a release moves or ends instances that the one before left alone."""
    known = before.outdated.keys() if before is not None else set()
    return bool(after.outdated.keys() - known)


def settle_releases(moment: "Moment") -> None:
    """Let every instance go on by the rules of the newest version."""
    program = moment.program
    for instance in tuple(moment.customer.instances):
        if is_to_come(program, instance.scenario, instance.version):
            continue
        if instance.scenario not in program.scenarios:
            end_instance(moment, instance, "lost", reason.SCENARIO_REMOVED)
        elif (newest := next_version(program, instance.scenario, instance.version)) is not None:
            guarded(moment, instance.scenario, instance, _go_over, moment, instance, newest)


def hold_back(customer: "Customer", program: "Program", now: int) -> list[tuple["Standing", int]]:
    """Let nothing be due for instances of a release to come: they wait for it, up to 10 minutes.

    Gives what is to be put back: where they stand, and until when (ms).
    """
    held: list[tuple[Standing, int]] = []
    for instance in customer.instances:
        if is_to_come(program, instance.scenario, instance.version):
            held += [(s, s.due) for s in instance.standing if s.due and s.due + RELEASE_WAIT > now]
    for standing, _ in held:
        standing.due = 0
    return held


def go_on_without(moment: "Moment", instance: "Instance") -> None:
    """The release that an instance waits for does not come: it goes on by the newest version, or ends."""
    newest = moment.program.scenarios.get(instance.scenario)
    if newest is None:
        end_instance(moment, instance, "lost", reason.SCENARIO_REMOVED)
    else:
        guarded(moment, instance.scenario, instance, _go_over, moment, instance, newest)


def is_told(moment: "Moment") -> bool:
    """Whether the release leaves the customer as they are: `take_over` would change nothing."""
    left_behind = any(_is_left_behind(moment.program, instance) for instance in moment.customer.instances)
    return not (left_behind or _forgotten(moment) or new_timers(moment))


def take_over(moment: "Moment") -> None:
    """All that a release means to a customer to whom nothing else happens."""
    settle_releases(moment)
    if gone := _forgotten(moment):
        kept = {name: state for name, state in moment.customer.matching.items() if name not in gone}
        moment.customer.matching = kept
    keep_schedules(moment)


def _is_left_behind(program: "Program", instance: "Instance") -> bool:
    """Whether the release moves the instance, or has its scenario no more."""
    if is_to_come(program, instance.scenario, instance.version):
        return False
    known = instance.scenario in program.scenarios
    return not known or next_version(program, instance.scenario, instance.version) is not None


def _forgotten(moment: "Moment") -> list[str]:
    """Scenarios that remember something of how they are entered, and are entered in another way now, or are gone."""
    known = moment.program.scenarios
    return [
        name
        for name in moment.customer.matching
        if name not in known or (known[name].sequence is None and known[name].schedule is None)
    ]


def _go_over(moment: "Moment", instance: "Instance", newest: "ScenarioPlan") -> None:
    journey = Journey(moment, instance, newest)
    if newest.document.in_flight == "end":
        end(journey, "lost", reason.RELEASED)
        return
    old = moment.program.outdated.get((instance.scenario, instance.version))
    moved = newest.document.moved
    instance.version = newest.version
    instance.outputs = {moved.get(step, step): output for step, output in instance.outputs.items()}
    instance.visits = _visits(instance, moved)
    kinds = {step.id: step.kind for step in old.steps.values()} if old is not None else {}
    anew: list[Standing] = []
    for standing in list(instance.standing):
        kind = kinds.get(standing.step)
        _rename(standing, moved)
        step = newest.steps.get(standing.step)
        if is_fallback(standing) and (step is None or step.kind != "send"):
            drop(journey, standing)
        elif standing.is_placement:
            _keep_placed(journey, standing)
        elif step is None:
            end(journey, "lost", reason.STEP_REMOVED)
            return
        elif kind is not None and kind != step.kind:
            anew.append(standing)
    _count_tracks(journey)
    moment.note("followed", instance.scenario, "", "", {"key": instance.key, "version": newest.version})
    for standing in anew:
        _begin_anew(moment, instance, newest, standing)


def _keep_placed(journey: Journey, standing: "Standing") -> None:
    """What a step has placed stays while it is a `show`; nothing else depends on it."""
    step = journey.plan.steps.get(standing.step)
    if step is None or step.kind != "show":
        take_down(journey, standing, reason.STEP_REMOVED)


def _visits(instance: "Instance", moved: "Mapping[str, str]") -> dict[str, int]:
    """How often it was at each step, by the new ids: the new version may lead it to one of them again.

    Of a story without `go_to` this was not counted, for each of its steps comes once.
    """
    known = dict.fromkeys([*instance.outputs, *(moved.get(one.step, one.step) for one in instance.standing)], 1)
    return known | {moved.get(step, step): visits for step, visits in instance.visits.items()}


def _rename(standing: "Standing", moved: "Mapping[str, str]") -> None:
    """The step where it stands, and the parallel steps around it, under their new ids."""
    standing.step = moved.get(standing.step, standing.step)
    tracks = [track.partition("/") for track in standing.branch.split("|")] if standing.branch else []
    standing.branch = "|".join(f"{moved.get(step, step)}/{name}" for step, _, name in tracks)


def _count_tracks(journey: Journey) -> None:
    """A `parallel` goes on when all are through that are under way in it: steps may have come into it, or gone."""
    steps, inside = journey.plan.steps, dict[str, set[str]]()
    parallels = [step for step in steps.values() if step.kind == "parallel"]
    for place, standing in enumerate(journey.instance.standing):
        if is_fallback(standing) or standing.is_placement:
            continue
        path = steps[standing.step].path
        around = [step for step in parallels if path.startswith(f"{step.path}.")]
        names = [step.id for step in sorted(around, key=lambda step: len(step.path))]
        for outer, inner in pairwise([*names, f"standing {place}"]):
            inside.setdefault(outer, set()).add(inner)
    for name, under_way in inside.items():
        if journey.instance.outputs.get(name, {}).get("left") != len(under_way):
            journey.output(steps[name], "open", left=len(under_way))


def _begin_anew(moment: "Moment", instance: "Instance", newest: "ScenarioPlan", standing: "Standing") -> None:
    """The id is another word's now: what it waited for means nothing to the new one."""
    if standing in instance.standing:
        instance.standing.remove(standing)
        run(Journey(moment, instance, newest, standing.branch), standing.step)
