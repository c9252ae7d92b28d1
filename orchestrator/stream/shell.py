"""The lane's shell: which partitions are at work, from assignment over recovery to revocation."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

import msgspec

from orchestrator.stream.clock import wall_clock
from orchestrator.stream.emitter import Pipeline
from orchestrator.stream.lane.merge import Merge
from orchestrator.stream.lane_settings import LaneError, LaneHooks, LaneSettings
from orchestrator.stream.partition import PartitionRunner
from orchestrator.stream.table import PartitionTable, Restore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from faust.types import TP

    from orchestrator.stream.emitter import Emitter
    from orchestrator.stream.lane.records import Core, Record
    from orchestrator.stream.unpacking import PackedBatch
    from orchestrator.stream.watchdog import Pulse


class Fetched(msgspec.Struct):
    """What a fetch brought."""

    inputs: dict[TP, tuple[list[Record], int, int]] = msgspec.field(default_factory=dict)
    """Input partition -> (records, the offset after them, the partition's end as the broker told it)."""
    changelogs: dict[TP, list[PackedBatch]] = msgspec.field(default_factory=dict)
    """Changelog partition -> its next batches."""

    def __bool__(self) -> bool:
        return bool(self.inputs or self.changelogs)


class Group(Protocol):
    """What the shell needs of the consumer group."""

    heard_at: float
    """When the group last confirmed that this worker is a member (monotonic seconds)."""

    async def commit_offsets(self, offsets: Mapping[tuple[str, int], int]) -> bool:
        """Commit; False when the group is rebalancing and the offsets were not taken."""
        ...

    async def ends(self, partitions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
        """The next free offset of each."""
        ...


class Shell:
    """Owns the partitions at work. Everything here runs in the event loop's thread.

    Args:
        core: what decides.
        settings: see there.
        hooks: called as things happen.
        pulse: what the watchdog looks at.
        pipeline: the class of pipelines to make; tests give one with failpoints.
        clock: the wall clock in ms.
    """

    def __init__(
        self,
        core: Core,
        settings: LaneSettings,
        hooks: LaneHooks,
        pulse: Pulse,
        *,
        pipeline: type[Pipeline] = Pipeline,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        self.core = core
        self.settings = settings
        self.hooks = hooks
        self.runners: dict[int, PartitionRunner] = {}
        self.restores: dict[int, Restore] = {}
        self.restored = asyncio.Event()
        """Set when all restores of a recovery are done."""
        self.epoch = 0
        """Raised before every change of positions: what a fetch of an older epoch brings belongs to no one."""
        self.pulse = pulse
        self.failed = asyncio.Event()
        self.failure: BaseException | None = None
        self.opened = False
        """Whether everything that the group has given to this worker is recovered and takes input."""
        self.emitter: Emitter
        self.group: Group | None = None
        self._pipeline = pipeline
        self._clock = clock
        self._kept: dict[int, PartitionTable] = {}
        self._releasing = False
        self._committing = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._inputs = frozenset(core.input_topics)

    def fail(self, error: BaseException) -> None:
        """Remember the first failure and let the worker end. Safe to call again, and from the loop's thread only."""
        if self.failure is None:
            self.failure = error
        self.failed.set()

    # -- assignment and recovery ---------------------------------------------------------------------------

    def table_for(self, partition: int) -> PartitionTable:
        """The table to recover into: the one kept from the last ownership, or an empty one."""
        return self._kept.pop(partition, None) or PartitionTable(partition, self.core)

    def begin(self, partitions: Iterable[int]) -> None:
        """A new assignment: forget the tables of partitions that went elsewhere, and any recovery under way."""
        wanted = set(partitions)
        self._kept = {each: table for each, table in self._kept.items() if each in wanted}
        self.restores = {}
        self.restored.clear()
        self._releasing = False
        self.opened = False
        self.epoch += 1
        self.hooks.on_assigned(len(wanted))

    async def open(
        self,
        table: PartitionTable,
        starts: Mapping[str, tuple[int, int]],
        committed: dict[str, int],
        generation: int = 0,
    ) -> None:
        """A recovered partition: hand it to the core, get its first writes and sends acknowledged.

        Args:
            table: the recovered values.
            starts: input topic -> (where reading starts, the topic's end).
            committed: topic -> next offset, as the group has it.
            generation: the group's in which the partition came here.
        """
        merge = Merge(self.core.input_topics, self.settings.patience)
        for topic, (position, end) in starts.items():
            merge.start(topic, position, end)
        runner = self.runners[table.partition] = self._runner(table, merge)
        await runner.assign(committed, generation)

    def _runner(self, table: PartitionTable, merge: Merge) -> PartitionRunner:
        partition, settings = table.partition, self.settings
        pipeline = self._pipeline(
            self.emitter,
            (settings.changelog, partition),
            ownership=self,
            log=table,
            fail=self.fail,
            on_durable=lambda offsets: self.hooks.on_durable(partition, offsets),
            limit=settings.batches_in_flight,
        )
        return PartitionRunner(
            partition,
            self.core,
            table=table,
            merge=merge,
            pipeline=pipeline,
            emitter=self.emitter,
            settings=settings,
            hooks=self.hooks,
            turn=self._turn,
            clock=self._clock,
            fail=self.fail,
        )

    def start(self) -> None:
        """All partitions are recovered: let their input come."""
        for partition, runner in self.runners.items():
            runner.start()
            self.hooks.on_ready(partition)
        self.opened = True

    # -- the way in ----------------------------------------------------------------------------------------

    def wanted(self, active: Iterable[TP]) -> set[TP]:
        """Of the partitions that are not paused, those that still have room for more records."""
        return {tp for tp in active if tp.topic not in self._inputs or self._has_room(tp)}

    def _has_room(self, tp: TP) -> bool:
        runner, settings = self.runners.get(tp.partition), self.settings
        if runner is None:
            return True
        merge = runner.merge
        return merge.backlog(tp.topic) < settings.backlog_records and merge.size(tp.topic) < settings.backlog_bytes

    def feed(self, inputs: Mapping[TP, tuple[list[Record], int, int]]) -> None:
        """Route what a fetch brought of input topics to its partitions.

        Raises:
            LaneError: an input topic went back in time; its records were deleted and written anew.
        """
        for tp, (records, position, end) in inputs.items():
            self._feed_input(tp, records, position, end)

    async def restore(self, changelogs: Mapping[TP, list[PackedBatch]], epoch: int) -> None:
        """Apply what a fetch brought of changelogs, until the epoch changes.

        The loop goes round after every partition: the worker answers meanwhile, and the next fetch is under way.

        Raises:
            CorruptRecordException: a batch does not have the checksum it claims.
        """
        for tp, batches in changelogs.items():
            restore = self.restores.get(tp.partition)
            if self.epoch != epoch or restore is None:
                return
            for batch in batches:
                restore.add(batch.records(), batch.next_offset)
            if all(each.done for each in self.restores.values()):
                self.restored.set()
            await asyncio.sleep(0)

    def _feed_input(self, tp: TP, records: Sequence[Record], position: int, end: int) -> None:
        runner = self.runners.get(tp.partition)
        if runner is None:
            raise LaneError(
                f"{tp.topic}[{tp.partition}] brought input while it is not ours: this is a defect, report it"
            )
        expected = runner.merge.position(tp.topic)
        if records and records[0].offset < expected:
            raise LaneError(
                f"{tp.topic}[{tp.partition}] went back from offset {expected} to {records[0].offset}: the broker lost "
                "records or the topic was made anew; check it, then set the group's offsets by hand"
            )
        runner.feed(tp.topic, records, position, end)

    # -- the way out ---------------------------------------------------------------------------------------

    async def commit(self) -> bool:
        """Commit what is done since the last time; whether there was anything and the group took it."""
        async with self._committing:
            done = {partition: runner.pipeline.take_done() for partition, runner in self.runners.items()}
            offsets = {(topic, p): offset for p, some in done.items() for topic, offset in some.items()}
            if not offsets or not await self.commit_offsets(offsets):
                return False
            for partition, some in done.items():
                if some and partition in self.runners:
                    self.runners[partition].note_committed(some)
            self.pulse.committed()
            self.hooks.on_commit(len(offsets))
            return True

    async def commit_offsets(self, offsets: Mapping[tuple[str, int], int]) -> bool:
        """One commit request."""
        return self.group is not None and await self.group.commit_offsets(offsets)

    def heard_at(self) -> float:
        """When the group last confirmed this worker (monotonic seconds)."""
        return self.group.heard_at if self.group is not None else 0.0

    async def confirm(self) -> bool:
        """Wait until the group has confirmed this worker within a session timeout; False when giving up instead.

        A worker that stood still for longer (stopped, swapped out, cut off) may have lost its partitions without
        knowing: it must not write or send before it has heard from the group again.
        """
        limit = self.settings.session_timeout / 1000
        while time.monotonic() - self.heard_at() > limit:
            if self._releasing or self.failed.is_set():
                return False
            await asyncio.sleep(0.02)
        return True

    # -- the end of an ownership ---------------------------------------------------------------------------

    def halt(self) -> None:
        """A stop is near: decide nothing more, so that it need not wait for a turn of every partition."""
        for runner in self.runners.values():
            runner.halt()

    async def release(self) -> None:
        """Give all partitions up: finish what is in hand, commit it, let the core forget them."""
        self.epoch += 1
        self.opened = False
        self._releasing = True
        self._kept |= {each: restore.table for each, restore in self.restores.items()}
        self.restores = {}
        runners = list(self.runners.values())
        await asyncio.gather(*(runner.finish() for runner in runners))
        await self.commit()
        self.runners = {}
        for runner in runners:
            abandoned = runner.pipeline.broken
            await runner.revoke()
            if runner.table.keep() and not abandoned:
                self._kept[runner.partition] = runner.table
            self.hooks.on_revoked(runner.partition)

    # -- for the watchdog and for whoever asks -------------------------------------------------------------

    async def look_at_lag(self) -> None:
        """Ask the broker where the inputs end; tell the watchdog whether, and the hook how much, is not committed."""
        runners = dict(self.runners)
        asked = [(topic, each) for each in runners for topic in self.core.input_topics]
        ends = await self.group.ends(asked) if asked and self.group is not None else {}
        behind = {(topic, p): end - runners[p].committed_up_to(topic) for (topic, p), end in ends.items()}
        self.pulse.lag(any(records > 0 for records in behind.values()))
        self.hooks.on_lag({which: max(0, records) for which, records in behind.items()})

    def in_hand(self) -> dict[int, int]:
        """Partition -> batches that wait for the broker; a change says that it answers."""
        return {partition: runner.pipeline.under_way for partition, runner in self.runners.items()}

    def uncommitted(self) -> list[int]:
        """For each partition at work, the records that are decided and not committed."""
        return [runner.uncommitted for runner in self.runners.values()]

    def settled(self) -> bool:
        """Whether everything handed to the core is written, sent and committed."""
        return all(runner.settled for runner in self.runners.values())

    def lag(self) -> dict[str, int]:
        """Input topic -> records that are not handed to the core yet, as far as the topics' ends are known."""
        return {
            topic: sum(runner.merge.lag(topic) for runner in self.runners.values()) for topic in self.core.input_topics
        }
