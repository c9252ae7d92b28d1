"""Recovery of the lane's table: Faust says when, the changelog goes straight into the table's dict.

Stands in for Faust's `Recovery` service under its table manager. Faust's own ends without a word when a step takes
longer than its request timeout, lets a recovery that a rebalance has overtaken run to its end, and applies
records one by one (stream-notes, section 3); here every step either succeeds, is interrupted by the next
rebalance, or ends the worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.table import Restore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.stream.shell import Shell
    from orchestrator.stream.transport import LaneConsumer, LaneThread

POLL_SECONDS = 0.02
REPORT_SECONDS = 0.5
log = logging.getLogger(__name__)


class LaneRecovery(Recovery):  # type: ignore[misc]
    """From an assignment to the first input: restore, position, hand to the core, go."""

    mundane_level = "debug"
    _running: asyncio.Task[None] | None = None

    @property
    def _shell(self) -> Shell:
        shell: Shell = self.app.shell
        return shell

    @property
    def _consumer(self) -> LaneConsumer:
        consumer: LaneConsumer = self.app.consumer
        return consumer

    @property
    def _thread(self) -> LaneThread:
        return self._consumer._thread  # noqa: SLF001

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Faust tells the new assignment: start over with it."""
        await self.interrupt()
        self._running = asyncio.ensure_future(self._recover(set(assigned), generation_id))
        self._running.add_done_callback(self._ended)

    async def interrupt(self) -> None:
        """End the recovery under way, if any, before its partitions change hands."""
        running, self._running = self._running, None
        if running is not None and not running.done():
            running.cancel()
            await asyncio.wait([running])

    def _ended(self, running: asyncio.Task[None]) -> None:
        if running.cancelled():
            if running is self._running:  # and not interrupted: what it waited for was cancelled
                self._shell.fail(LaneError("the recovery was broken off: the worker ends, and recovers anew"))
        elif (error := running.exception()) is not None:
            self._shell.fail(error)

    @Service.task  # type: ignore[untyped-decorator]
    async def _restart_recovery(self) -> None:
        """Faust's loop, which this class does without."""

    @Service.task  # type: ignore[untyped-decorator]
    async def _slurp_changelogs(self) -> None:
        """Faust's reader of single changelog events, which this class does without."""

    @Service.task  # type: ignore[untyped-decorator]
    async def _publish_stats(self) -> None:
        """Faust's statistics on its own reader; hooks tell the progress here."""

    def flush_buffers(self) -> None:
        """Nothing is buffered."""

    async def on_stop(self) -> None:
        await self.interrupt()

    # -- the steps -----------------------------------------------------------------------------------------

    async def _recover(self, assigned: set[TP], generation: int) -> None:
        shell = self._shell
        partitions = self._owned(assigned)
        shell.begin(partitions)
        shell.pulse.recovery(True)
        self._mark(True)
        started = time.monotonic()
        restores = await self._prepare(partitions)
        await self._restore(restores)
        await self._open(restores, generation)
        self._mark(False)
        shell.pulse.recovery(False)
        if restores:
            log.info(
                "recovered %d partitions: %d changelog records in %.2f s",
                len(restores),
                sum(restore.progress().restored for restore in restores.values()),
                time.monotonic() - started,
            )
        await self._resume(assigned, generation)

    def _owned(self, assigned: set[TP]) -> list[int]:
        """The partitions that this worker owns: the same numbers of every input topic and of the changelog."""
        topics = (*self._shell.core.input_topics, self._shell.settings.changelog)
        numbers = {topic: {tp.partition for tp in assigned if tp.topic == topic} for topic in topics}
        if len(set(map(frozenset, numbers.values()))) != 1:
            raise LaneError(
                f"the group assigned different partitions of {', '.join(topics)}: all of them need the same number of "
                "partitions, and all workers of the group the same topics"
            )
        return sorted(numbers[topics[-1]])

    async def _prepare(self, partitions: Iterable[int]) -> dict[int, Restore]:
        """Ask where the changelogs begin and end, and position there."""
        changelogs = {each: TP(self._shell.settings.changelog, each) for each in partitions}
        if not changelogs:
            return {}
        begins, ends = await asyncio.gather(
            self._consumer.earliest_offsets(*changelogs.values()), self._consumer.highwaters(*changelogs.values())
        )
        restores = {}
        for partition, tp in changelogs.items():
            table = self._shell.table_for(partition)
            table.next_offset = max(table.next_offset, begins[tp])
            restores[partition] = Restore(table, ends[tp])
        await self._thread.ask(
            self._thread.read_from(
                {changelogs[each]: restore.table.next_offset for each, restore in restores.items() if not restore.done}
            )
        )
        self._shell.restores = restores
        return restores

    async def _restore(self, restores: dict[int, Restore]) -> None:
        """Read the changelogs up to their ends; the consumer's fetch loop feeds the restores meanwhile."""
        changelog = self._shell.settings.changelog
        waiting = {TP(changelog, each) for each, restore in restores.items() if not restore.done}
        self._report(restores)
        if waiting:
            self._consumer.resume_partitions(waiting)
            await self._flow()
        reported, restored = time.monotonic(), 0
        while waiting:
            await self._poll()
            now, before = time.monotonic(), restored
            restored = sum(restores[tp.partition].table.restored for tp in waiting)
            if restored != before:
                self._shell.pulse.recovery(True)
                for tp in waiting:
                    restores[tp.partition].busy()
            else:
                await self._look_for_missing_tails(restores, waiting)
            if now - reported >= REPORT_SECONDS:
                reported = now
                self._report(restores)
            done = {tp for tp in waiting if restores[tp.partition].done}
            self._consumer.pause_partitions(done)
            waiting -= done
        self._shell.restores = {}
        self._report(restores)

    async def _poll(self) -> None:
        """Wait until all is restored, but not for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._shell.restored.wait()

    async def _look_for_missing_tails(self, restores: dict[int, Restore], waiting: set[TP]) -> None:
        """No restore moves: perhaps compaction has removed the last records before an end."""
        for tp, (position, answer_at) in (await self._thread.ask(self._thread.answers(waiting))).items():
            if restores[tp.partition].answered(position, answer_at):
                log.info("%s[%d] has no records left before its end", tp.topic, tp.partition)

    def _report(self, restores: dict[int, Restore]) -> None:
        for restore in restores.values():
            self._shell.hooks.on_progress(restore.progress())

    async def _open(self, restores: dict[int, Restore], generation: int) -> None:
        """Position the input topics at what the group has committed, and hand the partitions to the core."""
        shell = self._shell
        if not restores:
            shell.start()  # a worker to spare has nothing to do, and is ready for more
            return
        inputs = [TP(topic, each) for each in restores for topic in shell.core.input_topics]
        committed, begins, ends = await asyncio.gather(
            self._thread.ask(self._thread.committed_offsets(inputs)),
            self._consumer.earliest_offsets(*inputs),
            self._consumer.highwaters(*inputs),
        )
        positions = {tp: _start(tp, committed.get(tp), begins[tp], ends[tp]) for tp in inputs}
        shell.epoch += 1
        await self._thread.ask(self._thread.read_from(positions))
        await asyncio.gather(
            *(
                shell.open(
                    restore.table,
                    {tp.topic: (at, ends[tp]) for tp, at in positions.items() if tp.partition == partition},
                    {tp.topic: at for tp, at in committed.items() if tp.partition == partition},
                    generation,
                )
                for partition, restore in restores.items()
            )
        )
        if shell.failure is None:
            shell.start()

    async def _resume(self, assigned: set[TP], generation: int) -> None:
        """Let the input flow, and tell Faust that the rebalance is over."""
        await self.app.on_rebalance_complete.send()
        changelog = self._shell.settings.changelog
        self._consumer.resume_partitions({tp for tp in assigned if tp.topic != changelog})
        await self._flow()
        self.completed.set()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        if generation == self.app.consumer_generation_id:
            self.app.on_rebalance_end()

    async def _flow(self) -> None:
        self.app.flow_control.resume()
        self._consumer.resume_flow()
        await self.app._fetcher.maybe_start()  # noqa: SLF001

    def _mark(self, going_on: bool) -> None:
        self.in_recovery = going_on
        self.app.in_recovery = going_on


def _start(tp: TP, committed: int | None, begin: int, end: int) -> int:
    """Where reading of an input partition starts.

    Raises:
        LaneError: the group has committed what the topic does not have.
    """
    if committed is None:
        return begin
    if committed > end:
        raise LaneError(
            f"the group has committed offset {committed} of {tp.topic}[{tp.partition}], which ends at {end}: the "
            "broker lost records or the topic was made anew; check it, then set the group's offsets by hand"
        )
    if committed < begin:
        log.error(
            "%s[%d]: %d records were deleted by the topic's retention before they were read",
            tp.topic,
            tp.partition,
            begin - committed,
        )
    return max(committed, begin)


class LaneTableManager(TableManager):  # type: ignore[misc]
    """Faust's table manager with the lane's recovery, and without its second of waiting at the start."""

    mundane_level = "debug"
    _recovery: LaneRecovery | None = None

    @property
    def recovery(self) -> LaneRecovery:
        if self._recovery is None:
            self._recovery = LaneRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()

    def persist_offset_on_commit(self, store: Any, tp: TP, offset: int) -> None:
        """Nothing: the lane's table follows its changelog by itself."""
