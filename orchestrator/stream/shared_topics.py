"""Compacted topics that every process holds whole: facts, bundles, who owns which partition.

A plain consumer without a group reads all partitions from the beginning; Faust's GlobalTable, made for this, has
open defects. What is in the topic when reading starts is read before `ready`; from there on rows follow as they
come. Rows of one key come in order, and each at least once: the last one told is the one that holds, but for facts:
there a worker that has lost a partition may come late with an older one, so they say how old they are.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from aiokafka import AIOKafkaConsumer

from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.newest import Newest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from aiokafka import ConsumerRecord, TopicPartition

    Take = Callable[[Sequence[tuple[bytes, bytes | None]]], Awaitable[None] | None]

POLL_MS = 200
ASSIGN_SECONDS = 30
SETTLE_MS = 2_000
"""For how long the broker must answer that it has nothing before a place short of the end is taken for it."""
log = logging.getLogger(__name__)


class CompactedTopic:
    """Reads one compacted topic from its beginning and follows it.

    Use as `async with CompactedTopic(...) as topic: await topic.ready()`, beside whatever needs the rows.

    Args:
        topic: its name; it exists already.
        on_rows: given the rows of a fetch, (key, value) with None for a deletion, oldest first within a
            partition. Called in the event loop; must not block. It may be a coroutine function: nothing is read on
            until it is done. What it raises ends the reading, see `failed`.
        connection: how to reach the cluster, as aiokafka's clients take it.
    """

    def __init__(
        self,
        topic: str,
        on_rows: Take,
        *,
        connection: Mapping[str, Any],
    ) -> None:
        self.topic = topic
        self.rows = 0
        self._on_rows = on_rows
        self._consumer = AIOKafkaConsumer(
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
            **connection,
        )
        self._caught_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
            await self._assign()
        except BaseException:
            await stop_consumer(self._consumer)
            raise
        self._reading = asyncio.ensure_future(self._read())
        self._reading.add_done_callback(self._ended)
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        await stop_consumer(self._consumer)

    @property
    def caught_up(self) -> bool:
        """Whether everything is read that was in the topic when reading started."""
        return self._caught_up.done() and not self._caught_up.cancelled() and self._caught_up.exception() is None

    async def ready(self) -> None:
        """Wait until everything is read that was in the topic when reading started.

        Raises:
            Exception: what ended the reading.
        """
        await asyncio.shield(self._caught_up)

    async def failed(self) -> None:
        """Wait until the reading has ended by a failure and raise it; a worker that misses rows must not go on."""
        if self._reading is None:
            raise RuntimeError("enter the topic first")
        await asyncio.shield(self._reading)

    def when_failed(self, told: Callable[[BaseException], None]) -> None:
        """Have `told` called with the failure that ends the reading, if one does, also where it has ended already."""
        if self._reading is None:
            raise RuntimeError("enter the topic first")
        self._reading.add_done_callback(lambda done: _tell_failure(done, told))

    async def _assign(self) -> None:
        """All partitions of the topic; a subscription that finds no topic would wait for it for ever."""
        if self.topic not in await self._consumer.topics():
            raise LaneError(f"topic {self.topic} does not exist: run `orchestrator topics apply`")
        self._consumer.subscribe([self.topic])
        async with asyncio.timeout(ASSIGN_SECONDS):
            while not self._consumer.assignment():  # noqa: ASYNC110  aiokafka tells it in no other way
                await asyncio.sleep(0.01)

    def _ended(self, reading: asyncio.Task[None]) -> None:
        error = None if reading.cancelled() else reading.exception()
        if error is not None:
            log.error("reading topic %s ended", self.topic, exc_info=error)
        if not self._caught_up.done():
            self._caught_up.set_exception(error or asyncio.CancelledError())
            self._caught_up.exception()

    async def _read(self) -> None:
        backlog = await Backlog.of(self._consumer, self._consumer.assignment())
        while True:
            for some in (await self._consumer.getmany(timeout_ms=POLL_MS)).values():
                self.rows += len(some)
                taking = self._on_rows(self._counting(some))
                if taking is not None:
                    await taking
            if not self._caught_up.done() and await backlog.is_read():
                self._caught_up.set_result(None)

    def _counting(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> list[tuple[bytes, bytes | None]]:
        """The rows of a fetch that count: here all of them."""
        return [(record.key, record.value) for record in records]


class VersionedTopic(CompactedTopic):
    """One whose rows say when they were made: of a key the newest counts, in whatever order they come."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._newest = Newest()

    def _counting(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> list[tuple[bytes, bytes | None]]:
        passes = self._newest.passes
        return [(record.key, record.value) for record in records if passes(record.key, record.headers)]


class Backlog:
    """What some partitions held when their reading began, and whether it is read."""

    def __init__(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        self._consumer = consumer
        self._places = {part: _Place(end) for part, end in ends.items() if end}

    @classmethod
    async def of(cls, consumer: AIOKafkaConsumer, parts: Iterable[TopicPartition]) -> Self:
        """What is in these partitions now; the consumer has been assigned them, and reads from their beginning."""
        return cls(consumer, await consumer.end_offsets(parts))

    async def is_read(self) -> bool:
        """Whether all of it has come, or the broker has said often enough that there is nothing left of it."""
        return all([await self._settled(*each) for each in self._places.items()])

    async def _settled(self, part: TopicPartition, place: _Place) -> bool:
        position = await self._consumer.position(part)
        return place.settled(position, self._consumer.last_poll_timestamp(part) or 0)


class _Place:
    """How far one partition is read, and since when the broker has had nothing more.

    Compaction may have removed the records before an end. Then no fetch ever brings them, but the broker goes on
    answering; an answer, not time alone, says that there is nothing.
    """

    def __init__(self, end: int) -> None:
        self.end = end
        self._position = -1
        self._empty_since = 0

    def settled(self, position: int, answered_at: int) -> bool:
        if position >= self.end:
            return True
        if position != self._position or not self._empty_since:
            self._position = position
            self._empty_since = answered_at
        return bool(self._empty_since) and answered_at - self._empty_since >= SETTLE_MS


def _tell_failure(reading: asyncio.Task[None], told: Callable[[BaseException], None]) -> None:
    error = None if reading.cancelled() else reading.exception()
    if error is not None:
        told(error)


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, whatever its broker does.

    Where the broker is away, aiokafka cancels a fetch that waits to be tried again, and lets that cancellation out of
    `stop` as if the process itself were cancelled: it would end with a trace, and what is behind it not be put away.
    """
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait([stopping])
    if stopping.cancelled():
        await consumer._client.close()  # noqa: SLF001 - all that is left open
    else:
        stopping.result()
