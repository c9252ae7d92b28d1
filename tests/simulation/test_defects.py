"""The simulator is checked, too: what is broken in the real code, it notices."""

import pytest

from tests.simulation.simulator.defects import DEFECTS, Defect, caught_by, planted
from tests.simulation.simulator.play import failure_of, run_seed


@pytest.mark.parametrize("defect", [pytest.param(d, id=d.name) for d in DEFECTS])
def test_a_planted_defect_is_noticed(defect: Defect) -> None:
    """Within the number of seeds that it states, drawn in the way that looks for it."""
    assert caught_by(defect) is not None


def test_a_failure_says_how_to_see_it_again_in_the_smallest_story() -> None:
    defect = next(one for one in DEFECTS if one.name == "events are counted as often as they come")
    with planted(defect):
        seed = next(seed for seed in range(defect.within) if run_seed(seed) is not None)
        failure = failure_of(seed)
        again = failure_of(seed)
    assert failure is not None
    assert "is known to" in failure.broken
    assert len(failure.story.happenings) == 1, "one event that comes twice is enough"
    assert (failure.story.partitions, failure.story.workers, failure.story.releases) == (1, 1, ())
    assert f"make simulate SEED={seed}" in str(failure)
    assert str(failure) == str(again), "the same seed tells the same story"


def test_what_is_planted_is_gone_afterwards() -> None:
    for defect in DEFECTS[:3]:
        with planted(defect):
            pass
    assert all(run_seed(seed) is None for seed in range(20))
