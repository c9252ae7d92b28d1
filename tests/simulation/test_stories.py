"""What the seeds draw: people, partitions and troubles of every kind, and the same each time."""

import pytest

from tests.simulation.simulator.checks import check_quiet
from tests.simulation.simulator.clean import check_clean, check_profiles, has_one_outcome, is_free_of_chance
from tests.simulation.simulator.faults import Fault
from tests.simulation.simulator.play import run_seeds, run_story, too_rare
from tests.simulation.simulator.simulation import Simulation
from tests.simulation.simulator.story import MODES, Troubles, draw_story
from tests.simulation.simulator.violation import ViolationError

MANY = 300


def test_a_seed_draws_the_same_story_and_runs_it_the_same_way() -> None:
    runs = []
    for _ in range(2):
        trace: list[str] = []
        run_story(draw_story(7), trace.append)
        runs.append(trace)
    assert runs[0] == runs[1]
    assert len(runs[0]) > 10


def test_a_story_free_of_chance_is_compared_with_a_clean_run() -> None:
    """What the troubled run has not seen, the clean one does: then they differ."""
    story = next(story for seed in range(MANY) if is_free_of_chance(story := draw_story(seed)))
    run = Simulation(story)
    run.run()
    outcome = check_quiet(run)
    check_clean(run, outcome.customers)
    more = b'{"id": "more", "source": "shop", "type": "seen", "data": {"user_id": "u0"}}'
    run.broker.append("channel.web", 0, b"default/user_id:u0", more)
    with pytest.raises(ViolationError, match="without trouble"):
        check_clean(run, outcome.customers)


def test_what_people_are_is_compared_with_a_run_without_trouble() -> None:
    """Also where they become one: an event that only one of the runs has seen makes them differ."""
    stories = [story for seed in range(MANY) if has_one_outcome(story := draw_story(seed)) and story.mode == "unique"]
    assert len(stories) > MANY // 20
    run = Simulation(stories[0])
    run.run()
    outcome = check_quiet(run)
    check_profiles(run, outcome.customers)
    more = b'{"id": "more", "source": "shop", "type": "seen", "data": {"user_id": "u0"}}'
    run.broker.append("channel.web", 0, b"default/user_id:u0", more)
    with pytest.raises(ViolationError, match="without trouble"):
        check_profiles(run, outcome.customers)


def test_every_mode_and_every_number_of_partitions_and_workers_is_drawn() -> None:
    stories = [draw_story(seed) for seed in range(MANY)]
    assert {story.mode for story in stories} == set(MODES)
    assert {story.partitions for story in stories} == {1, 2, 3, 4}
    assert {story.workers for story in stories} == {1, 2, 3}
    assert {2, 9} <= {sum(one.type not in {"level", "erase"} for one in story.happenings) for story in stories}


def test_a_trouble_that_never_comes_is_found() -> None:
    """Stories without crashes have none; the count says so."""
    calm = Troubles(crash=0.0, lose=0.0, release=0.0, hours=0.2, repeat=0.0)
    _, met = run_seeds(range(40), lambda seed: draw_story(seed)._replace(troubles=calm))
    rare = too_rare(met, 40, dict.fromkeys((Fault.CRASH_BEFORE_WRITING, Fault.REPLAY, Fault.ECHO, Fault.TICK), 0.01))
    assert [line.partition(":")[0] for line in rare] == [Fault.CRASH_BEFORE_WRITING, Fault.REPLAY, Fault.ECHO]
