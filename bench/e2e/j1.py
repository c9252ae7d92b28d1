"""J1 end to end on Apache Kafka: the worker's lane and core against a plain Faust agent that calls the same engine.

    .venv/bin/python -m bench.e2e.j1 [--customers 10000] [--agent-customers 1000]

Figures: `e2e_j1` (events per CPU-second of the worker process itself, changelog and actions acknowledged),
`e2e_j1_vs_agent`, `restore` (changelog records of J1 restored per second, until the first input may be applied; the
median of several workers, started one after the other).
Actions are counted and the state is summed after each run: a wrong run has no figure, and the exit code is 1.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from bench.j1 import workload
from bench.lane import broker
from bench.report import Figure, report, table
from orchestrator.engine.traits.states import unpack
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer
from orchestrator.stream.broker import EmbeddedKafka

PARTITIONS = 8
EVENTS = "channel.web"
APP = "j1"
CHANGELOG = f"{APP}-customers-changelog"
RESTORES = 5
"""One takes a quarter of a second: anything else that runs shows in it."""
BARS = {"e2e_j1": 30_000, "e2e_j1_vs_agent": 7, "restore": 200_000}


class WrongRunError(Exception):
    """What came out is not what must: the run has no figure."""


class Run:
    """One broker of its own, filled with J1, and the processes that work on it."""

    workload = "j1"

    def __init__(self, folder: Path, customers: int) -> None:
        self.folder = folder
        self.customers = customers
        self.kafka = EmbeddedKafka(folder / "kafka")
        self.count = self.events()

    def events(self) -> int:
        """How many events there are."""
        return self.customers * workload.EVENTS_PER_CUSTOMER

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Key and value of each."""
        return ((key, value) for key, value, _ in workload.events(self.customers, time.time_ns() // 1_000_000))

    def __enter__(self) -> Self:
        self.bootstrap = self.kafka.start()
        topics = [EVENTS, "customer.inputs", "actions", "dead-letter", "tasks", "emitted"]
        asyncio.run(broker.create(self.bootstrap, PARTITIONS, topics, [CHANGELOG, "facts"]))
        self.fill()
        return self

    def fill(self) -> None:
        """Write all events, before anybody reads."""
        asyncio.run(broker.produce(self.bootstrap, EVENTS, PARTITIONS, self.rows()))

    def feed(self, running: subprocess.Popen[bytes]) -> None:
        """What there is to do while a contestant is running: nothing, all is written."""

    def __exit__(self, *_error: object) -> None:
        self.kafka.stop()

    def process(self, mode: str) -> dict[str, Any]:
        """Run a contestant to its end; its result."""
        job = {
            "mode": mode, "app": APP, "bootstrap": self.bootstrap, "partitions": PARTITIONS,
            "data": str(self.folder / mode), "events": EVENTS, "count": self.count, "workload": self.workload,
        }  # fmt: skip
        log = self.folder / f"{mode}.log"
        command = [sys.executable, "-m", "bench.e2e.contestants", json.dumps(job)]
        with log.open("wb") as err, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err) as running:
            try:
                self.feed(running)
                out, _ = running.communicate(timeout=900)
            except BaseException:
                running.kill()
                raise
        lines = out.decode().splitlines()
        if running.returncode or not lines:
            raise WrongRunError(f"{mode} ended with {running.returncode}:\n{log.read_text()[-3000:]}")
        result: dict[str, Any] = json.loads(lines[-1])
        return result

    def check(self) -> None:
        """Sum the state up and count the actions.

        Raises:
            WrongRunError: they are not what they must be.
        """
        state = dict(asyncio.run(broker.read(self.bootstrap, CHANGELOG, PARTITIONS)))
        visits = sum(visits_in(value) for key, value in state.items() if value and b"/user_id:" in (key or b""))
        if visits != self.customers * workload.VISITS_PER_CUSTOMER:
            raise WrongRunError(f"{visits} visits summed, due were {self.customers * workload.VISITS_PER_CUSTOMER}")
        self.check_actions()

    def check_actions(self) -> None:
        """Count the actions.

        Raises:
            WrongRunError: they are not as many as must be, or one came twice.
        """
        sent = [value for _, value in asyncio.run(broker.read(self.bootstrap, "actions", PARTITIONS)) if value]
        ids = {json.loads(value)["id"] for value in sent}
        due = self.customers * workload.ACTIONS_PER_CUSTOMER
        if len(ids) != due or len(sent) != due:
            raise WrongRunError(f"{len(sent)} actions with {len(ids)} ids, due were {due}")


def visits_in(value: bytes) -> int:
    """The events that a customer's record counts."""
    body = decode_node(value).body
    return int(unpack(body.traits["visits"])) if isinstance(body, Customer) and "visits" in body.traits else 0


def measure(folder: Path, customers: int, agent_customers: int) -> list[Figure]:
    rows = []
    with Run(folder / "lane", customers) as run:
        lane = run.process("drain")
        run.check()
        restored = [run.process("restore") for _ in range(RESTORES)]
    with Run(folder / "agent", agent_customers) as run:
        agent = run.process("agent")
        run.check()
    per_cpu = lane["applied"] / lane["cpu"]
    agent_per_cpu = agent["applied"] / agent["cpu"]
    restore = statistics.median(each["records"] / each["wall"] for each in restored)
    for name, result, count in (
        ("worker", lane, lane["applied"]),
        *(("restore", each, each["records"]) for each in restored),
        ("plain agent", agent, agent["applied"]),
    ):
        rows.append((
            name, f"{count:,}", f"{result['wall']:.2f}", f"{result['cpu']:.2f}", f"{count / result['wall']:,.0f}",
            f"{count / result['cpu']:,.0f}", result["rss_mb"],
        ))  # fmt: skip
    table("J1 end to end", ("run", "records", "wall s", "CPU s", "per s", "per CPU-s", "RSS MB"), rows)
    return [
        figure("e2e_j1", per_cpu, "events/CPU-s"),
        figure("e2e_j1_vs_agent", per_cpu / agent_per_cpu, "times"),
        figure("restore", restore, "records/s"),
    ]


def figure(name: str, value: float, unit: str) -> Figure:
    return Figure(name, round(value, 1), unit, BARS[name], value >= BARS[name])


def told(measured: Callable[[Path], list[Figure]]) -> int:
    """Measure in a folder that goes afterwards, and report; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            figures = measured(Path(folder))
        except WrongRunError as error:
            print(f"wrong run, no figure: {error}", file=sys.stderr)
            return 1
    report(figures)
    return 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=10_000)
    options.add_argument("--agent-customers", type=int, default=1_000)
    asked = options.parse_args()
    return told(lambda folder: measure(folder, asked.customers, asked.agent_customers))


if __name__ == "__main__":
    sys.exit(main())
