"""A broker in memory: logs, record time, the changelog, committed offsets. What is appended stays."""

from collections import defaultdict

from orchestrator.model.partition import partition_of
from orchestrator.stream.lane.records import Record
from tests.simulation.simulator.faults import Met

SINGLE = frozenset({"facts", "dead-letter", "tasks", "emitted", "erasures"})


class Broker:
    """All topics.

    Args:
        partitions: of each input topic.
        clock: see below.
        distinct: each record has a time of its own, so that time alone says in which order they come.

    Attributes:
        generation: the group's; it goes up whenever a partition changes hands.
        clock: ms; every record gets it, so record time never goes back within a partition.
        logs: (topic, partition) -> its records, each at its offset.
        changelog: partition -> its records.
        committed: (topic, partition) -> next offset.
        met: how often which trouble came.
    """

    def __init__(self, partitions: int, clock: int, *, distinct: bool = False) -> None:
        self.distinct = distinct
        self.partitions = partitions
        self.clock = clock
        self.generation = 0
        self.logs: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.changelog: list[list[Record]] = [[] for _ in range(partitions)]
        self.committed: dict[tuple[str, int], int] = {}
        self.met: Met = Met()

    def place(self, topic: str, key: bytes | None) -> int:
        """The partition of a record, as producers choose it."""
        if key is None or topic in SINGLE:
            return 0
        return partition_of(key, self.partitions)

    def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> None:  # fmt: skip
        if self.distinct:
            self.clock += 1
        log = self.logs[topic, partition]
        log.append(Record(topic, partition, len(log), self.clock, key, value, headers))

    def write(self, partition: int, key: bytes, value: bytes | None) -> int:
        """Append to the changelog; gives the offset."""
        log = self.changelog[partition]
        log.append(Record("changelog", partition, len(log), self.clock, key, value))
        return len(log) - 1

    def read(self, topic: str) -> list[Record]:
        """A whole topic."""
        return [record for (name, _), log in self.logs.items() if name == topic for record in log]
