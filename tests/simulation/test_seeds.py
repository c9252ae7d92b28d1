"""The stream's real code in a simulated world: whatever crashes, repeats or overtakes, the promises hold."""

import os

from tests.simulation.simulator.play import failure_of, run_seed

FIRST = int(os.environ.get("SEED", "0"))
SEEDS = 1 if "SEED" in os.environ else int(os.environ.get("SEEDS", "500"))


def test_no_seed_breaks_a_promise() -> None:
    for seed in range(FIRST, FIRST + SEEDS):
        if run_seed(seed) is not None:
            raise AssertionError(str(failure_of(seed)))
