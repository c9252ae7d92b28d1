"""Where the engine's time goes on J1: microseconds for each kind of event, for writing, and cold against warm memory.

    .venv/bin/python -m bench.shares [--customers 10000]

The profile behind `engine_j1_1000`. "Writing" is what a batch does once for each customer it has touched: due time,
facts waited for, encoding. With few customers everything stays in the processor's caches; what the same work costs
more with many is the fetching of records from memory.
"""

import argparse
import time
from collections import defaultdict

from bench.engine import drive
from bench.j1 import workload
from bench.report import table
from orchestrator.engine.facts import Facts
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.partition import LARGEST, Partition
from orchestrator.stream.lane.records import Batch, Record
from orchestrator.stream.lane.step import Step
from orchestrator.stream.worker import tune_collector

SCENARIOS = 100
FEW = 200
Shares = dict[str, tuple[int, float]]


class TimedStep(Step):
    """A step that measures each event, by its place in the story."""

    shares: defaultdict[str, list[float]]
    reached: defaultdict[bytes | None, int]

    def event(self, record: Record, channel: str) -> None:
        place = self.reached[record.key]
        self.reached[record.key] += 1
        began = time.perf_counter()
        super().event(record, channel)
        self.shares[f"{place + 1:2} {workload.STORY[place][0]}"].append(time.perf_counter() - began)


class TimedCore(CustomerCore):
    """A core that measures where its batches spend their time."""

    def __init__(self) -> None:
        super().__init__(workload.program(SCENARIOS), Facts(), ("channel.web",), 1)
        self.shares: defaultdict[str, list[float]] = defaultdict(list)
        self.reached: defaultdict[bytes | None, int] = defaultdict(int)

    def _step(self, owned: Partition) -> Step:
        step = TimedStep(owned, self.engine_of(owned), self.partitions, self.tokens)
        step.shares, step.reached = self.shares, self.reached
        return step

    def _batch(self, owned: Partition, step: Step, offsets: dict[str, int], now: int, largest: int = LARGEST) -> Batch:
        began = time.perf_counter()
        batch = super()._batch(owned, step, offsets, now, largest)
        self.shares["writing"].append(time.perf_counter() - began)
        return batch


def measure(customers: int) -> tuple[float, Shares]:
    """Microseconds an event in all, and of each share (how many, microseconds in all)."""
    core = TimedCore()
    spent, _, _ = drive(core, customers, time.perf_counter)
    each = {name: (len(took), sum(took) * 1e6) for name, took in core.shares.items()}
    return spent / (customers * workload.EVENTS_PER_CUSTOMER) * 1e6, each


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=10_000)
    given = options.parse_args()
    tune_collector()
    events = given.customers * workload.EVENTS_PER_CUSTOMER
    few = min(FEW, given.customers)
    whole, cold = measure(given.customers)
    warm_whole, warm = measure(few)
    rows = [
        (
            name,
            f"{spent / count if name != 'writing' else spent / events:.1f}",
            f"{warm[name][1] / (warm[name][0] if name != 'writing' else few * workload.EVENTS_PER_CUSTOMER):.1f}",
            f"{spent / events / whole:.0%}",
        )
        for name, (count, spent) in sorted(cold.items(), key=lambda item: -item[1][1])
    ]
    rows.append(("an event in all", f"{whole:.1f}", f"{warm_whole:.1f}", "100%"))
    columns = ("event", f"µs, {given.customers:,}", f"µs, {few}", "part")
    table(f"Where the engine's time goes, J1 with {given.customers:,} and {few} customers", columns, rows)


if __name__ == "__main__":
    main()
