"""Run seeds, and make a failing one small enough to read."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple
from unittest.mock import patch

from orchestrator.stream.lane import core, visits
from tests.simulation.simulator.checks import check_quiet
from tests.simulation.simulator.clean import check_clean, check_profiles, has_one_outcome, is_free_of_chance
from tests.simulation.simulator.faults import LEAST, Fault, Met
from tests.simulation.simulator.messages import faults_of_messages
from tests.simulation.simulator.simulation import Simulation
from tests.simulation.simulator.story import Story, draw_story

Trace = Callable[[str], None]
Draw = Callable[[int], Story]

ORDER: Final = 1_000_003
"""What a seed is put on by so that the same story runs in another order."""
GROUPED: Final = 2
"""How many records of a batch let the core put those of one customer together, where the story has that."""


class Failure(NamedTuple):
    """A seed that broke a promise: which, in the smallest story that still breaks one."""

    seed: int
    drawn: str
    broken: str
    story: Story
    trace: list[str]

    def __str__(self) -> str:
        told = "\n".join(f"  {one}" for one in self.story.happenings)
        lines = "\n".join(self.trace)
        return (
            f"seed {self.seed}: {self.broken}\n{told}\n{lines}\nAgain: make simulate SEED={self.seed} DRAW={self.drawn}"
        )


def run_story(story: Story, trace: Trace | None = None, met: Met | None = None) -> Exception | None:
    """Run one story to its end; what it broke, or None. An exception of the product is a broken promise, too.

    Args:
        story: what was drawn.
        trace: told each thing that happens.
        met: counts, where it is given, how often which trouble came.
    """
    run = Simulation(story, trace)
    try:
        few = GROUPED if story.grouped else core.FEW
        visits_at_once = 1 + story.seed % 2 if story.releases else visits.AT_ONCE
        with patch.object(core, "FEW", few), patch.object(visits, "AT_ONCE", visits_at_once):
            run.run()
            outcome = check_quiet(run)
            if is_free_of_chance(story):
                check_clean(run, outcome.customers)
            if has_one_outcome(story):
                check_profiles(run, outcome.customers)
    except Exception as problem:  # noqa: BLE001  whatever it is, it is reported with its seed
        return problem
    if met is not None:
        met.update(run.broker.met + faults_of_messages(run.broker))
    return None


def run_seed(seed: int, draw: Draw = draw_story) -> Exception | None:
    """What a seed broke, or None."""
    return run_story(draw(seed))


def run_seeds(seeds: Iterable[int], draw: Draw = draw_story) -> tuple[list[int], Met]:
    """The seeds that broke a promise, and of each trouble in how many of the others it came."""
    failed, seen = [], Met()
    for seed in seeds:
        met = Met()
        if run_story(draw(seed), met=met) is not None:
            failed.append(seed)
        seen.update(fault for fault, count in met.items() if count > 0)
    return failed, seen


def too_rare(seen: Met, seeds: int, least: Mapping[Fault, float] = LEAST) -> list[str]:
    """The troubles that did not come in as many seeds as they must."""
    return [f"{fault}: {seen[fault]} of {seeds}" for fault, share in least.items() if seen[fault] < share * seeds]


def failure_of(seed: int, draw: Draw = draw_story) -> Failure | None:
    """A failing seed, made small, with its trace; None where it breaks nothing."""
    story = draw(seed)
    problem = run_story(story)
    if problem is None:
        return None
    story = smallest(story)
    trace: list[str] = []
    problem = run_story(story, trace.append) or problem
    return Failure(seed, draw.__name__, f"{type(problem).__name__}: {problem}", story, trace)


def smallest(story: Story) -> Story:
    """Leave out events, troubles, releases, partitions and workers, as long as something still breaks."""
    found = True
    while found:
        found = False
        for smaller in _smaller(story):
            broken = _broken(smaller)
            if broken is not None:
                story, found = broken, True
                break
    return story


def _broken(story: Story) -> Story | None:
    """The story, run in one of a few orders, that breaks something: what is left out changes the order of the rest."""
    orders = (story._replace(seed=story.seed + 2 * number * ORDER) for number in range(4))
    return next((one for one in orders if run_story(one) is not None), None)


def _smaller(story: Story) -> list[Story]:
    told = story.happenings
    fewer = [story._replace(happenings=told[:place] + told[place + 1 :]) for place in range(len(told))]
    once = [
        story._replace(happenings=(*told[:place], one._replace(again=()), *told[place + 1 :]))
        for place, one in enumerate(told)
        if one.again
    ]
    calm = [
        story._replace(troubles=story.troubles._replace(**{name: 0.0}))
        for name in story.troubles._fields
        if getattr(story.troubles, name)
    ]
    plain = [
        story._replace(releases=()),
        story._replace(partitions=1),
        story._replace(workers=1),
        story._replace(merged=True),
        story._replace(grouped=False),
    ]
    return fewer + once + calm + [simpler for simpler in plain if simpler != story]
