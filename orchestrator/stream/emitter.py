"""The way out of the lane: changelog acknowledged, then sends acknowledged, batch by batch, in order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from orchestrator.model.partition import partition_of
from orchestrator.stream import cancellation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from aiokafka import AIOKafkaProducer
    from aiokafka.structs import RecordMetadata

    from orchestrator.stream.lane.records import Batch, Outgoing

Row = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Key, value, headers; aiokafka wants the headers as a list."""

_NO_HEADERS: list[tuple[str, bytes]] = []


class Ack(Protocol):
    """A producer batch under way: await it for where it landed; it raises what went wrong."""

    records: int
    future: Awaitable[RecordMetadata]


class _Ack:
    __slots__ = ("future", "records")

    def __init__(self, future: Awaitable[RecordMetadata], records: int) -> None:
        self.future = future
        self.records = records


class Emitter:
    """Appends whole batches to the producer; no future per record.

    Args:
        producer: asked for at every use, since Faust makes it only when it starts.
    """

    def __init__(self, producer: Callable[[], AIOKafkaProducer]) -> None:
        self._producer = producer
        self._counts: dict[str, int] = {}
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def append(self, topic: str, partition: int, rows: Iterable[Row]) -> list[Ack]:
        """Append rows, in order, to one partition.

        Returns:
            One acknowledgement per producer batch, in order. The rows stay in order as long as the caller appends
            to this partition from one place at a time.

        Raises:
            KafkaError: the producer is closed, or has had no room for the whole request timeout.
        """
        producer = self._producer()
        acks: list[Ack] = []
        builder = producer.create_batch()
        append = builder.append
        for key, value, headers in rows:
            if append(timestamp=None, key=key, value=value, headers=headers) is None:
                acks.append(await self._submit(builder, topic, partition))
                builder = producer.create_batch()
                append = builder.append
                append(timestamp=None, key=key, value=value, headers=headers)
        if builder.record_count():
            acks.append(await self._submit(builder, topic, partition))
        return acks

    async def _submit(self, builder: object, topic: str, partition: int) -> Ack:
        """One batch, in its turn: aiokafka has one place for each partition, and wakes all who wait for it.

        Among several, the one who comes too late takes the whole time since it began off its patience, again each
        time (`add_batch` in 0.14): under load a minute was over after some seconds, and the worker ended. Here only
        one waits there at a time.
        """
        records = builder.record_count()  # type: ignore[attr-defined]
        builder.close()  # type: ignore[attr-defined]
        async with self._turns[topic, partition]:
            return _Ack(await self._producer().send_batch(builder, topic, partition=partition), records)

    async def send(self, sends: Iterable[Outgoing]) -> list[Ack]:
        """Append what a core wants sent, in order for each partition it goes to.

        Raises:
            KafkaError: as `append`, or a topic does not exist.
        """
        rows: dict[tuple[str, int], list[Row]] = {}
        for each in sends:
            partition = each.partition if each.partition is not None else await self._place(each)
            rows.setdefault((each.topic, partition), []).append((each.key, each.value, [*each.headers]))
        acks: list[Ack] = []
        for (topic, partition), some in rows.items():
            acks += await self.append(topic, partition, some)
        return acks

    async def _place(self, outgoing: Outgoing) -> int:
        if outgoing.key is None:
            return 0
        count = self._counts.get(outgoing.topic)
        if count is None:
            count = self._counts[outgoing.topic] = len(await self._producer().partitions_for(outgoing.topic))
        return partition_of(outgoing.key, count)


class Ownership(Protocol):
    """Whether this worker may still write for a partition."""

    async def confirm(self) -> bool:
        """Wait until the group has been heard from lately enough; False when the partition is being given up."""
        ...


class Log(Protocol):
    """The partition's table, as far as it follows what is acknowledged in its changelog."""

    def wrote(self, base_offset: int, records: int) -> None:
        """Own records are in the changelog from that offset on."""
        ...


