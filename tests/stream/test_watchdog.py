"""The watchdog: which signs mean that a worker is stuck, and that a stuck process really ends."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from orchestrator.stream.lane_settings import WatchdogSettings
from orchestrator.stream.watchdog import EXIT_CODE, Pulse, Watchdog, complaint

LIMITS = WatchdogSettings(
    loop_stuck_after=10_000, no_progress_after=20_000, recovery_stuck_after=30_000, stop_within=40_000
)


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def pulse(clock: Time) -> Pulse:
    return Pulse(clock)


def found(pulse: Pulse, clock: Time, after: float, limits: WatchdogSettings = LIMITS, beating: bool = True) -> str:
    clock.now += after
    if beating:
        pulse.beat()
    return complaint(pulse, limits, clock.now) or ""


def test_a_worker_without_work_is_well(pulse: Pulse, clock: Time) -> None:
    pulse.lag(behind=False)
    assert not found(pulse, clock, 3600)


def test_a_loop_that_does_not_run_is_stuck(pulse: Pulse, clock: Time) -> None:
    assert not found(pulse, clock, 9.9, beating=False)
    assert "event loop is stuck" in found(pulse, clock, 0.2, beating=False)


def test_records_that_wait_while_nothing_is_committed_are_a_fault(pulse: Pulse, clock: Time) -> None:
    pulse.lag(behind=True)
    assert not found(pulse, clock, 19.9)
    assert "none is committed" in found(pulse, clock, 0.2)


def test_a_commit_is_progress_and_so_is_having_nothing_to_read(pulse: Pulse, clock: Time) -> None:
    pulse.lag(behind=True)
    clock.now += 15
    pulse.committed()
    assert not found(pulse, clock, 19)
    pulse.lag(behind=False)
    assert not found(pulse, clock, 19)
    pulse.lag(behind=True)
    assert not found(pulse, clock, 0.5), "the time counts from when records began to wait"


def test_a_recovery_that_does_not_move_is_stuck_and_a_slow_one_is_not(pulse: Pulse, clock: Time) -> None:
    pulse.lag(behind=True)
    pulse.recovery(going_on=True)
    clock.now += 29
    pulse.recovery(going_on=True)
    assert not found(pulse, clock, 29)
    assert "recovery does not move" in found(pulse, clock, 2)


def test_after_a_recovery_the_time_for_a_commit_starts_anew(pulse: Pulse, clock: Time) -> None:
    pulse.lag(behind=True)
    pulse.recovery(going_on=True)
    clock.now += 25
    pulse.recovery(going_on=False)
    assert not found(pulse, clock, 19)


def test_a_stop_has_its_own_limit_and_no_other(pulse: Pulse, clock: Time) -> None:
    pulse.lag(behind=True)
    pulse.stopping()
    clock.now += 39
    pulse.stopping()
    assert not found(pulse, clock, 0.5, beating=False)
    assert "told to stop" in found(pulse, clock, 1, beating=False)


def test_a_limit_of_0_switches_its_check_off(pulse: Pulse, clock: Time) -> None:
    off = WatchdogSettings(loop_stuck_after=0, no_progress_after=0, recovery_stuck_after=0, stop_within=0)
    pulse.lag(behind=True)
    assert not found(pulse, clock, 3600, off, beating=False)
    pulse.recovery(going_on=True)
    assert not found(pulse, clock, 3600, off)
    pulse.stopping()
    assert not found(pulse, clock, 3600, off)


def test_the_thread_ends_the_process_once_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    codes: list[int] = []
    pulse = Pulse()
    pulse.beat_at -= 60
    watchdog = Watchdog(pulse, WatchdogSettings(loop_stuck_after=1000, check_every=10), codes.append)
    watchdog.start()
    watchdog.join(10)
    assert codes == [EXIT_CODE]
    assert "the watchdog ends this process, so that it can be started anew: the event loop is stuck" in caplog.text


def test_dismissed_it_goes_home() -> None:
    watchdog = Watchdog(Pulse(), WatchdogSettings(check_every=10), lambda _code: pytest.fail("ended"))
    watchdog.start()
    watchdog.dismiss()
    watchdog.join(10)
    assert not watchdog.is_alive()


def test_a_process_whose_loop_never_comes_back_really_ends() -> None:
    stuck = textwrap.dedent(
        """
        import asyncio, logging, threading, time
        from orchestrator.stream.lane_settings import WatchdogSettings
        from orchestrator.stream.watchdog import Pulse, Watchdog
        logging.basicConfig()
        threading.Thread(target=time.sleep, args=(3600,)).start()  # outlives the main thread, as Faust's may
        async def main():
            Watchdog(Pulse(), WatchdogSettings(loop_stuck_after=200, check_every=20)).start()
            time.sleep(3600)
        asyncio.run(main())
        """
    )
    done = subprocess.run([sys.executable, "-c", stuck], capture_output=True, timeout=30, check=False)  # noqa: S603  our own text
    assert done.returncode == EXIT_CODE
    assert (
        b"ERROR:orchestrator:the watchdog ends this process, so that it can be started anew: the event loop"
        in done.stderr
    )
    assert b"time.sleep" in done.stderr or b"in main" in done.stderr, "with where it was stuck"
