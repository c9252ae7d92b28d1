"""Run a core on Kafka: the blocking entry for whoever has one (the worker, delivery, a benchmark)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from orchestrator.stream import failpoints
from orchestrator.stream.app import LaneApp
from orchestrator.stream.farewell import leave_without_broker
from orchestrator.stream.lane_settings import LaneError, LaneHooks, LaneSettings
from orchestrator.stream.shell import Shell
from orchestrator.stream.watchdog import Pulse, Watchdog
from orchestrator.telemetry import health

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from orchestrator.stream.lane.records import Core, Outgoing

BEAT_SECONDS = 0.25
LAG_SECONDS = 5.0
log = logging.getLogger(__name__)


class Lane:
    """A running lane, for what runs beside it in the same event loop (its HTTP server, for instance)."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._stop = asyncio.Event()

    def owned(self) -> frozenset[int]:
        """The partitions whose first input has been let in."""
        return frozenset(each for each, runner in self._shell.runners.items() if runner.running)

    def heard_ago(self) -> int:
        """For how many ms the group has not confirmed this worker; since ever, before it has joined."""
        return int((time.monotonic() - self._shell.heard_at()) * 1000)

    def parts(self) -> dict[str, bool]:
        """What must stand before this worker does its work: its group knows it, its partitions are recovered."""
        return {
            "group": self.heard_ago() < self._shell.settings.session_timeout,
            "partitions": self._shell.opened and self._shell.failure is None,
        }

    def lag(self) -> dict[str, int]:
        """Input topic -> records of the owned partitions that wait, as far as the topics' ends are known."""
        return self._shell.lag()

    def settled(self) -> bool:
        """Whether everything that was handed to the core is written, sent and committed."""
        return self._shell.settled()

    async def send(self, outgoing: Outgoing) -> None:
        """Send one record beside all batches; returns when it is acknowledged.

        Raises:
            KafkaError: it could not be sent.
        """
        for ack in await self._shell.emitter.send([outgoing]):
            await ack.future

    def stop(self) -> None:
        """Ask the lane to stop, as SIGTERM does."""
        self._stop.set()
        self._shell.halt()

    async def stopped(self) -> None:
        """Wait until the lane is asked to stop."""
        await self._stop.wait()

    @property
    def stopping(self) -> bool:
        """Whether the lane has been asked to stop."""
        return self._stop.is_set()


def run_lane(
    core: Core,
    settings: LaneSettings,
    *,
    hooks: LaneHooks | None = None,
    attachments: Sequence[Callable[[Lane], AbstractAsyncContextManager[None]]] = (),
) -> int:
    """Run until SIGTERM or SIGINT, or until something fails. Blocks; call it in the main thread.

    Args:
        core: what decides; see `orchestrator.stream.lane.records.Core`.
        settings: see there. All topics exist already.
        hooks: called as things happen.
        attachments: entered in the lane's event loop before it joins the group, left after it has stopped. A stop
            that is asked for meanwhile cancels the one that is being entered.

    Returns:
        The exit code: 0 after a stop that was asked for, 1 after a failure (it is logged). A stop without a broker ends
        the process with the same codes, see `orchestrator.stream.farewell`; a watchdog ends it with code 70, see
        `orchestrator.stream.watchdog`.
    """
    before = set(threading.enumerate())
    pulse = Pulse()
    watchdog = Watchdog(pulse, settings.watchdog)
    watchdog.start()
    try:
        with asyncio.Runner() as runner:
            return runner.run(_run(core, settings, hooks or LaneHooks(), attachments, pulse))
    finally:
        _dismiss(watchdog, before)


def _dismiss(watchdog: Watchdog, before: set[threading.Thread]) -> None:
    """Send the watchdog home, unless a thread of the lane would keep the process from ending: then it ends that."""
    left = [each.name for each in threading.enumerate() if each not in before and not each.daemon and each.is_alive()]
    if left:
        log.error("threads that outlive the lane: %s", ", ".join(left))
    else:
        watchdog.dismiss()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LaneError(f"cannot write to {folder}: {error.strerror}; choose another folder with data_dir") from error


async def _run(
    core: Core,
    settings: LaneSettings,
    hooks: LaneHooks,
    attachments: Sequence[Callable[[Lane], AbstractAsyncContextManager[None]]],
    pulse: Pulse,
) -> int:
    shell = _shell(core, settings, hooks, pulse)
    lane = Lane(shell)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, lane.stop)
    _make_folder(settings.data_dir)
    health.watch(lane.parts)
    stopped = asyncio.ensure_future(lane.stopped())
    beside = [stopped, *map(asyncio.ensure_future, (_beat(shell), leave_without_broker(shell, stopped)))]
    try:
        async with contextlib.AsyncExitStack() as stack:
            if await _attached(stack, lane, attachments):
                await _serve(shell, lane)
    finally:
        pulse.stopping()
        for task in beside:
            task.cancel()
    return 1 if shell.failure is not None else 0


def _shell(core: Core, settings: LaneSettings, hooks: LaneHooks, pulse: Pulse) -> Shell:
    if failpoints.arm(os.environ):
        return failpoints.FailingShell(core, settings, hooks, pulse, pipeline=failpoints.FailingPipeline)
    return Shell(core, settings, hooks, pulse)


async def _attached(
    stack: contextlib.AsyncExitStack,
    lane: Lane,
    attachments: Sequence[Callable[[Lane], AbstractAsyncContextManager[None]]],
) -> bool:
    """Enter all attachments; False when the lane was asked to stop before that was done."""
    entering = asyncio.current_task()
    giving_up = asyncio.ensure_future(_cancel_at_stop(lane, entering))
    try:
        for attachment in attachments:
            await stack.enter_async_context(attachment(lane))
    except asyncio.CancelledError:
        if not lane.stopping or entering is None or entering.uncancel():
            raise  # somebody else's cancellation
    finally:
        giving_up.cancel()
    return not lane.stopping


async def _cancel_at_stop(lane: Lane, task: asyncio.Task[Any] | None) -> None:
    await lane.stopped()
    if task is not None:
        task.cancel()


async def _serve(shell: Shell, lane: Lane) -> None:
    """Start Faust, wait for the end, stop Faust."""
    app = LaneApp(shell)
    app.in_worker = True
    watching = asyncio.ensure_future(_watch_lag(shell))
    starting = asyncio.ensure_future(app.start())
    starting.add_done_callback(lambda task: _note(shell, task))
    ends = [asyncio.ensure_future(each) for each in (lane.stopped(), shell.failed.wait())]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        shell.pulse.stopping()
        if shell.failure is not None:
            log.critical("the lane failed, the worker ends", exc_info=shell.failure)
        lane.stop()
        try:
            await app.stop()
        except Exception as error:
            shell.fail(error)
            log.critical("the worker could not stop cleanly", exc_info=error)
    finally:
        for task in (*ends, watching, starting):
            task.cancel()
        await asyncio.gather(*ends, watching, starting, return_exceptions=True)


def _note(shell: Shell, starting: asyncio.Task[None]) -> None:
    if not starting.cancelled() and (error := starting.exception()) is not None:
        shell.fail(error)


async def _beat(shell: Shell) -> None:
    while True:
        shell.pulse.beat()
        await asyncio.sleep(BEAT_SECONDS)


async def _watch_lag(shell: Shell) -> None:
    """Tell the watchdog whether records wait, from the broker's own numbers, not from what was fetched."""
    while True:
        await asyncio.sleep(LAG_SECONDS)
        try:
            await shell.look_at_lag()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  the fate is chosen: what was known last goes on counting
            log.warning("cannot ask the broker how far the inputs go: %s", error)
