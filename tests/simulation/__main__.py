"""`make simulate`: many seeds and the planted defects; their figures go to bench/ledger.csv.

SEED=7 plays one seed and tells everything.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from bench.report import Figure, enter, report
from tests.simulation.simulator.defects import DEFECTS, caught_by
from tests.simulation.simulator.play import Draw, failure_of, run_seed, run_story
from tests.simulation.simulator.story import DRAWS

AT_ONCE: Final = 250
TOLD: Final = 10
"""How often the seeds that are done are told."""
SEEDS_BAR: Final = 20_000
RATE_BAR: Final = 50.0
DEFECTS_BAR: Final = 25


def say(text: object) -> None:
    """To standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def failing(first: int, last: int, draw: int) -> tuple[list[int], float]:
    """The seeds from `first` to before `last` that break a promise, and the CPU seconds that they all took."""
    began = time.process_time()
    return [seed for seed in range(first, last) if run_seed(seed, DRAWS[draw]) is not None], time.process_time() - began


def simulate(first: int, seeds: int, processes: int) -> tuple[list[tuple[int, int]], float]:
    """So many seeds from `first` on, drawn in every way: (way, seed) of those that fail, and seeds a second on a core.

    One of twenty is drawn in each of the ways that look closely, the others mixed.
    """
    close = len(DRAWS) - 1
    shares = [seeds - close * (seeds // 20), *[seeds // 20] * close]
    jobs = [
        (start, min(start + AT_ONCE, first + share), draw)
        for draw, share in enumerate(shares)
        for start in range(first, first + share, AT_ONCE)
    ]
    failed: list[tuple[int, int]] = []
    seconds, done, told = 0.0, 0, 0
    with ProcessPoolExecutor(processes) as pool:
        for (start, end, draw), (bad, took) in zip(jobs, pool.map(failing, *zip(*jobs, strict=True)), strict=True):
            failed += [(draw, seed) for seed in bad]
            seconds += took
            done += end - start
            if done * TOLD // seeds > told:
                told = done * TOLD // seeds
                say(f"{done:,} of {seeds:,} seeds, {len(failed)} of them break a promise")
    return failed, seeds / seconds


def tell(seed: int, draw: Draw) -> int:
    """One seed, with everything that happens."""
    failure = failure_of(seed, draw)
    if failure is not None:
        say(failure)
        return 1
    run_story(draw(seed), say)
    say(f"seed {seed}: every promise holds")
    return 0


def caught(number: int) -> int | None:
    """The seed that notices a planted defect."""
    return caught_by(DEFECTS[number])


def plant(processes: int) -> list[str]:
    """The defects that nothing notices; each defect with the seed that notices it is shown."""
    missed = []
    with ProcessPoolExecutor(processes) as pool:
        for defect, seed in zip(DEFECTS, pool.map(caught, range(len(DEFECTS))), strict=True):
            say(f"{defect.name:<55} {'missed by' if seed is None else f'seed {seed} of'} {defect.within}")
            if seed is None:
                missed.append(defect.name)
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS") or SEEDS_BAR))
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, default=int(os.environ["SEED"]) if os.environ.get("SEED") else None)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--draw", default=os.environ.get("DRAW") or "draw_story", help="the way that a seed is drawn")
    given = parser.parse_args()
    if given.seed is not None:
        return tell(given.seed, next(draw for draw in DRAWS if draw.__name__ == given.draw))
    failed, rate = simulate(given.first, given.seeds, given.processes)
    for draw, seed in failed[:3]:
        say(failure_of(seed, DRAWS[draw]))
    missed = plant(given.processes)
    held, found = given.seeds - len(failed), len(DEFECTS) - len(missed)
    figures = [
        Figure("simulated_seeds", held, "seeds", SEEDS_BAR, not failed and held >= SEEDS_BAR),
        Figure("simulated_seeds_per_s", round(rate, 1), "1/s", RATE_BAR, rate >= RATE_BAR),
        Figure("planted_defects_caught", found, "defects", DEFECTS_BAR, not missed and found >= DEFECTS_BAR),
    ]
    report(figures)
    enter(figures)
    return 1 if failed or missed else 0


if __name__ == "__main__":
    sys.exit(main())
