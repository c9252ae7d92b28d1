"""Faust's transport with a batch lane in place of its path message by message (docs/adr: the lane's transport).

Group, assignor, rebalance and threads stay Faust's and aiokafka's. What is replaced: how records are unpacked, how
they are handed over (whole lists, no task or object of Faust's per record), what is committed, and what happens
at a revocation.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from orchestrator.stream import cancellation
from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.shell import Fetched
from orchestrator.stream.unpacking import packed, unpack

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping

    from aiokafka import AIOKafkaConsumer

    from orchestrator.stream.recovery import LaneRecovery
    from orchestrator.stream.shell import Shell

Answer = TypeVar("Answer")

GIVEN_UP = "the consumer's thread gave up a request of this worker: it ends, and recovers when it is started again"
LOOK_SECONDS = 1.0
"""How often it is looked whether the consumer's own tasks go on."""
FETCH_SECONDS = 0.2
"""How long a fetch waits for data; then it looks again what is wanted."""
FETCH_SECONDS_WHEN_FULL = 0.01
"""The same while some partitions have no room: they may have some at any moment."""


class LaneThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread with aiokafka's consumer in it."""

    mundane_level = "debug"
    heard_at: float = 0.0

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = self.app.shell.settings.fetch_max_wait  # noqa: SLF001  Faust hard-codes 1500
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001
        heartbeat = coordinator._do_heartbeat  # noqa: SLF001

        async def heartbeat_noted() -> bool:
            sent_at = time.monotonic()
            alive: bool = await heartbeat()
            if alive:
                self.heard_at = sent_at
            return alive

        coordinator._do_heartbeat = heartbeat_noted  # noqa: SLF001

    async def ask(self, question: Coroutine[Any, Any, Answer], seconds: float | None = None) -> Answer:
        """Run something in the consumer's thread and wait for it, for as long as a request may take.

        Raises:
            LaneError: it was cancelled there, though nobody here was. To Faust a cancelled task has ended as it should:
                its loops would read, or commit, nothing any more, and nobody would be told.
        """
        running = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question, self.thread_loop))
        try:
            async with asyncio.timeout(seconds or self.app.conf.broker_request_timeout):
                return await running  # `wait_for` loses a cancellation that comes with the answer (Python 3.11)
        except asyncio.CancelledError:
            if self.app.should_stop or cancellation.is_own():
                raise
            raise LaneError(GIVEN_UP) from None

    async def fetch(self, wanted: set[TP], epoch: int, seconds: float) -> Fetched:
        """What has come for these partitions; waits for some, but not for long.

        Asked for even where nothing is wanted: aiokafka makes a member that never fetches leave the group, and one
        without partitions must stay to take over.

        Nothing is taken once the shell's epoch has changed, for then the positions are about to change too: what
        was taken and thrown away after that would never be read again.
        """
        fetcher = self._ensure_consumer()._fetcher  # noqa: SLF001
        subscriptions = fetcher._subscriptions  # noqa: SLF001
        until = time.monotonic() + seconds
        with subscriptions.fetch_context():
            while True:
                if fetcher._closed:  # noqa: SLF001
                    raise ConsumerStoppedError
                if subscriptions.reassignment_in_progress or self.app.shell.epoch != epoch:
                    return Fetched()
                fetched = self._take(fetcher, wanted)
                left = until - time.monotonic()
                if fetched or left <= 0:
                    return fetched
                waiter = fetcher._create_fetch_waiter()  # noqa: SLF001
                await asyncio.wait([waiter], timeout=left)
                if waiter.done():
                    waiter.result()
                else:
                    waiter.cancel()

    def _take(self, fetcher: Any, wanted: set[TP]) -> Fetched:
        taken = Fetched()
        ready = fetcher._records  # noqa: SLF001
        for tp in [each for each in ready if each in wanted]:
            result = ready[tp]
            if type(result) is not FetchResult and taken:
                continue  # an error waits for the next call, so that what was read before it is not lost
            del ready[tp]
            fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001
            if type(result) is not FetchResult:
                result.check_raise()
            elif result.check_assignment(tp) and result.has_more():
                self._take_one(result, tp, taken)
        return taken

    def _take_one(self, result: FetchResult, tp: TopicPartition, taken: Fetched) -> None:
        shell, check_crcs = self.app.shell, self.app.conf.broker_check_crcs
        fetched = result._partition_records  # noqa: SLF001
        state = result._assignment.state_value(tp)  # noqa: SLF001
        which = TP(tp.topic, tp.partition)
        if tp.topic != shell.settings.changelog:
            records = unpack(tp, fetched, check_crcs=check_crcs)
            taken.inputs[which] = (records, fetched.next_fetch_offset, state.highwater)
        elif (restore := shell.restores.get(tp.partition)) is not None:
            taken.changelogs[which] = packed(tp, fetched, check_crcs=check_crcs)
            if fetched.next_fetch_offset >= restore.end:
                state.pause()  # before a request goes out that waits there, and all others to this broker behind it
        result._update_position()  # noqa: SLF001

    async def check(self) -> None:
        """Look whether the consumer still works for its group and for fetches.

        aiokafka tells it to who reads by its own methods, and waits until it is told: nothing of ours does.

        Raises:
            LaneError: the group has refused this worker, or a task of the consumer has ended.
        """
        consumer = self._ensure_consumer()
        try:
            consumer._coordinator.check_errors()  # noqa: SLF001
            if consumer._fetcher._fetch_task.done():  # noqa: SLF001
                consumer._fetcher._fetch_task.result()  # noqa: SLF001
        except KafkaError as error:
            raise LaneError(
                f"this worker cannot go on as a member of the group {self.app.conf.id}: {error}; see that it has the "
                "right to read the group, that nothing else uses the group's name, and what its session timeout is"
            ) from error

    async def answers(self, tps: Iterable[TP]) -> dict[TP, tuple[int, int]]:
        """Partition -> (position, when the broker last answered for it, in ms); what has no position is left out."""
        assignment = self._ensure_consumer()._subscription.subscription.assignment  # noqa: SLF001
        found = {}
        for tp in tps:
            state = assignment.state_value(TopicPartition(*tp))
            if state is not None and state.has_valid_position:
                found[tp] = (state.position, state.timestamp or 0)
        return found

    async def read_from(self, positions: Mapping[TP, int]) -> None:
        """Read these partitions, from here on, and no others; what is already fetched of them is thrown away.

        A request waits at the broker while there is nothing new for it, and all that follow wait behind it. So
        nothing is asked for that nobody can use yet: no input during a recovery, no own writes after it.
        """
        consumer = self._ensure_consumer()
        for tp in consumer.assignment():
            consumer.pause(tp)
        for tp, position in positions.items():
            consumer.seek(TopicPartition(*tp), position)
            consumer.resume(TopicPartition(*tp))

    async def committed_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        """What the group has committed; partitions without a commit are left out."""
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001
        found = await coordinator.fetch_committed_offsets([TopicPartition(*tp) for tp in tps])
        return {TP(*tp): each.offset for tp, each in found.items() if each.offset >= 0}


class LaneConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer, handing whole batches to the lane's shell."""

    mundane_level = "debug"
    _thread: LaneThread

    @property
    def shell(self) -> Shell:
        shell: Shell = self.app.shell
        return shell

    def _new_consumer_thread(self) -> LaneThread:
        return LaneThread(self, loop=self.loop, beacon=self.beacon)

    # -- in ------------------------------------------------------------------------------------------------

    async def _drain_messages(self, fetcher: Any) -> None:
        """Faust's fetch loop: read what is wanted, hand it over, until the consumer stops.

        Faust ends it by a cancellation, which it takes for a restart while the group is rebalancing, and a restart
        without a supervisor for a crash. A worker that stops before it has its first partitions has not crashed.
        """
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):  # noqa: SLF001
                await self._drain_once()
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _drain_once(self) -> None:
        if not self.flow_active:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FETCH_SECONDS):
                    await self.can_resume_flow.wait()
            return
        shell, active = self.shell, self._get_active_partitions()
        wanted = shell.wanted(active)
        epoch = shell.epoch
        seconds = FETCH_SECONDS if len(wanted) == len(active) else FETCH_SECONDS_WHEN_FULL
        fetched = await self._thread.ask(self._thread.fetch(wanted, epoch, seconds))
        if shell.epoch == epoch:
            shell.feed(fetched.inputs)
        await shell.restore(fetched.changelogs, epoch)
        await asyncio.sleep(0)

    # -- commits -------------------------------------------------------------------------------------------

    @property
    def heard_at(self) -> float:
        return self._thread.heard_at

    async def commit_offsets(self, offsets: Mapping[tuple[str, int], int]) -> bool:
        consumer = self._thread._ensure_consumer()  # noqa: SLF001
        what = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
        try:
            await self._thread.ask(consumer.commit(what))
        except CommitFailedError:
            self.log.info("the group is rebalancing: %d offsets stay uncommitted", len(what))
            return False
        return True

    async def ends(self, partitions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
        found: Mapping[tuple[str, int], int] = await self.highwaters(*(TP(*each) for each in partitions))
        return found

    @Service.task  # type: ignore[untyped-decorator]
    async def _commit_handler(self) -> None:
        """In place of Faust's: commit what the shell says is done, at short intervals."""
        while not self.should_stop:
            await self.sleep(self.shell.settings.commit_interval / 1000)
            await self.shell.commit()

    @Service.task  # type: ignore[untyped-decorator]
    async def _commit_livelock_detector(self) -> None:
        """Faust's looks at its own path message by message; the watchdog stands in for it."""

    @Service.task  # type: ignore[untyped-decorator]
    async def _group_watch(self) -> None:
        """A consumer that its group refuses, or whose tasks have ended, only waits: then the worker ends instead."""
        while not self.should_stop:
            await self.sleep(LOOK_SECONDS)
            if not self.should_stop:
                await self._thread.ask(self._thread.check())

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        return await self.shell.commit()

    async def perform_seek(self) -> None:
        """Nothing: the recovery sets positions, and sets them all."""

    # -- the end of an ownership ---------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit while the partitions are still ours, then let Faust go on.

        aiokafka logs and forgets what a listener raises: so any failure ends the worker from here.
        """
        try:
            await self._give_up()
        except BaseException as error:
            self.shell.fail(error)
            raise
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._thread.heard_at = time.monotonic()
        try:
            await super().on_partitions_assigned(assigned, generation_id)
        except BaseException as error:
            self.shell.fail(error)
            raise

    async def wait_empty(self) -> None:
        """Called by Faust at a revocation (when all is done already) and when it stops."""
        await self._give_up()

    async def _give_up(self) -> None:
        self.stop_flow()
        recovery: LaneRecovery = self.app.tables.recovery
        await recovery.interrupt()
        await self.shell.release()


class LaneProducer(driver.Producer):  # type: ignore[misc]
    """Faust's producer, idempotent: a late duplicate of an old write can never land behind a newer one."""

    mundane_level = "debug"

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class LaneTransport(driver.Transport):  # type: ignore[misc]
    """What Faust makes consumers and producers from."""

    Consumer: ClassVar[type[LaneConsumer]] = LaneConsumer
    Producer: ClassVar[type[LaneProducer]] = LaneProducer
