"""How fetched bytes become records: at once for input, when they are applied for a changelog.

Of a changelog only keys and values count, and most values are overtaken by a later one. Unpacked batch by batch,
where they are applied, the overtaken ones are freed before the next ones need room: the same memory serves again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka.errors import CorruptRecordException

from orchestrator.stream.lane.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka.structs import TopicPartition

    from orchestrator.stream.table import Written


def unpack(tp: TopicPartition, fetched: Any, *, check_crcs: bool) -> list[Record]:
    """All records of one fetched piece of a partition, as the lane's own slim records.

    Does what aiokafka's `PartitionRecords` does for a consumer that reads uncommitted, in one loop without a
    generator, a method call and a dataclass for each record. Moves `fetched.next_fetch_offset` behind the last
    batch, also where compaction left none of its records.

    Raises:
        CorruptRecordException: a batch does not have the checksum it claims.
    """
    topic, partition = tp
    records: list[Record] = []
    append = records.append
    batches = fetched._records  # noqa: SLF001  aiokafka has no other way in (version pinned, compared in a test)
    while batches.has_next():
        batch = batches.next_batch()
        if check_crcs and not batch.validate_crc():
            raise _corrupt(tp)
        if not batch.is_control_batch:
            start = fetched.next_fetch_offset
            for record in batch:
                offset = record.offset
                if offset >= start:
                    append(
                        Record(
                            topic,
                            partition,
                            offset,
                            record.timestamp,
                            record.key,
                            record.value,
                            tuple(record.headers) if record.headers else (),
                        )
                    )
        fetched.next_fetch_offset = batch.next_offset
    return records


class PackedBatch:
    """One batch of a changelog as it was fetched: not checked, not decompressed.

    Args:
        tp: where it was fetched.
        batch: aiokafka's, of which nothing has been read.
        check_crcs: whether to look at its checksum.
    """

    __slots__ = ("_batch", "_check_crcs", "_tp", "next_offset")

    def __init__(self, tp: TopicPartition, batch: Any, *, check_crcs: bool) -> None:
        self._tp = tp
        self._batch = batch
        self._check_crcs = check_crcs
        self.next_offset: int = batch.next_offset
        """The offset after the batch, also where compaction left none of its last records."""

    def records(self) -> Sequence[Written]:
        """Its records, aiokafka's own, in offset order. To be asked once: what it was made of is let go.

        Raises:
            CorruptRecordException: the batch does not have the checksum it claims.
        """
        batch, self._batch = self._batch, None
        if self._check_crcs and not batch.validate_crc():
            raise _corrupt(self._tp)
        return [] if batch.is_control_batch else [*batch]


def packed(tp: TopicPartition, fetched: Any, *, check_crcs: bool) -> list[PackedBatch]:
    """The batches of one fetched piece of a changelog. Moves `fetched.next_fetch_offset` behind the last one."""
    found = []
    batches = fetched._records  # noqa: SLF001  as above
    while batches.has_next():
        found.append(PackedBatch(tp, batches.next_batch(), check_crcs=check_crcs))
    if found:
        fetched.next_fetch_offset = found[-1].next_offset
    return found


def _corrupt(tp: TopicPartition) -> CorruptRecordException:
    return CorruptRecordException(f"wrong checksum in {tp.topic}[{tp.partition}]")
