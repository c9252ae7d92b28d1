"""The stream's real code in a simulated world: whatever crashes, repeats or overtakes, the promises hold."""

from tests.simulation.simulator.play import failure_of, run_seed

SEEDS = 500


def test_no_seed_breaks_a_promise() -> None:
    for seed in range(SEEDS):
        if run_seed(seed) is not None:
            raise AssertionError(str(failure_of(seed)))
