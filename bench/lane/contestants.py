"""The processes that are measured: `lane` or `agent`, one run each; the last line on stdout is a JSON object.

CPU-seconds are the process's own, all its threads, from the first batch until everything is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.lane.job import TinyCore, apply_plainly, plain_action
from orchestrator.stream.connection import Connection
from orchestrator.stream.lane_settings import BatchCounts, LaneHooks, LaneSettings, RestoreProgress
from orchestrator.stream.run import Lane, run_lane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_memory() -> int:
    """The process's own peak in MB (`ru_maxrss` would start from the parent's); 0 where /proc is missing."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), 0)


class Clock:
    """Wall and CPU time between the first and the last event."""

    def __init__(self) -> None:
        self.started: tuple[float, float] | None = None

    def start(self) -> None:
        self.started = self.started or (time.perf_counter(), cpu())

    def result(self, **more: Any) -> dict[str, Any]:
        wall, used = self.started or (time.perf_counter(), cpu())
        return {"wall": time.perf_counter() - wall, "cpu": cpu() - used, "rss_mb": peak_memory(), **more}


class LaneRun:
    """Runs the lane until all events are applied and committed, or, for a restore, until all is recovered."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.core: Any = TinyCore(job["events"], job["actions"])
        self.clock = Clock()
        self.lane: Lane | None = None
        self.ready: set[int] = set()
        self.progress: dict[int, RestoreProgress] = {}
        self.changelog = self.batches = 0
        self.result: dict[str, Any] = {}

    def run(self) -> int:
        hooks = LaneHooks(
            on_batch=self.on_batch, on_ready=self.on_ready, on_progress=self.on_progress, on_commit=self.on_commit
        )
        settings = LaneSettings(
            app_id=self.job["app"],
            table="customers",
            connection=Connection(self.job["bootstrap"]),
            partitions=self.job["partitions"],
            data_dir=Path(self.job["data"]),
            **self.job.get("settings", {}),
        )
        code = run_lane(self.core, settings, hooks=hooks, attachments=[self.attach])
        print(json.dumps(self.result))
        return code

    @contextlib.asynccontextmanager
    async def attach(self, lane: Lane) -> AsyncIterator[None]:
        self.lane = lane
        yield

    def on_batch(self, batch: BatchCounts) -> None:
        if batch.records:
            self.clock.start()
            self.batches += 1
        self.changelog += batch.changelog

    def on_progress(self, progress: RestoreProgress) -> None:
        if not self.progress:
            self.clock.start()
        self.progress[progress.partition] = progress

    def on_ready(self, partition: int) -> None:
        self.ready.add(partition)
        if self.job["mode"] == "restore" and len(self.ready) == self.job["partitions"]:
            self.finish(records=sum(each.restored for each in self.progress.values()))

    def on_commit(self, _count: int) -> None:
        assert self.lane is not None
        done = self.core.applied >= self.job["count"] and not any(self.lane.lag().values()) and self.lane.settled()
        if self.job["mode"] == "drain" and done:
            self.finish(applied=self.core.applied, changelog=self.changelog, batches=self.batches)

    def finish(self, **more: Any) -> None:
        if not self.result:
            self.result = self.clock.result(**more)
            assert self.lane is not None
            self.lane.stop()


def run_agent(job: dict[str, Any]) -> int:
    """A plain agent with a table, as Faust's documentation writes it, with its quickest settings."""
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
        broker_commit_interval=1.0,
        cython_optimizations=True,
        producer_linger=0.01,
        producer_max_batch_size=524288,
    )
    raw = {"key_type": bytes, "key_serializer": "raw", "value_serializer": "json", "partitions": job["partitions"]}
    events = app.topic(job["events"], **raw)
    actions = app.topic(job["actions"], **raw)
    table = app.Table("customers", partitions=job["partitions"], key_type=bytes)
    clock, seen = Clock(), 0

    def uncommitted() -> int:
        committed = app.consumer._committed_offset  # noqa: SLF001  Faust has no other way to ask
        mine = [tp for tp in app.consumer.assignment() if tp.topic == job["events"]]
        return int(job["count"] - sum(committed.get(tp) or 0 for tp in mine))

    async def finish() -> None:
        while not app.producer.buffer.pending.empty():  # noqa: ASYNC110  the queue has no event to wait for
            await asyncio.sleep(0.005)
        await app.producer.flush()
        while uncommitted():
            await app.consumer.commit()
            await asyncio.sleep(0.01)
        print("\n" + json.dumps(clock.result(applied=seen)), file=sys.__stdout__, flush=True)  # after the spinner
        os._exit(0)

    @app.agent(events)  # type: ignore[untyped-decorator]
    async def process(stream: Any) -> None:
        nonlocal seen
        app.producer.buffer.max_messages = 10_000
        async for key, event in stream.items():
            clock.start()
            state, due = apply_plainly(table.get(key), event)
            table[key] = state
            if due:
                await actions.send(key=key, value=plain_action(event, state))
            seen += 1
            if seen == job["count"]:
                app.add_future(finish())

    faust.Worker(app, loglevel="warning", quiet=True).execute_from_commandline()
    return 1


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    job = json.loads(sys.argv[1])
    if job.get("profile"):
        import cProfile  # noqa: PLC0415  only when asked for

        profile = cProfile.Profile()
        code = profile.runcall(LaneRun(job).run)
        profile.dump_stats(job["profile"])
        return int(code)
    return run_agent(job) if job["mode"] == "agent" else LaneRun(job).run()


if __name__ == "__main__":
    sys.exit(main())
