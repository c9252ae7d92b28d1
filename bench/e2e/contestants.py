"""The processes that are measured on J1: the worker's lane and core, or a plain Faust agent that calls the engine.

One run each; the last line on stdout is a JSON object. CPU-seconds are the process's own, all its threads, from the
first batch until everything is committed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.j1 import storm, workload
from bench.lane.contestants import Clock, LaneRun
from orchestrator.engine.engine import Engine
from orchestrator.engine.facts import Facts
from orchestrator.engine.identity.handlers import on_event
from orchestrator.engine.identity.work import Work
from orchestrator.engine.timers import earliest_due
from orchestrator.model.codec import decode_node, encode_node
from orchestrator.model.customer import Customer, Node
from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import split_key
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.intake import Taken, read_event
from orchestrator.stream.lane.outbox import outgoing
from orchestrator.stream.worker import tune_collector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.stream.lane.records import Batch, Outgoing, Record

SCENARIOS = 10


class CountingCore(CustomerCore):
    """The worker's core, which says how many events it has been given, and how many messages are under way.

    Nobody else writes to `customer.inputs` here, so what was sent there and not read back is under way.
    """

    applied = 0
    under_way = 0

    def process(self, partition: int, records: Sequence[Record], now: int) -> Batch:
        batch = super().process(partition, records, now)
        events = sum(1 for record in records if record.topic.startswith("channel."))
        self.applied += events
        self.under_way += sum(1 for send in batch.sends if send.topic == INPUTS) - (len(records) - events)
        return batch

    def tick(self, partition: int, now: int) -> Outgoing | None:
        tick = super().tick(partition, now)
        self.under_way += tick is not None
        return tick


class J1Run(LaneRun):
    """The lane with the worker's core, until all events are applied and committed, or all is recovered."""

    def __init__(self, job: dict[str, Any]) -> None:
        super().__init__({**job, "actions": ""})
        tune_collector()
        program = storm.program(SCENARIOS) if job["workload"] == "storm" else workload.program(SCENARIOS)
        self.core = CountingCore(program, Facts(), (job["events"],), job["partitions"])

    def on_commit(self, count: int) -> None:
        if not self.core.under_way:
            super().on_commit(count)

    def finish(self, **more: Any) -> None:
        super().finish(hops=dict(self.core.statistics.hops), **more)


def run_agent(job: dict[str, Any]) -> int:
    """A plain agent with a table, its quickest settings, and the same engine."""
    import faust  # noqa: PLC0415  the lane's runs do without

    app = faust.App(
        job["app"],
        broker=f"kafka://{job['bootstrap']}",
        store="memory://",
        topic_partitions=job["partitions"],
        web_enabled=False,
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        datadir=job["data"],
        key_serializer="raw",
        value_serializer="raw",
        broker_commit_interval=1.0,
        cython_optimizations=True,
        producer_linger=0.01,
        producer_max_batch_size=524288,
    )
    raw = {"key_type": bytes, "key_serializer": "raw", "value_serializer": "raw", "partitions": job["partitions"]}
    events = app.topic(job["events"], **raw)
    actions = app.topic("actions", **raw)
    table = app.Table("customers", partitions=job["partitions"], key_type=bytes, value_type=bytes)
    engine = Engine(workload.program(SCENARIOS), Facts())
    clock, seen = Clock(), 0

    async def finish() -> None:
        while not app.producer.buffer.pending.empty():  # noqa: ASYNC110  the queue has no event to wait for
            await asyncio.sleep(0.005)
        await app.producer.flush()
        print("\n" + json.dumps(clock.result(applied=seen)), file=sys.__stdout__, flush=True)
        os._exit(0)

    @app.agent(events)  # type: ignore[untyped-decorator]
    async def process(stream: Any) -> None:
        nonlocal seen
        app.producer.buffer.max_messages = 10_000
        async for event in stream.events():
            clock.start()
            key, message = event.key, event.message
            value, sent = one(engine, table.get(key), key, event.value, int(message.timestamp * 1000))
            table[key] = value
            for each in sent:
                await actions.send(key=each.key, value=each.value)
            seen += 1
            if seen == job["count"]:
                app.add_future(finish())

    faust.Worker(app, loglevel="warning", quiet=True).execute_from_commandline()
    return 1


def one(engine: Engine, known: bytes | None, key: bytes, raw: bytes, at: int) -> tuple[bytes, list[Any]]:
    """One event on one customer, as simply as the engine can be called."""
    program = engine.program
    node = decode_node(known) if known else Node()
    taken = read_event(raw, "web", at, program)
    if not isinstance(taken, Taken):
        raise TypeError("J1 holds no bad events")
    name = split_key(key)[1]
    work = Work(node, name, program.tenant, at, program.identity, engine)
    on_event(work, taken.event, name)
    due = earliest_due(node.body) if isinstance(node.body, Customer) else 0
    return encode_node(node, 1, due), [outgoing(effect, program.tenant) for effect in work.effects]


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    job = json.loads(sys.argv[1])
    return run_agent(job) if job["mode"] == "agent" else J1Run(job).run()


if __name__ == "__main__":
    sys.exit(main())
