"""What the lane's shell and its core hand to each other.

The core (`core.py` for customers, another for delivery) decides; the shell around it (Faust, Kafka, asyncio)
reads, writes, sends and commits. Nothing here knows Kafka, Faust or asyncio, so a simulator can stand in for
the shell. All times are milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence


class Record(msgspec.Struct, gc=False):
    """One record as read from a topic.

    Made for every record that is read, so it is as slim as Python allows and never written to after that.
    Keys and values are the bytes as they came; `timestamp` is the broker's time of appending.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Outgoing(msgspec.Struct, frozen=True):
    """A record that a core wants sent.

    Without a `partition` it goes where its key says (Java's murmur2 over the key's bytes), and where there is
    no key either, to partition 0.
    """

    topic: str
    key: bytes | None
    value: bytes
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Batch(msgspec.Struct):
    """What a core decided about some records of one partition.

    The shell does three things with it, each acknowledged by the broker before the next begins: it writes
    `changelog` (a value of None deletes the key) to the partition's changelog, it sends `sends`, it commits
    `offsets` (topic -> the next offset to read). Sends to one partition keep their order.

    Of the records that the core was given it may have kept `rest` for later: it is called with none when all before
    is committed, as often as some are left. Only then it is given more.
    """

    changelog: list[tuple[bytes, bytes | None]] = msgspec.field(default_factory=list)
    sends: list[Outgoing] = msgspec.field(default_factory=list)
    offsets: dict[str, int] = msgspec.field(default_factory=dict)
    rest: int = 0


class Core(Protocol):
    """The part of the lane that decides. The shell calls it for one partition at a time, never concurrently.

    All calls come from one thread. Calls for the same partition are strictly serial, also when one of them
    returns an awaitable: the next call for that partition comes after the awaitable is done. An exception
    ends the worker: nothing of the batch is written, sent or committed.
    """

    @property
    def input_topics(self) -> tuple[str, ...]:
        """The topics whose records are handed to `process`; all have the changelog's partition count."""
        ...

    def accepts(self, previous: int, value: bytes, /) -> int:
        """The zombie rule, asked at recovery for every value in the changelog's order.

        Args:
            previous: the highest ownership number read in this partition so far; 0 before the first value.
            value: a whole value of the changelog; its head carries the ownership number of its writer.

        Returns:
            The writer's ownership number (at least `previous`) when the value counts, or -1 when it was
            written by a worker that had lost the partition: the shell then skips it. Deletions have no
            value to ask about; they always count.
        """
        ...

    def assigned(
        self,
        partition: int,
        values: Mapping[bytes, bytes],
        committed: Mapping[str, int],
        now: int,
        generation: int = 0,
    ) -> Batch:
        """Called once per assignment: after recovery, before the partition's first input.

        Args:
            partition: the partition that this worker owns from here on.
            values: the recovered table of the partition. It is live: the shell applies `Batch.changelog` to
                it as soon as the core hands a batch over, so the core always reads its own writes and need
                not keep encoded values of its own. The core never writes to it.
            committed: topic -> next offset to read, as the group knows it; topics never committed are absent.
            now: the wall clock, in ms.
            generation: the group's, in which the partition came here; it goes up with every rebalance. The ownership
                number is no smaller, so that no two owners have the same one, although the second may not have read
                the first one's record: it was on its way.

        Returns:
            What has to be written and sent before the first input (the ownership record, outbox entries that
            the committed offsets do not cover). Its offsets are empty.
        """
        ...

    def process(self, partition: int, records: Sequence[Record], now: int) -> Batch | Awaitable[Batch]:
        """Apply records, in this order (the partition's topics are already merged by record time).

        With no records: everything that this partition wrote and sent is committed, and `rest` of an earlier batch
        is to be gone on with.

        A core that does I/O returns an awaitable of the batch; the other partitions go on meanwhile. The next
        call comes before this batch is durable: the shell keeps the order of what follows from the batches.

        Returns:
            The batch. Its offsets name the next offset of every topic in `records` that is done with; the
            shell commits what the batch says and nothing else.
        """
        ...

    def committed(self, partition: int, offsets: Mapping[str, int]) -> None:
        """These offsets (topic -> next offset) are committed now. Several batches may share one commit."""
        ...

    def revoked(self, partition: int) -> None:
        """Forget everything of this partition; what was in hand is finished and committed by now."""
        ...

    def tick(self, partition: int, now: int) -> Outgoing | None:
        """Asked every 0.2 s per owned, recovered partition: a tick record to send, or None.

        The shell sends it to the very same partition of the topic it names. At most one unread tick at a
        time is the core's business.
        """
        ...


@runtime_checkable
class WakingCore(Protocol):
    """What a core may have besides: a turn without a record, for retries and whatever else falls due."""

    async def wake(self, partition: int, now: int) -> Batch | None:
        """Called every 0.2 s per owned, recovered partition, serial with its `process`.

        Returns:
            A batch, handled like one of `process` (its offsets may commit records read earlier, or be empty),
            or None when there is nothing to do.
        """
        ...

    async def leave(self, partition: int, now: int) -> Batch | None:
        """Called once when the partition is given up in good order, after its last `process` and `wake`.

        What is under way outside (a message that is being handed over) may end and be written down; nothing new
        begins. Others wait for the partition meanwhile, so it takes some seconds at most.
        """
        ...
