"""A test's events in another order of arrival: the same end state and the same action ids must come of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.engine.context import plain
from orchestrator.model.effect import Action, Emitted, Publication, TaskNotice
from orchestrator.rehearsal.asking import moment_of
from orchestrator.rehearsal.problem import Problem
from orchestrator.rehearsal.run import Arrival, Failure, Run
from orchestrator.rehearsal.wording import short
from orchestrator.stream.lane.ticks import ON_ITS_WAY

if TYPE_CHECKING:
    import random

    from orchestrator.language.spec.story import Story
    from orchestrator.rehearsal.stage import Stage


def play_shuffled(
    story: Story, stage: Stage, language: str | None, played: Run, dice: random.Random, seed: int
) -> list[Failure]:
    """Run a test's events with arrivals put off at random, each by at most `shuffle`.

    Args:
        story: the test.
        stage: its bundle.
        language: as in `Run`.
        played: the run in order; what it bound is known, and its clock is put on to the same end.
        dice: decides on the arrivals.
        seed: named in a failure, so that the order can be had again.
    """
    names = played.bindings.known
    spread = story.shuffle or 0
    try:
        plain_run = _through(Run(story, stage, language, names=names), played.arrivals(), spread)
        late = [one._replace(at=one.at + dice.randint(0, spread)) for one in plain_run.arrivals()]
        other = _through(Run(story, stage, language, names=names), sorted(late, key=lambda one: one.at), spread)
    except Problem as problem:
        return [Failure(problem.at, problem.message)]
    wrong = _differences(plain_run, other)
    order = ", ".join(one.id for one in sorted(late, key=lambda one: one.at))
    return [
        Failure(story.place("shuffle"), f"shuffled (--seed {seed}): {one}", f"order of arrival: {order}")
        for one in wrong
    ]


def _through(run: Run, arrivals: list[Arrival], spread: int) -> Run:
    """All events, then time until everything that they can lead to by the test's end has come in any order."""
    run.begin()
    for arrival in arrivals:
        run.arrive(arrival)
    run.world.advance(run.end + spread + ON_ITS_WAY)
    return run


def _differences(one: Run, other: Run) -> list[str]:
    found = []
    mine, theirs = _actions(one), _actions(other)
    by_id = {person for _, person, _ in mine} == {person for _, person, _ in theirs}
    here, there = ({key if by_id else what: what for key, _, what in actions} for actions in (mine, theirs))
    found += [f"{what} did not come" for key, what in here.items() if key not in there]
    found += [f"{what} came as well" for key, what in there.items() if key not in here]
    before, after = _states(one), _states(other)
    for name in sorted(before.keys() | after.keys()):
        found += _changed(name, before.get(name, {}), after.get(name, {}))
    return found


def _actions(run: Run) -> list[tuple[str, str, str]]:
    """Of each action its id, its person, and what it is in words that no person id is in."""
    found: dict[str, tuple[str, str, str]] = {}
    for one in run.world.record.happenings:
        effect = one.effect
        if isinstance(effect, Action | Publication | TaskNotice | Emitted):
            found.setdefault(effect.id, (effect.id, effect.person, _words(effect)))
    return list(found.values())


def _words(effect: Action | Publication | TaskNotice | Emitted) -> str:
    if isinstance(effect, Emitted):
        return f"event {effect.type} {short(effect.data)}"
    if isinstance(effect, TaskNotice):
        return f"task in {effect.queue} ({effect.key}) from {effect.scenario}, step {effect.step},"
    key = f" ({effect.key})" if effect.key else ""
    return f"{effect.content} by {effect.channel} from {effect.scenario}{key} no. {effect.ordinal}, step {effect.step},"


def _states(run: Run) -> dict[str, dict[str, Any]]:
    """Per customer what is known of them, and where their instances stand."""
    found = {}
    for node, customer in run.world.customers():
        profile = moment_of(run.world, node).scope.profile
        state = {f"profile.{name}": _value(profile, name) for name in run.world.program.traits.by_name}
        state["consent"] = {name: granted for name, (_, granted, _) in sorted(customer.consents.items())}
        state["instances"] = sorted(
            (one.scenario, one.key, one.ordinal, one.mode, tuple(sorted(s.step for s in one.standing)))
            for one in customer.instances
        )
        state["tasks"] = sorted((task.queue, task.key) for task in customer.tasks)
        found[node] = state
    return found


def _value(profile: Any, name: str) -> Any:
    value = plain(dict(profile[name].items()) if isinstance(profile[name], dict) else profile[name])
    return sorted(value, key=repr) if isinstance(value, list) else value


def _changed(name: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {part} ends as {after.get(part)!r}, not {before.get(part)!r}"
        for part in sorted(before.keys() | after.keys())
        if before.get(part) != after.get(part)
    ]
