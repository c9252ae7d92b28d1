"""The lab's tiny job through the production lane and through a plain Faust agent, and the lane's restore.

    .venv/bin/python bench/lane/tiny.py [--events 1000000] [--agent-events 60000] [--bootstrap HOST:PORT]

Figures (one JSON line each, at the end): `lane_tiny`, `lane_tiny_vs_agent`, `lane_restore`. Each is per CPU-second
of the worker process itself, changelog and actions acknowledged. The state is summed up and the actions are
counted after each run: a wrong run has no figure, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.lane import broker, job
from orchestrator.stream.broker import EmbeddedKafka

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTITIONS = 8
BARS = {"lane_tiny": 100_000, "lane_tiny_vs_agent": 20, "lane_restore": 200_000}
UNITS = {"lane_tiny": "events/CPU-s", "lane_tiny_vs_agent": "times", "lane_restore": "records/s"}


class WrongRunError(Exception):
    """What came out is not what must: the run has no figure."""


class Bench:
    """One broker, one input, any number of runs."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.mark = uuid.uuid4().hex[:6]

    def fill(self, name: str, count: int) -> int:
        """Write an input topic; how many actions it must lead to."""
        due = 0

        def counted() -> Iterator[tuple[bytes, bytes]]:
            nonlocal due
            for key, value in job.events(count):
                due += b'"purchase"' in value
                yield key, value

        asyncio.run(broker.create(self.bootstrap, PARTITIONS, [f"{name}-{self.mark}"]))
        asyncio.run(broker.produce(self.bootstrap, f"{name}-{self.mark}", PARTITIONS, counted()))
        return due

    def run(self, mode: str, app: str, events: str, count: int) -> dict[str, Any]:
        """One process; its result. `restore` starts an application again that has run before."""
        name = f"{app}-{self.mark}"
        actions, changelog = f"{name}-actions", f"{name}-customers-changelog"
        if mode != "restore":
            asyncio.run(broker.create(self.bootstrap, PARTITIONS, [actions], [changelog]))
        what = {
            "mode": mode,
            "app": name,
            "bootstrap": self.bootstrap,
            "partitions": PARTITIONS,
            "data": str(self.folder / name),
            "events": f"{events}-{self.mark}",
            "actions": actions,
            "count": count,
        }
        contestant = Path(__file__).with_name("contestants.py")
        log = self.folder / f"{name}-{mode}.log"
        with log.open("wb") as err:
            done = subprocess.run(
                [sys.executable, str(contestant), json.dumps(what)],
                stdout=subprocess.PIPE,
                stderr=err,
                timeout=600,
                check=False,
            )
        lines = done.stdout.decode().splitlines()
        if done.returncode or not lines:
            raise WrongRunError(f"{name} ended with {done.returncode}:\n{log.read_text()[-2000:]}")
        result: dict[str, Any] = json.loads(lines[-1])
        return result

    def check(self, app: str, count: int, actions: int) -> None:
        """Sum the state up and count the actions.

        Raises:
            WrongRunError: they are not what they must be.
        """
        name = f"{app}-{self.mark}"
        state = dict(asyncio.run(broker.read(self.bootstrap, f"{name}-customers-changelog", PARTITIONS)))
        counted = sum(map(counted_in, filter(None, state.values())))
        sent = [value for _, value in asyncio.run(broker.read(self.bootstrap, f"{name}-actions", PARTITIONS))]
        ids = {orjson.loads(value)["id"] for value in sent if value}
        if counted != count or len(ids) != actions or len(sent) != actions:
            raise WrongRunError(
                f"{name}: {counted} of {count} events in the state; "
                f"{len(sent)} actions with {len(ids)} ids, due were {actions}"
            )


def counted_in(value: bytes) -> int:
    """The events that a value counts: JSON of the agent, head and msgpack of the lane."""
    if value[:1] == b"{":
        return int(orjson.loads(value)["n"])
    return job.decode_state(value[job.HEAD :]).n


def table(rows: list[dict[str, Any]]) -> None:
    print(f"\n{'run':<14}{'events':>10}{'wall s':>9}{'CPU s':>9}{'events/s':>12}{'per CPU-s':>12}{'RSS MB':>8}  note")
    for row in rows:
        per_second, per_cpu = row["count"] / row["wall"], row["count"] / row["cpu"]
        print(
            f"{row['name']:<14}{row['count']:>10,}{row['wall']:>9.2f}{row['cpu']:>9.2f}"
            f"{per_second:>12,.0f}{per_cpu:>12,.0f}{row['rss_mb']:>8}  {row['note']}"
        )


def measure(bench: Bench, events: int, agent_events: int, rounds: int) -> dict[str, float]:
    rows: list[dict[str, Any]] = []
    due, agent_due = bench.fill("events", events), bench.fill("agent-events", agent_events)
    for index in range(rounds):
        app = f"lane{index}"
        result = bench.run("drain", app, "events", events)
        bench.check(app, events, due)
        note = f"{result['changelog']:,} changelog records in {result['batches']} batches"
        rows.append({**result, "name": "lane", "count": events, "note": note})
        restored = bench.run("restore", app, "events", events)
        rows.append({**restored, "name": "lane restore", "count": restored["records"], "note": "until the first input"})
        app = f"agent{index}"
        result = bench.run("agent", app, "agent-events", agent_events)
        bench.check(app, agent_events, agent_due)
        rows.append({**result, "name": "plain agent", "count": agent_events, "note": "cython_optimizations"})
    table(rows)
    lane = statistics.median(row["count"] / row["cpu"] for row in rows if row["name"] == "lane")
    agent = statistics.median(row["count"] / row["cpu"] for row in rows if row["name"] == "plain agent")
    restore = statistics.median(row["count"] / row["wall"] for row in rows if row["name"] == "lane restore")
    return {"lane_tiny": lane, "lane_tiny_vs_agent": lane / agent, "lane_restore": restore}


@contextlib.contextmanager
def any_broker(bootstrap: str, folder: Path) -> Iterator[str]:
    if bootstrap:
        yield bootstrap
        return
    with EmbeddedKafka(folder / "kafka") as kafka:
        yield kafka.bootstrap


def main() -> int:
    options = argparse.ArgumentParser(description="The tiny job: lane against plain agent, and restore.")
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--agent-events", type=int, default=40_000)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--bootstrap", default="", help="a running broker; without it an embedded one is started")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, any_broker(asked.bootstrap, Path(folder)) as bootstrap:
        try:
            figures = measure(Bench(bootstrap, Path(folder)), asked.events, asked.agent_events, asked.rounds)
        except WrongRunError as error:
            print(f"wrong run, no figure: {error}", file=sys.stderr)
            return 1
    for name, value in figures.items():
        line = {
            "figure": name,
            "value": round(value, 1),
            "unit": UNITS[name],
            "bar": BARS[name],
            "holds": value >= BARS[name],
        }
        print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
