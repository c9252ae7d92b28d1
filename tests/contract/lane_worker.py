"""A worker process for the tests: the lane with the ledger core. Its one argument is a JSON object."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from ledger_core import LedgerCore

from orchestrator.stream.connection import Connection
from orchestrator.stream.lane_settings import LaneHooks, LaneSettings, RestoreProgress, WatchdogSettings
from orchestrator.stream.run import run_lane


class SlowCore(LedgerCore):
    """Takes its time over every value of the changelog."""

    seconds_a_value = 0.0

    def accepts(self, previous: int, value: bytes, /) -> int:
        time.sleep(self.seconds_a_value)
        return super().accepts(previous, value)


def say(what: str, **more: object) -> None:
    sys.stdout.write(json.dumps({"what": what, "at": time.time(), **more}) + "\n")
    sys.stdout.flush()


def main() -> int:
    job = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.WARNING)

    def progress(each: RestoreProgress) -> None:
        say("progress", partition=each.partition, restored=each.restored, total=each.total, skipped=each.skipped)

    hooks = LaneHooks(
        on_ready=lambda partition: say("ready", partition=partition),
        on_revoked=lambda partition: say("revoked", partition=partition),
        on_progress=progress,
    )
    settings = LaneSettings(
        app_id=job["app"],
        table="accounts",
        connection=Connection(job["bootstrap"]),
        partitions=job["partitions"],
        data_dir=Path(job["data"]),
        watchdog=WatchdogSettings(**job.get("watchdog", {})),
        **job.get("settings", {}),
    )
    slow = job.get("seconds_a_value", 0.0)
    core = (SlowCore if slow else LedgerCore)(tuple(job["channels"]), job["inputs"], job["actions"])
    SlowCore.seconds_a_value = slow
    say("start", pid=os.getpid())
    return run_lane(core, settings, hooks=hooks)


if __name__ == "__main__":
    sys.exit(main())
