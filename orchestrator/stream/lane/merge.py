"""One order, by record time, for the several input topics of one partition (architecture.md, section 2).

After an outage the topics of a partition are read at different speeds; the merge hands their records over in the
order in which the broker took them in. A topic that is not at its end as last known, and has nothing in hand,
holds the others up, but never longer than `patience`. Caught up, every topic is at its end and nothing waits.

Pure: the caller says what came, what the topics' ends are and what time it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.stream.lane.records import Record

PATIENCE = 1000


class _Line:
    """The records of one topic that are in hand, and how far the topic is read."""

    __slots__ = ("end", "held_since", "position", "rank", "records", "size", "taken")

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.records: list[Record] = []
        self.taken = 0
        self.size = 0
        self.position = 0
        self.end = 0
        self.held_since: int | None = None

    def pending(self) -> int:
        return len(self.records) - self.taken

    def take(self, count: int) -> list[Record]:
        self.size -= self.size * count // self.pending()
        start, self.taken = self.taken, self.taken + count
        taken = self.records[start : self.taken]
        if self.taken == len(self.records):
            self.records = []
            self.taken = 0
        return taken

    def run(self, timestamp: int, rank: int, limit: int) -> int:
        """How many records, from the first in hand, come before a record of that time in a line of that rank."""
        last = timestamp if self.rank < rank else timestamp - 1
        records, start = self.records, self.taken
        stop = min(len(records), start + limit)
        for index in range(start, stop):
            if records[index].timestamp > last:
                return index - start
        return stop - start


class Merge:
    """The input topics of one partition, merged by record time.

    Records of one topic keep their offset order, even where their timestamps go back. Equal timestamps go in the
    order in which the topics were declared. So the order depends on what is in the topics, not on which fetch
    came first, as long as no topic is slower than `patience`.

    Args:
        topics: the input topics, in the order that decides between equal timestamps.
        patience: for how many ms a topic that is behind may hold up the others.
    """

    def __init__(self, topics: Sequence[str], patience: int = PATIENCE) -> None:
        self._lines = {topic: _Line(rank) for rank, topic in enumerate(topics)}
        self._patience = patience

    def start(self, topic: str, position: int, end: int) -> None:
        """Where reading of a topic starts, and where the topic ends as far as is known (the next free offset)."""
        line = self._lines[topic]
        line.position = position
        line.end = end

    def saw_end(self, topic: str, end: int) -> None:
        """The topic's end as the last fetch told it; it never goes back."""
        line = self._lines[topic]
        line.end = max(line.end, end)

    def add(self, topic: str, records: Sequence[Record], position: int) -> None:
        """What a fetch brought, in offset order, and the offset after it (also where no record is left of it)."""
        line = self._lines[topic]
        line.position = position
        if records:
            line.records.extend(records)
            line.size += sum([len(record.value or b"") for record in records])
            line.held_since = None

    def position(self, topic: str) -> int:
        """The next offset of the topic that is not in hand yet."""
        return self._lines[topic].position

    def backlog(self, topic: str) -> int:
        """How many records of the topic are in hand."""
        return self._lines[topic].pending()

    def size(self, topic: str) -> int:
        """How many bytes the records of the topic in hand have, about: each as many as the others."""
        return self._lines[topic].size

    def lag(self, topic: str) -> int:
        """How many offsets of the topic are not handed over yet, as far as its end is known."""
        line = self._lines[topic]
        return max(0, line.end - line.position) + line.pending()

    def take(self, now: int, limit: int) -> list[Record]:
        """The records that may be applied now, in order, at most `limit`.

        Args:
            now: the clock in ms, to measure for how long a topic has been holding up the others.
            limit: the largest number of records to hand over; at least 1.
        """
        taken: list[Record] = []
        while len(taken) < limit and not self._held(now):
            run = self._next_run(limit - len(taken))
            if not run:
                break
            taken.extend(run)
        return taken

    def wait(self, now: int) -> int | None:
        """In how many ms records that are held up may go at the latest; None where nothing is held up."""
        if not self._held(now):
            return None
        held = [line.held_since for line in self._lines.values() if line.held_since is not None]
        return max(1, max(held) + self._patience - now)

    def _held(self, now: int) -> bool:
        """Whether a topic that is behind holds up what the others have in hand; starts its clock."""
        if not any(line.records for line in self._lines.values()):
            return False
        held = False
        for line in self._lines.values():
            if line.records:
                continue
            if line.position >= line.end:
                line.held_since = None
                continue
            if line.held_since is None or now < line.held_since:  # a clock that was set back holds nobody up for longer
                line.held_since = now
            held = held or now - line.held_since < self._patience
        return held

    def _next_run(self, limit: int) -> list[Record]:
        """The longest piece of one topic that comes next."""
        first: _Line | None = None
        second: _Line | None = None
        for line in self._lines.values():
            if not line.records:
                continue
            if first is None or _head(line) < _head(first):
                first, second = line, first
            elif second is None or _head(line) < _head(second):
                second = line
        if first is None:
            return []
        if second is None:
            return first.take(min(limit, first.pending()))
        return first.take(first.run(second.records[second.taken].timestamp, second.rank, limit))


def _head(line: _Line) -> tuple[int, int]:
    return line.records[line.taken].timestamp, line.rank
