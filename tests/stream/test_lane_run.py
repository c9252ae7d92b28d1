"""Running a lane: what stands beside it, before there is a broker at all."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from orchestrator.stream import failpoints
from orchestrator.stream.lane_settings import LaneError

if TYPE_CHECKING:
    from pathlib import Path


def run(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """A process that runs a lane on a core that is never asked, without a broker."""
    head = """
        import asyncio, contextlib, logging, signal, os, time
        from pathlib import Path
        from orchestrator.stream.connection import Connection
        from orchestrator.stream.lane_settings import LaneSettings, WatchdogSettings
        from orchestrator.stream.run import run_lane
        logging.basicConfig()
        class Core:
            input_topics = ("channel.web",)
            def __getattr__(self, name): raise AssertionError(name)
        def settings(**limits):
            watchdog = WatchdogSettings(check_every=20, **limits)
            where = dict(connection=Connection("127.0.0.1:1"), partitions=1, data_dir=Path(FOLDER) / "data")
            return LaneSettings(app_id="a", table="t", watchdog=watchdog, **where)
    """
    text = f"FOLDER = {str(tmp_path)!r}\n" + textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.run(  # noqa: S603  our own text
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False
    )


def test_what_stands_beside_the_lane_may_take_its_time_to_start(tmp_path: Path) -> None:
    done = run(
        """
        @contextlib.asynccontextmanager
        async def slow(lane):
            await asyncio.sleep(1.5)
            raise RuntimeError("started after all")
            yield
        run_lane(Core(), settings(loop_stuck_after=500), attachments=[slow])
        """,
        tmp_path,
    )
    assert "RuntimeError: started after all" in done.stderr
    assert "watchdog" not in done.stderr


def test_without_a_broker_the_lane_ends_with_a_failure_that_is_told(tmp_path: Path) -> None:
    done = run("raise SystemExit(run_lane(Core(), settings()))", tmp_path)
    assert done.returncode == 1
    assert "the lane failed, the worker ends" in done.stderr
    assert "KafkaConnectionError" in done.stderr


def test_an_armed_failpoint_that_does_not_exist_is_refused() -> None:
    with pytest.raises(LaneError, match="after_changelog"):
        failpoints.arm({"CRASH_AT": "somewhere"})
    assert not failpoints.arm({})


def test_reaching_a_point_that_is_not_armed_does_nothing() -> None:
    assert failpoints.arm({"CRASH_AT": "after_commit:3"})
    failpoints.reach("before_commit")
    failpoints.arm({})
    failpoints.reach("after_commit")
