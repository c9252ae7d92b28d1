"""The engine alone, no Kafka: decode, advance, encode, on J1, with 1, 100 and 1,000 scenarios loaded."""

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import chain

from bench.j1 import workload
from bench.report import Figure, report, table
from orchestrator.engine.facts import Facts
from orchestrator.engine.traits.states import unpack
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Outgoing, Record
from orchestrator.stream.worker import tune_collector

BATCH = 500
BAR = 50_000


def run(scenarios: int, customers: int) -> float:
    """Events per CPU-second; raises where an action or a sum is missing."""
    core = CustomerCore(workload.program(scenarios), Facts(), ("channel.web",), 1)
    spent, table, sends = drive(core, customers, time.process_time)
    check(table, sum(1 for send in sends if send.topic == "actions"), customers)
    return customers * workload.EVENTS_PER_CUSTOMER / spent


def drive(
    core: CustomerCore, customers: int, clock: Callable[[], float]
) -> tuple[float, dict[bytes, bytes], Iterator[Outgoing]]:
    """Put J1 through a core in batches: the seconds that took by that clock, the table, and what was sent."""
    records = [
        Record("channel.web", 0, offset, at, key, value)
        for offset, (key, value, at) in enumerate(workload.events(customers))
    ]
    table: dict[bytes, bytes] = {}
    for key, value in core.assigned(0, table, {}, workload.START).changelog:
        table[key] = value or b""
    waiting = []
    began = clock()
    for first in range(0, len(records), BATCH):
        batch = core.process(0, records[first : first + BATCH], workload.START)
        table.update(batch.changelog)  # type: ignore[arg-type]
        core.committed(0, batch.offsets)
        waiting.append(batch.sends)
    return clock() - began, table, chain.from_iterable(waiting)


def check(table: dict[bytes, bytes], actions: int, customers: int) -> None:
    """A wrong run has no figure."""
    bodies = [decode_node(value).body for key, value in table.items() if b"/user_id:" in key]
    found = [body for body in bodies if isinstance(body, Customer)]
    visits = sum(unpack(body.traits["visits"]) for body in found)
    if actions != customers * workload.ACTIONS_PER_CUSTOMER:
        raise AssertionError(f"{actions} actions instead of {customers * workload.ACTIONS_PER_CUSTOMER}")
    if visits != customers * workload.VISITS_PER_CUSTOMER:
        raise AssertionError(f"{visits} visits summed instead of {customers * workload.VISITS_PER_CUSTOMER}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--customers", type=int, default=10_000)
    arguments.add_argument("--runs", type=int, default=3)
    given = arguments.parse_args()
    tune_collector()
    rows, figures = [], []
    for scenarios in (1, 100, 1_000):
        rates = sorted(run(scenarios, given.customers) for _ in range(given.runs))
        median = rates[len(rates) // 2]
        rows.append((scenarios, f"{median:,.0f}", f"{rates[0]:,.0f}", f"{rates[-1]:,.0f}"))
        if scenarios == 1_000:
            figures.append(Figure("engine_j1_1000", round(median), "events/s", BAR, median >= BAR))
        else:
            figures.append(Figure(f"engine_j1_{scenarios}", round(median), "events/s", None, None))
    table("Engine alone, J1, events per CPU-second on one core", ("scenarios", "median", "lowest", "highest"), rows)
    report(figures)


if __name__ == "__main__":
    main()
