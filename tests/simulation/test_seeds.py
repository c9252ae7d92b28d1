"""The stream's real code in a simulated world: whatever crashes, repeats or overtakes, the promises hold."""

import pytest

from tests.simulation.simulator.play import Draw, failure_of, run_seed
from tests.simulation.simulator.story import DRAWS, draw_story


@pytest.mark.parametrize(("draw", "seeds"), [(draw, 500 if draw is draw_story else 60) for draw in DRAWS])
def test_no_seed_breaks_a_promise(draw: Draw, seeds: int) -> None:
    for seed in range(seeds):
        if run_seed(seed, draw) is not None:
            raise AssertionError(str(failure_of(seed, draw)))
