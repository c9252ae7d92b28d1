"""The lane's table: one dict of bytes per partition, and how far it follows the partition's changelog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from orchestrator.stream.lane_settings import RestoreProgress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestrator.stream.lane.records import Core


class Written(Protocol):
    """What a restore needs of a record of the changelog."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class PartitionTable:
    """The values of one partition, as its changelog has them, plus what is being written.

    A worker that keeps a partition over a rebalance need not read the changelog again, as long as nobody else
    wrote to it: `next_offset` follows the acknowledgements of own writes while they land without a gap.

    Args:
        partition: which partition of the changelog this is.
        core: asked whether a value counts (the zombie rule).
    """

    def __init__(self, partition: int, core: Core) -> None:
        self.partition = partition
        self.values: dict[bytes, bytes] = {}
        self.next_offset = 0
        """Every record of the changelog below this offset is in `values`."""
        self.whole = True
        """False once somebody else's record was found between own ones, or an own write got lost."""
        self.restored = 0
        self.skipped = 0
        self._accepts = core.accepts
        self._number = 0
        self._last_own: bytes | None = None

    def apply(self, changes: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take over what a core decided, before it is written."""
        values = self.values
        for key, value in changes:
            if value is None:
                values.pop(key, None)
            else:
                values[key] = self._last_own = value

    def wrote(self, base_offset: int, records: int) -> None:
        """Own records are in the changelog from that offset on."""
        if base_offset != self.next_offset:
            self.whole = False
        self.next_offset = base_offset + records

    def keep(self) -> bool:
        """At the end of an ownership: whether the values may serve the next one; remembers the own number."""
        if self._last_own is not None:
            self._number = max(self._number, self._accepts(self._number, self._last_own))
            self._last_own = None
        return self.whole

    def restore(self, records: Sequence[Written], next_offset: int) -> None:
        """Apply what was read from the changelog.

        Args:
            records: in offset order, none below the table's `next_offset`.
            next_offset: the offset after what was read, also where compaction left no record of it.
        """
        values = self.values
        accepts = self._accepts
        number = self._number
        for record in records:
            value = record.value
            if value is None:
                values.pop(record.key, None)  # type: ignore[arg-type]
                continue
            found = accepts(number, value)
            if found < 0:
                self.skipped += 1
            else:
                number = found
                values[record.key] = value  # type: ignore[index]
        self._number = number
        self.restored += len(records)
        self.next_offset = next_offset


class Restore:
    """The reading of one partition's changelog up to the end that it had when the partition was assigned.

    The end is reached by offset. Where compaction has removed the very last records, no fetch ever brings them:
    the restore also ends when the broker has answered often enough that there is nothing at that place.

    Args:
        table: what to fill; reading starts at its `next_offset`.
        end: the changelog's end, the next free offset.
    """

    EMPTY_ANSWERS = 20
    """How many answers without data, at the same place, mean that there is nothing more to come."""

    def __init__(self, table: PartitionTable, end: int) -> None:
        self.table = table
        self.end = end
        self._total = max(0, end - table.next_offset)
        self._base = table.restored
        self._answer_at = 0
        self._answers = 0

    @property
    def done(self) -> bool:
        return self.table.next_offset >= self.end

    def add(self, records: Sequence[Written], next_offset: int) -> None:
        """What a fetch brought; records read before are left out."""
        known = self.table.next_offset
        if records and records[0].offset < known:
            records = [record for record in records if record.offset >= known]
        self.table.restore(records, max(known, next_offset))
        self.busy()

    def busy(self) -> None:
        """Some restore moved: an answer without data may only mean that others had the room."""
        self._answers = 0

    def answered(self, position: int, answer_at: int) -> bool:
        """The broker's last answer for this partition and the place it was asked for.

        Args:
            position: the consumer's position in the changelog.
            answer_at: when the last answer came, in ms; 0 before the first.

        Returns:
            Whether this answer ended the restore: nothing is left up to the end.
        """
        if self.done or position != self.table.next_offset or answer_at == self._answer_at:
            return False
        self._answer_at = answer_at
        self._answers += 1
        if self._answers < self.EMPTY_ANSWERS:
            return False
        self.table.next_offset = self.end
        return True

    def progress(self) -> RestoreProgress:
        return RestoreProgress(self.table.partition, self.table.restored - self._base, self._total, self.table.skipped)
