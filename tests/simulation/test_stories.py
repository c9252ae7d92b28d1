"""What the seeds draw: every kind of trouble that the simulator claims to have, and the same each time."""

from collections import Counter

import pytest

from tests.simulation.simulator.checks import check_quiet
from tests.simulation.simulator.clean import check_clean, is_free_of_chance
from tests.simulation.simulator.play import run_story
from tests.simulation.simulator.simulation import Simulation
from tests.simulation.simulator.story import MODES, draw_story
from tests.simulation.simulator.violation import ViolationError

MANY = 300
TROUBLES = {
    "a crash": "crashes",
    "a zombie that writes on": "is lost, and does not know",
    "a zombie that finds out": "finds out",
    "a rebalance without a crash": "gives up in order",
    "outboxes sent again": "sends 1 again",
    "a duplicate": "told again",
    "a message that comes again": "again: customer.inputs",
    "a tick": "ticks",
    "a release in mid-flight": "release 2 is published",
    "a release after that": "release 3 is published",
    "workers that switch at different moments": "reads of release",
    "rows that change": "level",
    "a parcel": "absorb",
    "a refusal": "Refused(",
    "a cut": "split",
    "a logout": "Reset(",
    "an erasure": "Erase(",
    "a reference": "Refer(",
    "what nobody owned": "dead-letter",
    "writes of somebody else at a take-over": "finds somebody else's writes",
    "a release that a worker has not read": "misses a release",
}


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


def test_every_mode_and_every_number_of_partitions_and_workers_is_drawn() -> None:
    stories = [draw_story(seed) for seed in range(MANY)]
    assert {story.mode for story in stories} == set(MODES)
    assert {story.partitions for story in stories} == {1, 2, 3, 4}
    assert {story.workers for story in stories} == {1, 2, 3}
    assert {2, 9} <= {sum(one.type not in {"level", "erase"} for one in story.happenings) for story in stories}


def test_every_kind_of_trouble_happens() -> None:
    seen: Counter[str] = Counter()
    for seed in range(MANY):
        trace: list[str] = []
        run_story(draw_story(seed), trace.append)
        text = "\n".join(trace)
        seen.update(name for name, words in TROUBLES.items() if words in text)
    assert not set(TROUBLES) - set(seen), f"never in {MANY} seeds: {set(TROUBLES) - set(seen)}"
