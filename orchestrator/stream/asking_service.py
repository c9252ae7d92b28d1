"""Asking, as a worker has it beside its lane: the server, the announcements, and what ties both to the lane's hooks.

Wiring: `LaneHooks(on_batch=service.on_batch, on_durable=service.on_durable, on_ready=service.on_ready,
on_revoked=service.on_revoked)`, each together with whatever else wants the hook.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from orchestrator.stream.asking import Answering, AskObserver, AskServer
from orchestrator.stream.asking_announce import Announcer
from orchestrator.stream.asking_progress import Progress
from orchestrator.stream.lane.records import Outgoing
from orchestrator.stream.lane_settings import BatchCounts


class AskingService:
    """Everything that a worker needs to be asked.

    Args:
        answering: who answers.
        send: writes a record; done when the broker has acknowledged.
        crash: told when an announcement or a record of what was shown could not be written; ends the worker.
        partitions: the input topics' partition count.
        number: the ownership number under which this worker owns a partition.
        worker: this worker's name.
        observer: told how questions went.
        now: the wall clock, ms.
        clock: a monotonic clock, s.
        key: what a caller must present in `Authorization: Bearer`; empty for none.
    """

    def __init__(
        self,
        *,
        answering: Answering,
        send: Callable[[Outgoing], Awaitable[None]],
        crash: Callable[[BaseException], None],
        partitions: int,
        number: Callable[[int], int],
        worker: str,
        observer: AskObserver,
        now: Callable[[], int],
        clock: Callable[[], float],
        key: str = "",
    ) -> None:
        self._send = send
        self._crash = crash
        self._number = number
        self._worker = worker
        self._progress = Progress()
        self._server = AskServer(
            answering=answering,
            progress=self._progress,
            send=send,
            crash=crash,
            partitions=partitions,
            observer=observer,
            now=now,
            clock=clock,
            key=key,
        )
        self._announcer: Announcer | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, bind: str, port: int, host: str) -> int:
        """Listen, before the lane starts.

        Args:
            bind: the address to listen on.
            port: 0 takes a free one.
            host: the name by which gateways reach this worker.

        Returns:
            The port.

        Raises:
            OSError: the address cannot be had.
        """
        taken = await self._server.start(bind, port)
        self._announcer = Announcer(self._send, self._worker, f"[{host}]:{taken}" if ":" in host else f"{host}:{taken}")
        self._run(self._announcer.run())
        return taken

    async def stop(self) -> None:
        """After the lane has stopped: answer nobody any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.stop()

    async def announced(self) -> None:
        """Wait until what is being announced right now is acknowledged."""
        announcements = [task for task in self._tasks if task.get_name() == "announcement"]
        if announcements:
            await asyncio.wait(announcements)

    def on_batch(self, batch: BatchCounts) -> None:
        """A hook of the lane: a batch is decided."""
        self._progress.on_batch(batch)

    def on_durable(self, partition: int, offsets: Mapping[str, int]) -> None:
        """A hook of the lane: the oldest batch under way is durable."""
        self._progress.on_durable(partition, offsets)

    def on_ready(self, partition: int) -> None:
        """A hook of the lane: the partition is recovered; tell everybody."""
        if self._announcer is None:
            raise RuntimeError("start() comes before the lane")
        self._run(self._announcer.recovered(partition, self._number(partition)), "announcement")

    def on_revoked(self, partition: int) -> None:
        """A hook of the lane: the partition is gone."""
        self._progress.on_revoked(partition)
        if self._announcer is not None:
            self._announcer.revoked(partition)

    def _run(self, work: Coroutine[Any, Any, None], name: str = "again") -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._crash(error)
