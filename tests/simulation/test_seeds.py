"""The stream's real code in a simulated world: whatever crashes, repeats or overtakes, the promises hold."""

import pytest

from tests.simulation.simulator.faults import LEAST, LEAST_DEEP, LEAST_DENIED, LEAST_RETIRED
from tests.simulation.simulator.play import Draw, failure_of, run_seeds, too_rare
from tests.simulation.simulator.story import DRAWS, draw_deep, draw_denied, draw_retired, draw_story

MIXED, CLOSE = 500, 60
"""How many seeds are drawn in the way that mixes everything, and in each that looks closely."""
DUE = {
    draw_story.__name__: LEAST,
    draw_deep.__name__: LEAST_DEEP,
    draw_denied.__name__: LEAST_DENIED,
    draw_retired.__name__: LEAST_RETIRED,
}
"""In which share of these seeds each trouble must come."""


@pytest.mark.parametrize(("draw", "seeds"), [(draw, MIXED if draw is draw_story else CLOSE) for draw in DRAWS])
def test_no_seed_breaks_a_promise(draw: Draw, seeds: int) -> None:
    failed, met = run_seeds(range(seeds), draw)
    if failed:
        raise AssertionError(str(failure_of(failed[0], draw)))
    assert too_rare(met, seeds, DUE.get(draw.__name__, {})) == [], "a trouble that hardly comes proves nothing"
