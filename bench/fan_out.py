"""J3: what scenarios cost that do not match an event, and what those cost that do.

Figure: `j3_slope`, the cost of 999 scenarios that do not match as a part of the events per second with one. It is a
few hundredths on machines whose speed varies by a quarter, so the two are measured in turn, and the figure is the
median of the pairs.
"""

import argparse
import statistics
import time

from bench.engine import BATCH
from bench.j1 import workload
from bench.report import Figure, report, table
from orchestrator.engine.facts import Facts
from orchestrator.engine.program.plan import Program
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Record
from orchestrator.stream.worker import tune_collector

BAR = 0.05
ROUNDS = 5
PAIRS = 41


def records(customers: int) -> list[Record]:
    """Page views only: the events that most scenarios of the bundle listen to."""
    return [
        Record("channel.web", 0, offset, at, key, value)
        for offset, (key, value, at) in enumerate(workload.events(customers))
        if b'"page_viewed"' in value
    ]


def rate(program: Program, given: list[Record]) -> float:
    """Events per CPU-second."""
    core = CustomerCore(program, Facts(), ("channel.web",), 1)
    state: dict[bytes, bytes] = {}
    state.update(core.assigned(0, state, {}, workload.START).changelog)  # type: ignore[arg-type]
    began = time.process_time()
    for first in range(0, len(given), BATCH):
        batch = core.process(0, given[first : first + BATCH], workload.START)
        state.update(batch.changelog)  # type: ignore[arg-type]
        core.committed(0, batch.offsets)
    return len(given) / (time.process_time() - began)


def slope(given: list[Record]) -> float:
    """What 999 scenarios that do not match take away of the rate with one; not below 0."""
    programs = {count: workload.program(count) for count in (1, 1_000)}
    left = []
    for pair in range(PAIRS):
        order = (1, 1_000) if pair % 2 else (1_000, 1)
        measured = {count: rate(programs[count], given) for count in order}
        left.append(measured[1_000] / measured[1])
    return max(0.0, 1 - statistics.median(left))


def matching(count: int) -> dict[str, bytes]:
    """Scenarios that every page view of the first page enters, and leaves again at once."""
    documents = [
        f"scenario: match_{number}\n"
        "entry: {on: page_viewed, where: 'event.page == \"/lp/lumo-1\"', if_live: restart}\n"
        "goal: {on: order_placed, keep_watching: 0s}\n"
        "steps:\n  - {id: done, end: {}}\n"
        for number in range(count)
    ]
    return {"matching.yaml": "---\n".join(documents).encode()} if documents else {}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, default=2_000)
    options.add_argument("--most", type=int, default=10_000, help="the largest number of scenarios")
    asked = options.parse_args()
    tune_collector()
    given = records(asked.customers)
    counts = [count for count in (1, 10, 100, 1_000, 10_000) if count <= asked.most]
    rates: dict[tuple[int, int], float] = {}
    for hits in (0, 1, 10):
        programs = {count: workload.program(count, matching(hits)) for count in counts}
        measured: dict[int, list[float]] = {count: [] for count in counts}
        for _ in range(ROUNDS):
            for count, program in programs.items():
                measured[count].append(rate(program, given))
        rates.update({(count, hits): statistics.median(measured[count]) for count in counts})
    table(
        "Page views per CPU-second, by scenarios loaded and scenarios that match",
        ("scenarios", "0 match", "1 matches", "10 match"),
        [(f"{count:,}", *(f"{rates[count, hits]:,.0f}" for hits in (0, 1, 10))) for count in counts],
    )
    value = slope(given)
    report([Figure("j3_slope", round(value, 4), "part", BAR, value <= BAR)])


if __name__ == "__main__":
    main()
