"""`make simulate`: many seeds and the planted defects; their figures go to bench/ledger.csv.

SEED=7 plays one seed and tells everything.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple

from bench.report import Figure, enter, report
from tests.simulation.simulator.defects import DEFECTS, caught_by
from tests.simulation.simulator.faults import Fault, Met
from tests.simulation.simulator.play import Draw, failure_of, run_seeds, run_story, too_rare
from tests.simulation.simulator.story import DRAWS

AT_ONCE: Final = 250
TOLD: Final = 10
"""How often the seeds that are done are told."""
SHRUNK: Final = 3
"""How many of the failing seeds are made small and told whole; the others are named."""
SEEDS_BAR: Final = 20_000
RATE_BAR: Final = 50.0
DEFECTS_BAR: Final = 25


def say(text: object) -> None:
    """To standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Played(NamedTuple):
    """What came of many seeds.

    Attributes:
        failed: (way of drawing, seed) of those that break a promise.
        mixed, others: in how many of the mixed seeds, and of the others, each trouble came.
        seeds: how many were mixed, and how many not.
        seconds: of the processor.
    """

    failed: list[tuple[int, int]]
    mixed: Met
    others: Met
    seeds: tuple[int, int]
    seconds: float


def played(first: int, last: int, draw: int) -> tuple[list[int], Met, float]:
    """The seeds from `first` to before `last` that break a promise, their troubles, and the seconds that they took."""
    began = time.process_time()
    failed, met = run_seeds(range(first, last), DRAWS[draw])
    return failed, met, time.process_time() - began


def simulate(first: int, seeds: int, processes: int) -> Played:
    """So many seeds from `first` on, drawn in every way.

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
    mixed, others = Met(), Met()
    seconds, done, told = 0.0, 0, 0
    with ProcessPoolExecutor(processes) as pool:
        for (begin, end, draw), (bad, met, took) in zip(jobs, pool.map(played, *zip(*jobs, strict=True)), strict=True):
            (others if draw else mixed).update(met)
            failed += [(draw, seed) for seed in bad]
            seconds += took
            done += end - begin
            if done * TOLD // seeds > told:
                told = done * TOLD // seeds
                say(f"{done:,} of {seeds:,} seeds, {len(failed)} of them break a promise")
    return Played(failed, mixed, others, (shares[0], sum(shares[1:])), seconds)


def show(came: Played) -> list[str]:
    """Say in how many seeds each trouble came; gives those that came too seldom."""
    mixed, others = (max(1, count) for count in came.seeds)
    for fault in Fault:
        say(f"{fault:<60} {100 * came.mixed[fault] / mixed:5.1f}% {100 * came.others[fault] / others:5.1f}%")
    return too_rare(came.mixed, came.seeds[0])


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
    came = simulate(given.first, given.seeds, given.processes)
    for draw, seed in came.failed[:SHRUNK]:
        say(failure_of(seed, DRAWS[draw]))
    for draw, seed in came.failed[SHRUNK:]:
        say(f"also: make simulate SEED={seed} DRAW={DRAWS[draw].__name__}")
    rare = show(came)
    say(f"too seldom: {rare}" if rare else "every trouble came")
    missed = plant(given.processes)
    failed, rate = came.failed, given.seeds / came.seconds
    held, found = given.seeds - len(failed), len(DEFECTS) - len(missed)
    figures = [
        Figure("simulated_seeds", held, "seeds", SEEDS_BAR, not failed and held >= SEEDS_BAR),
        Figure("simulated_seeds_per_s", round(rate, 1), "1/s", RATE_BAR, rate >= RATE_BAR),
        Figure("planted_defects_caught", found, "defects", DEFECTS_BAR, not missed and found >= DEFECTS_BAR),
    ]
    report(figures)
    enter(figures)
    return 1 if failed or missed or rare else 0


if __name__ == "__main__":
    sys.exit(main())
