"""One owned partition at work: its merged input, its turn at the core, its way out."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING

from orchestrator.stream import cancellation
from orchestrator.stream.lane.records import WakingCore
from orchestrator.stream.lane_settings import BatchCounts, LaneError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from orchestrator.stream.emitter import Emitter, Pipeline
    from orchestrator.stream.lane.merge import Merge
    from orchestrator.stream.lane.records import Batch, Core, Outgoing, Record
    from orchestrator.stream.lane_settings import LaneHooks, LaneSettings
    from orchestrator.stream.table import PartitionTable


FIRST_BATCH = 500
FULL_BATCHES_BEHIND = 2
SMALLEST_BATCH = 50


class PartitionRunner:
    """Makes every call to the core for one partition, so that they are strictly serial.

    Args:
        partition: which one.
        core: what decides.
        table: the recovered values.
        merge: the partition's input topics, set to where reading starts.
        pipeline: the way out for batches.
        emitter: the way out for ticks, which belong to no batch.
        turn: shared by all partitions: between two of their batches the event loop goes round once.
        clock: the wall clock in ms.
        fail: told the first exception; the worker ends.
    """

    def __init__(
        self,
        partition: int,
        core: Core,
        *,
        table: PartitionTable,
        merge: Merge,
        pipeline: Pipeline,
        emitter: Emitter,
        settings: LaneSettings,
        hooks: LaneHooks,
        turn: asyncio.Lock,
        clock: Callable[[], int],
        fail: Callable[[BaseException], None],
    ) -> None:
        self.partition = partition
        self.table = table
        self.merge = merge
        self.pipeline = pipeline
        self._core = core
        self._waking = core if isinstance(core, WakingCore) else None
        self._emitter = emitter
        self._settings = settings
        self._hooks = hooks
        self._turn = turn
        self._clock = clock
        self._fail = fail
        self._work = asyncio.Event()
        self._closing = False
        self._committed: dict[str, int] = {}
        self._turn_at = 0
        self._rest = 0
        self._limit = min(FIRST_BATCH, settings.batch_records)
        self._full = 0
        self._floor: dict[str, int] = {topic: merge.position(topic) for topic in core.input_topics}
        self._decided: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._broken = False

    async def assign(self, committed: dict[str, int], generation: int = 0) -> None:
        """Hand the recovered partition to the core; what it wants written and sent first is acknowledged on return.

        `generation` is the group's in which it came here.

        Raises:
            LaneError: between the end of the recovery and the ownership record somebody else wrote to the changelog:
                that counts, and is not in the table.
        """
        await self._hand_over(
            self._core.assigned(self.partition, self.table.values, committed, self._clock(), generation)
        )
        await self.pipeline.drain()
        if not self.table.whole:
            raise LaneError(
                f"another worker wrote to the changelog of partition {self.partition} while it was taken over: "
                "this worker ends, and recovers anew when it is started again"
            )

    @property
    def running(self) -> bool:
        """Whether input is let in."""
        return self._task is not None and not self._closing

    @property
    def settled(self) -> bool:
        """Whether every batch so far is done and committed."""
        return self.pipeline.idle and all(self._floor[topic] >= end for topic, end in self._decided.items())

    @property
    def uncommitted(self) -> int:
        """Records that the core has decided on and whose offsets are not committed."""
        return sum(max(0, end - self._floor[topic]) for topic, end in self._decided.items())

    def start(self) -> None:
        """Begin with the input."""
        self._task = asyncio.ensure_future(self._run())

    def feed(self, topic: str, records: Sequence[Record], position: int, end: int) -> None:
        """What a fetch brought for one input topic."""
        self.merge.add(topic, records, position)
        self.merge.saw_end(topic, end)
        self._work.set()

    def note_committed(self, offsets: dict[str, int]) -> None:
        """Offsets were committed; the core hears of it at its next turn."""
        self._committed.update(offsets)
        self._floor.update(offsets)
        self._work.set()

    def committed_up_to(self, topic: str) -> int:
        """The next offset of a topic as committed, or where reading started."""
        return self._floor[topic]

    def halt(self) -> None:
        """Give the core nothing more; what it has in hand ends."""
        self._closing = True
        self._work.set()

    async def finish(self) -> None:
        """Stop taking input, let the batch in hand and all that is under way end."""
        self.halt()
        if self._task is not None:
            await asyncio.wait([self._task])
            await self._guarded(self._leave)
        await self.pipeline.drain()

    async def revoke(self) -> None:
        """After the last commit: the core forgets the partition."""
        self._tell_committed()
        await self.pipeline.close()
        self._core.revoked(self.partition)

    async def _run(self) -> None:
        await self._guarded(self._work_on)

    async def _work_on(self) -> None:
        while not self._closing:
            await self._take_turn()
            if self._rest and self.settled:
                self._tell_committed()
                await self._process(())
            elif self._rest:
                await self._wait()
            elif records := self.merge.take(self._clock(), self._limit):
                await self._process(records)
            else:
                await self._wait()

    async def _leave(self) -> None:
        """A core that has something under way outside ends it, as long as there is a way out for what comes of it."""
        waking, self._waking = self._waking, None
        if waking is not None and not self._broken and not self.pipeline.broken:
            batch = await waking.leave(self.partition, self._clock())
            if batch is not None:
                await self._hand_over(batch)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and cancellation.is_own():
                raise
            self._broken = True  # the fate of anything else is chosen: the worker ends
            self._fail(error)

    async def _wait(self) -> None:
        now = self._clock()
        delay = min(self._turn_at - now, self._settings.turn_interval)
        held = self.merge.wait(now)
        if held is not None:
            delay = min(delay, held)
        timer = asyncio.get_running_loop().call_later(max(delay, 0) / 1000, self._work.set)
        try:
            await self._work.wait()
        finally:
            timer.cancel()
        self._work.clear()

    async def _process(self, records: Sequence[Record]) -> None:
        async with self._turn:
            if self._closing:
                return  # taken and not decided on: nothing of it is committed, and whoever is next reads it again
            started = time.perf_counter()
            decided = self._core.process(self.partition, records, self._clock())
            if not inspect.isawaitable(decided):
                self._adapt(len(records), time.perf_counter() - started)
                self._take_over(decided, records)  # before anybody else runs: the core may look values up
                await asyncio.sleep(0)
        if inspect.isawaitable(decided):
            decided = await decided
            self._take_over(decided, records)
        await self.pipeline.put(decided)

    def _adapt(self, records: int, seconds: float) -> None:
        """Cut the next batches so that one takes about the time it may; small ones tell nothing.

        One full batch after the other means that the partition is behind: then batches may take longer.
        """
        if records < self._limit:
            self._full = 0
            return
        self._full += 1
        behind = self._full >= FULL_BATCHES_BEHIND
        allowed = self._settings.batch_time_behind if behind else self._settings.batch_time
        fitting = int(records * allowed / 1000 / max(seconds, 1e-6))
        self._limit = max(SMALLEST_BATCH, min(self._settings.batch_records, (records + fitting) // 2))

    async def _hand_over(self, batch: Batch) -> None:
        self._take_over(batch, ())
        await self.pipeline.put(batch)

    def _take_over(self, batch: Batch, records: Sequence[Record]) -> None:
        self.table.apply(batch.changelog)
        self._decided.update(batch.offsets)
        applied = self._rest + len(records) - batch.rest
        self._rest = batch.rest
        self._hooks.on_batch(
            BatchCounts(
                self.partition,
                applied,
                len(batch.changelog),
                len(batch.sends),
                records[0].timestamp if records else 0,
                sum(len(key) + len(value or b"") for key, value in batch.changelog),
            )
        )

    async def _take_turn(self) -> None:
        self._tell_committed()
        now = self._clock()
        if 0 < self._turn_at - now <= self._settings.turn_interval:  # else it is time, or the clock was set back
            return
        self._turn_at = now + self._settings.turn_interval
        tick = self._core.tick(self.partition, now)
        if tick is not None:
            await self._send_tick(tick)
        if self._waking is not None:
            batch = await self._waking.wake(self.partition, now)
            if batch is not None:
                await self._hand_over(batch)

    async def _send_tick(self, tick: Outgoing) -> None:
        row = (tick.key, tick.value, [*tick.headers])
        for ack in await self._emitter.append(tick.topic, self.partition, [row]):
            await ack.future

    def _tell_committed(self) -> None:
        if self._committed:
            committed, self._committed = self._committed, {}
            self._core.committed(self.partition, committed)
