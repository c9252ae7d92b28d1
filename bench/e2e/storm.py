"""J4, the identity storm, on Apache Kafka: how much of J1's throughput is left while strangers become the same people.

    .venv/bin/python -m bench.e2e.storm [--customers 12000] [--rounds 3]

Figures: `identity_storm` (events per CPU-second of the worker in the storm, as a part of J1's in the same run, fed and
measured the same way; the median of the rounds), `merge_hops_p99` (trips through `customer.inputs` of 99% of what went
there: messages between nodes, and events whose customer lives under another name, until each was handled; events that
never went there do not count).
Groups, sums and actions are compared with what must be after each run: a wrong run has no figure.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.e2e.fed import FedRun
from bench.e2e.j1 import CHANGELOG, PARTITIONS, WrongRunError, told, visits_in
from bench.j1 import storm
from bench.lane import broker
from bench.report import Figure, table
from orchestrator.engine.identity.work import members
from orchestrator.engine.traits.states import unpack
from orchestrator.engine.traits.sums import Ledger
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer
from orchestrator.model.ids import node_key

BARS = {"identity_storm": 0.5, "merge_hops_p99": 4}


class StormRun(FedRun):
    """The storm on a broker of its own."""

    workload = "storm"

    def events(self) -> int:
        return storm.count(self.customers)

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        return ((key, value) for key, value, _ in storm.events(self.customers, time.time_ns() // 1_000_000))

    def check(self) -> None:
        """Every person is one, under each of their names, with all that they did; every message went out once.

        Raises:
            WrongRunError: not so.
        """
        state = {key: value for key, value in asyncio.run(broker.read(self.bootstrap, CHANGELOG, PARTITIONS)) if key}
        found = (_fault(state, person) for person in range(self.customers // storm.NAMES))
        if wrong := [fault for fault in found if fault]:
            raise WrongRunError(f"{len(wrong)} of {self.customers // storm.NAMES} people: {'; '.join(wrong[:3])}")
        self.check_actions()


def _fault(state: Mapping[bytes, bytes | None], person: int) -> str:
    """What is wrong where a person's three names are not one customer, or its sums not those of all three."""
    names = storm.names(person)
    nodes = [decode_node(value) for name in names if (value := state.get(node_key("default", name)))]
    if len(nodes) != storm.NAMES or any(node.to != names[0] or node.body for node in nodes[1:]):
        return f"{names} lead to {[(node.to, node.epoch, node.body is not None) for node in nodes]}"
    customer = nodes[0].body
    if nodes[0].to is not None or not isinstance(customer, Customer) or set(members(customer)) != set(names):
        return f"{names[0]} has the family {customer.family if isinstance(customer, Customer) else None}"
    visits = visits_in(state[node_key("default", names[0])] or b"")
    balance = Ledger().read(unpack(customer.traits["points"]), customer.now)
    if (visits, balance) != (storm.VISITS_PER_PERSON, storm.POINTS_PER_PERSON):
        return f"{names[0]} has {visits} visits and {balance} points"
    return ""


def percentile(hops: Mapping[int, int], part: float) -> int:
    """The smallest number of hops that so many of all messages did with."""
    needed, passed = part * sum(hops.values()), 0
    for number in sorted(hops):
        passed += hops[number]
        if passed >= needed:
            return number
    raise WrongRunError("no message has gone through customer.inputs")


def measure(folder: Path, customers: int, rounds: int) -> list[Figure]:
    rows, shares, hops = [], [], Counter[int]()
    for number in range(rounds):
        rates = {}
        for kind in (FedRun, StormRun):
            with kind(folder / f"{kind.workload}-{number}", customers) as run:
                result = run.process("drain")
                run.check()
            rates[kind.workload] = result["applied"] / result["cpu"]
            rows.append(_row(kind.workload, result))
            if kind is StormRun:
                hops.update({int(count): times for count, times in result["hops"].items()})
        shares.append(rates["storm"] / rates["j1"])
    table("The identity storm", ("run", "events", "wall s", "CPU s", "per CPU-s", "changelog", "RSS MB"), rows)
    total = sum(hops.values())
    table(
        "Hops", ("hops", "messages", "%"), [(n, f"{hops[n]:,}", f"{100 * hops[n] / total:.2f}") for n in sorted(hops)]
    )
    share, p99 = statistics.median(shares), percentile(hops, 0.99)
    return [
        Figure("identity_storm", round(share, 3), "of J1", BARS["identity_storm"], share >= BARS["identity_storm"]),
        Figure("merge_hops_p99", p99, "hops", BARS["merge_hops_p99"], p99 <= BARS["merge_hops_p99"]),
    ]


def _row(name: str, result: dict[str, Any]) -> tuple[object, ...]:
    return (
        name, f"{result['applied']:,}", f"{result['wall']:.2f}", f"{result['cpu']:.2f}",
        f"{result['applied'] / result['cpu']:,.0f}", f"{result['changelog']:,}", result["rss_mb"],
    )  # fmt: skip


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=12_000)
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args()
    return told(lambda folder: measure(folder, asked.customers, asked.rounds))


if __name__ == "__main__":
    sys.exit(main())
