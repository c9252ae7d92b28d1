"""From an event to the action that it leads to, on Apache Kafka, at a fixed rate of arrival.

    .venv/bin/python -m bench.e2e.latency [--seconds 20]

J1 arrives at 1,000, 2,000 and 4,000 events a second, each event at its own intended time, whether or not the system
keeps up. Measured is, for every message of J1, the time from the moment at which its event was to be written until the
driver reads the action from its topic: waiting of the driver counts (no coordinated omission), so do producer (slots of
5 ms, linger of 5 ms), broker, worker with changelog, broker and consumer. Delivery does not. Beside the whole stand its
parts, by the broker's times of appending. Driver, broker and worker share the machine: on two cores they have no room
left at some 5,000 events a second that come one by one (`bench.e2e.j1` has what the worker alone takes, in bulk).

Figures: `event_to_action_p99` at 2,000 a second; p50 besides, and both at the other rates. Actions are counted and the
state is summed after each run: a wrong run has no figure.
"""

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bench.e2e.fed import FedRun, committed
from bench.e2e.j1 import EVENTS, PARTITIONS, told
from bench.j1 import workload
from bench.report import Figure, table
from orchestrator.model.partition import partition_of

RATES: Final = (1_000, 2_000, 4_000)
PROMISED: Final = 2_000
BAR: Final = 250.0
"""The p99 (ms) promised at that rate."""
SLOT: Final = 0.005
"""Seconds of arrivals that the driver hands to its producer together."""
LINGER: Final = 5
"""How long the producer waits for more, ms."""
WARM: Final = 0.25
"""The share of the events that come before anything is measured."""
FIRST: Final = 2_000
"""So many events come, and are done with, before the clock starts: the worker is at work by then."""
PLACES: Final = {"welcome": 0, "detail": 2}
"""Which event of a customer's story, from 0, leads to the message of a step."""


class Trip(NamedTuple):
    """One event's way to its action, in ms: in all; until the broker had it; in the worker; until it was read."""

    whole: float
    to_broker: float
    worker: float
    to_reader: float


class PacedRun(FedRun):
    """J1 at a rate; `seen`: the trips that count; `behind`: by how many seconds the driver was late, at most."""

    def __init__(self, folder: Path, customers: int, rate: float) -> None:
        super().__init__(folder, customers)
        self.rate = rate
        self.seen: list[Trip] = []
        self.behind = 0.0
        self._intended: dict[tuple[bytes, int], float] = {}
        self._reached: defaultdict[bytes, int] = defaultdict(int)
        self._acks: list[asyncio.Future[object]] = []

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """J1 of customers who come one after the other, so that messages are due all the time."""
        order = workload.steady(self.customers)
        return ((key, value) for key, value, _ in workload.events(self.customers, time.time_ns() // 1_000_000, order))

    async def _feed(self, running: subprocess.Popen[bytes]) -> None:
        rows = self.rows()
        async with _clients(self.bootstrap) as (producer, consumer, admin):
            await self._write(producer, list(islice(rows, FIRST)))
            while await committed(admin) < FIRST and running.poll() is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # the broker tells it in no other way
            reading = asyncio.create_task(self._read(consumer))
            await self._arrive(producer, rows)
            await asyncio.gather(*self._acks)
            await asyncio.wait([reading], timeout=60)
            reading.cancel()

    async def _arrive(self, producer: AIOKafkaProducer, rows: Iterator[tuple[bytes, bytes]]) -> None:
        """Write every event in the slot of its intended time; a slot that comes too late is not forgotten."""
        began, number, warm = time.time(), 0, int(WARM * self.count)
        for slot in range(1, sys.maxsize):
            due = int(slot * SLOT * self.rate)
            some = list(islice(rows, due - number))
            if not some and due > number:
                return
            await asyncio.sleep(max(0.0, began + slot * SLOT - time.time()))
            self.behind = max(self.behind, time.time() - (began + slot * SLOT))
            await self._write(producer, some)
            for place, (key, _) in enumerate(some, number):
                step = self._reached[key]
                self._reached[key] += 1
                if place >= warm:
                    self._intended[key, step] = began + place / self.rate
            number += len(some)

    async def _write(self, producer: AIOKafkaProducer, some: Sequence[tuple[bytes, bytes]]) -> None:
        for key, value in some:
            self._acks.append(await producer.send(EVENTS, value, key=key, partition=partition_of(key, PARTITIONS)))

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        left = self.customers * workload.ACTIONS_PER_CUSTOMER
        while left:
            fetched = await consumer.getmany(timeout_ms=100)
            now = time.time()
            for record in (record for some in fetched.values() for record in some):
                action = json.loads(record.value)
                intended = self._intended.get((action["node"].encode(), PLACES[action["step"]]))
                if intended is not None:
                    received, appended = action["received"], record.timestamp
                    began, read = 1000 * intended, 1000 * now
                    self.seen.append(Trip(read - began, received - began, appended - received, read - appended))
                left -= 1


@asynccontextmanager
async def _clients(bootstrap: str) -> AsyncIterator[tuple[AIOKafkaProducer, AIOKafkaConsumer, AIOKafkaAdminClient]]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=262144, linger_ms=LINGER, acks="all")
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await producer.start()
    await consumer.start()
    await admin.start()
    try:
        consumer.assign([TopicPartition("actions", each) for each in range(PARTITIONS)])
        yield producer, consumer, admin
    finally:
        await admin.close()
        await consumer.stop()
        await producer.stop()


def paced(folder: Path, rate: float, seconds: float) -> PacedRun:
    """J1 at a rate, for so long."""
    customers = int(rate * seconds) // workload.EVENTS_PER_CUSTOMER
    with PacedRun(folder / f"paced-{rate:.0f}", customers, rate) as run:
        run.process("drain")
        run.check()
    return run


def quantile(times: Iterable[float], part: float) -> float:
    """The smallest time that so large a part of all stay within, rounded."""
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 1)


def measure(folder: Path, seconds: float) -> list[Figure]:
    figures: list[Figure] = []
    rows: list[tuple[object, ...]] = []
    for rate in RATES:
        run = paced(folder, rate, seconds)
        p50, p99, p999 = (quantile((trip.whole for trip in run.seen), part) for part in (0.5, 0.99, 0.999))
        rows.append((f"{rate:,}", f"{len(run.seen):,}", p50, p99, p999, f"{1000 * run.behind:.0f}"))
        for part in Trip._fields[1:]:
            times = [getattr(trip, part) for trip in run.seen]
            rows.append((f"  {part.replace('_', ' ')}", "", *(quantile(times, p) for p in (0.5, 0.99, 0.999)), ""))
        name = "event_to_action" if rate == PROMISED else f"event_to_action_{rate}"
        bar = (BAR, p99 <= BAR) if rate == PROMISED else (None, None)
        figures += [Figure(f"{name}_p50", p50, "ms"), Figure(f"{name}_p99", p99, "ms", *bar)]
    table("From event to action, ms", ("events/s", "messages", "p50", "p99", "p99.9", "driver late"), rows)
    return figures


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=20.0)
    asked = options.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a topic made just now has no leader for a moment
    return told(lambda folder: measure(folder, asked.seconds))


if __name__ == "__main__":
    sys.exit(main())