class Pipeline:
    """Takes the batches of one partition through changelog and sends, each acknowledged before the next step.

    Several batches are under way at once, but changelog records are appended in batch order, sends are appended in
    batch order, and a batch counts as done only after all before it. A batch whose ownership cannot be confirmed
    is abandoned with all behind it: the next owner recovers from what is durable.

    Args:
        emitter: the way to the broker.
        changelog: topic and partition of the changelog.
        ownership: asked before each step that others can see.
        log: told where own changelog records landed.
        fail: told the first exception; nothing goes on after it.
        on_durable: told a batch's offsets once its changelog is acknowledged.
        limit: how many batches may be under way.
    """

    def __init__(
        self,
        emitter: Emitter,
        changelog: tuple[str, int],
        *,
        ownership: Ownership,
        log: Log,
        fail: Callable[[BaseException], None],
        on_durable: Callable[[Mapping[str, int]], None],
        limit: int,
    ) -> None:
        self._emitter = emitter
        self._changelog = changelog
        self._ownership = ownership
        self._log = log
        self._fail = fail
        self._on_durable = on_durable
        self._room = asyncio.Semaphore(limit)
        self._to_write: asyncio.Queue[Batch] = asyncio.Queue()
        self._to_send: asyncio.Queue[tuple[Batch, list[Ack]]] = asyncio.Queue()
        self._to_finish: asyncio.Queue[tuple[Batch, list[Ack]]] = asyncio.Queue()
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._done: dict[str, int] = {}
        self.broken = False
        self._stages = [asyncio.ensure_future(self._stage(step)) for step in (self._write, self._send, self._finish)]

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._open

    @property
    def under_way(self) -> int:
        """How many batches are not done."""
        return self._open

    async def put(self, batch: Batch) -> None:
        """Hand a batch over; waits while too many are under way. After a failure batches go nowhere."""
        await self._room.acquire()
        if self.broken:
            self._room.release()  # the next one is not to wait either
            return
        self._open += 1
        self._idle.clear()
        self._to_write.put_nowait(batch)

    async def drain(self) -> None:
        """Wait until every batch is done, or the pipeline is broken."""
        await self._idle.wait()

    def take_done(self) -> dict[str, int]:
        """The offsets (topic -> next offset) that may be committed since the last call."""
        done, self._done = self._done, {}
        return done

    async def close(self) -> None:
        """End the stages. Call `drain` first: what is still under way is abandoned."""
        self._break()
        for stage in self._stages:
            stage.cancel()
        await asyncio.gather(*self._stages, return_exceptions=True)

    async def _stage(self, step: Callable[[], Awaitable[bool]]) -> None:
        try:
            while await step():
                pass
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and cancellation.is_own():
                raise
            self._fail(error)  # the fate of anything else is chosen: the worker ends
        self._break()

    def _break(self) -> None:
        self.broken = True
        self._idle.set()
        self._room.release()

    async def _write(self) -> bool:
        batch = await self._to_write.get()
        if batch.changelog and not await self._ownership.confirm():
            return False
        self._to_send.put_nowait((batch, await self.append_changelog(batch)))
        return True

    async def _send(self) -> bool:
        batch, acks = await self._to_send.get()
        for ack in acks:
            self._log.wrote((await ack.future).offset, ack.records)
        await self.changelog_acknowledged(batch)
        if batch.sends and not await self._ownership.confirm():
            return False
        self._to_finish.put_nowait((batch, await self.append_sends(batch)))
        return True

    async def _finish(self) -> bool:
        batch, acks = await self._to_finish.get()
        for ack in acks:
            await ack.future
        self.sends_acknowledged(batch)
        self._done.update(batch.offsets)
        self._open -= 1
        if not self._open:
            self._idle.set()
        self._room.release()
        return True

    async def append_changelog(self, batch: Batch) -> list[Ack]:
        """Step 1: append the changelog records."""
        topic, partition = self._changelog
        rows = ((key, value, _NO_HEADERS) for key, value in batch.changelog)
        return await self._emitter.append(topic, partition, rows)

    async def changelog_acknowledged(self, batch: Batch) -> None:
        """Between steps 1 and 2."""
        if batch.offsets:
            self._on_durable(batch.offsets)

    async def append_sends(self, batch: Batch) -> list[Ack]:
        """Step 2: append the sends."""
        return await self._emitter.send(batch.sends) if batch.sends else []

    def sends_acknowledged(self, batch: Batch) -> None:
        """Between steps 2 and 3."""
