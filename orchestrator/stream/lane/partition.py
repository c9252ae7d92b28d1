"""What a worker holds of one partition between batches: decoded nodes, due times, who waits for which fact."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.engine.identity.marks import is_gone
from orchestrator.model.codec import decode_head, decode_node, decode_outbox, encode_node
from orchestrator.model.customer import Body, Customer, Node
from orchestrator.stream.lane.heads import facts_waited, node_due
from orchestrator.stream.lane.outbox import drop_committed, weight

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program
    from orchestrator.stream.lane.records import Record

EVERYBODY: Final = "everybody"
UNDER_WAY: Final = "under_way"
MOST_LIVE: Final = 50_000
OVERTAKEN: Final = 10_000
"""So many due times that hold no more are kept beside those that do, and as many again as these; then they go."""
FULL: Final = 750_000
"""From so many bytes on, what waits to be sent aside, a node takes no more events in."""
LARGEST: Final = 1_500_000
"""So many bytes a value may have with all that waits to be sent. The broker takes 2 MB, packed."""


class TooLargeError(Exception):
    """A value would be larger than it may be written."""


class AsleepError(Exception):
    """Somebody is on a version of a scenario that only a retired release has: it is to be built, and this done again.

    Attributes:
        release: that release.
    """

    def __init__(self, release: str) -> None:
        super().__init__()
        self.release = release


class Mark(NamedTuple):
    """What a batch changes beside nodes and the indexes, as it was before."""

    release: str
    tick_under_way: bool
    visits: Sequence[bytes]
    next_visit: int
    visiting: str
    visited: bytes
    looks: Sequence[bytes]
    next_look: int


class Partition:
    """One partition's memory.

    Attributes:
        number: this worker's ownership number; every value it writes carries it.
        values: the table as encoded; the shell applies each batch's changelog to it.
        committed: topic -> next offset, as committed.
        release: what the partition runs on.
        tick_under_way: a tick of ours is written and not read yet.
        changed_facts: rows that have changed and that somebody here waits for.
        visits, next_visit: whom the release is told to, and who of them is next; the list itself is never changed.
        visiting, visited: what is written of the visits.
        looks, next_look: who is still to be looked at because rows have changed, and who of them is next; nothing of it
            is written, for every owner begins with all who wait for a row. The list itself is never changed.
        full: whose values are so large that nothing more is taken in for them.
        kept: records that are still to be applied.
        fits: how many records at once, since more were too much; 0: any number.
        patience: how many more records may fail before the worker ends.
        asleep: (scenario, version) -> the retired release that alone has it.
    """

    def __init__(self, index: int, values: Mapping[bytes, bytes], committed: Mapping[str, int]) -> None:
        self.index = index
        self.values = values
        self.committed = dict(committed)
        self.number = 0
        self.release = ""
        self.tick_under_way = False
        self.changed_facts: set[str] = set()
        self.visits: Sequence[bytes] = ()
        self.next_visit = 0
        self.visiting = ""
        self.visited = b""
        self.looks: Sequence[bytes] = ()
        self.next_look = 0
        self.full: set[bytes] = set()
        self.kept: Sequence[Record] = ()
        self.fits = 0
        self.patience = 0.0
        self.asleep: Mapping[tuple[str, int], str] = {}
        self.dirty: dict[bytes, Node] = {}
        self._marks: dict[bytes, dict[str, int]] = {}
        self._live: dict[bytes, Node] = {}
        self._heap: list[tuple[int, bytes]] = []
        self._due: dict[bytes, int] = {}
        self._waiters: dict[str, set[bytes]] = {}
        self._waits: dict[bytes, str] = {}

    def node(self, key: bytes) -> Node:
        """A node as it is now; one never seen is an empty root.

        Raises:
            AsleepError: who it is of is on what only a retired release has.
        """
        node = self._live.get(key)
        if node is None:
            value = self.values.get(key)
            node = decode_node(value) if value is not None else Node()
            if self.asleep:
                self.look_for_sleepers(node.body)
            self._live[key] = node
        return node

    def look_for_sleepers(self, body: Body | None) -> None:
        """Look whether a customer is on what only a retired release has.

        Raises:
            AsleepError: they are.
        """
        if not self.asleep or not isinstance(body, Customer):
            return
        on = [(instance.scenario, instance.version) for instance in body.instances]
        on += [(task.scenario, task.version) for task in body.tasks]
        for version in on:
            if version in self.asleep:
                raise AsleepError(self.asleep[version])

    def sleep(self, asleep: Mapping[tuple[str, int], str]) -> None:
        """What only retired releases have is another now: everybody is looked at anew. Between two batches."""
        if asleep != self.asleep:
            self.asleep = asleep
            self._live.clear()

    def home(self, key: bytes | None) -> bytes | None:
        """The key of the root that a record with this key goes to, as far as it is known here; None without a key."""
        if key is None:
            return None
        node = self._live.get(key) or (self.node(key) if key in self.values else None)
        if node is None or node.to is None:
            return key
        return key[: key.index(b"/") + 1] + node.to.encode()

    def is_live(self, key: bytes) -> bool:
        """Whether a node is in memory though perhaps not in the table yet."""
        return key in self._live

    def rebuild(self) -> list[bytes]:
        """Rebuild the indexes from the heads of all values; gives the keys whose outbox is not empty."""
        unsent = []
        heap = []
        self._due, self._waiters, self._waits = {}, {}, {}
        self.full = set()
        for key, value in self.values.items():
            head = decode_head(value)
            if len(value) > FULL and len(value) - weight(decode_outbox(value)) > FULL:
                self.full.add(key)
            if head.due:
                heap.append((head.due, key))
                self._due[key] = head.due
            if head.facts:
                self._wait(key, "\n".join(head.facts))
            if head.has_outbox:
                unsent.append(key)
        heapify(heap)
        self._heap = heap
        return unsent

    def mark(self) -> Mark:
        """For `undo`: taken between two batches."""
        return Mark(
            self.release, self.tick_under_way, self.visits, self.next_visit, self.visiting, self.visited,
            self.looks, self.next_look,
        )  # fmt: skip

    def undo(self, mark: Mark) -> None:
        """Everything as it was when the mark was taken: the table still has it."""
        self.release, self.tick_under_way = mark.release, mark.tick_under_way
        self.visits, self.next_visit, self.visiting, self.visited = mark[2:6]
        self.looks, self.next_look = mark.looks, mark.next_look
        self.dirty.clear()
        self._marks.clear()
        self._live.clear()
        self.rebuild()

    def changed(self, key: bytes, node: Node, topic: str, offset: int) -> None:
        """A record has changed a node, which is written with this batch.

        The offset becomes the node's own when the batch is over: within it records are not in the order of their
        offsets, so a higher one must not make a lower one look like a replay.
        """
        self.dirty[key] = node
        marks = self._marks.get(key)
        if marks is None:
            self._marks[key] = {topic: offset}
        elif offset > marks.get(topic, -1):
            marks[topic] = offset

    def encode_dirty(self, program: "Program", largest: int = LARGEST) -> list[tuple[bytes, bytes | None]]:
        """The values of all nodes that this batch has changed, each once; indexes follow.

        Raises:
            TooLargeError: one of them has more than `largest` bytes.
        """
        changelog: list[tuple[bytes, bytes | None]] = []
        committed, number, known_due = self.committed, self.number, self._due
        marks = self._marks
        for key, node in self.dirty.items():
            mark = marks.get(key)
            if mark is not None:
                node.applied.update(mark)
            if node.outbox or mark is None or len(node.applied) > len(mark):  # else all of it is this batch's
                drop_committed(node, committed)
            if node.body is None and is_gone(node):
                self._bury(key, changelog)
                continue
            due = node_due(node)
            facts = facts_waited(node, program)
            value = encode_node(node, number, due, facts)
            changelog.append((key, value))
            if len(value) > FULL or self.full:
                self._weigh(key, node, len(value), largest)
            if due != known_due.get(key, 0):
                self._schedule(key, due)
            if facts != self._waits.get(key, ""):
                self._wait(key, facts)
        self.dirty.clear()
        marks.clear()
        return changelog

    def _weigh(self, key: bytes, node: Node, size: int, largest: int) -> None:
        if size > largest:
            raise TooLargeError
        if size - weight(node.outbox) > FULL:
            self.full.add(key)
        else:
            self.full.discard(key)

    def spare_memory(self) -> None:
        """Behind a batch, when its values are in the table: nodes that are too many are decoded anew when they come."""
        if len(self._live) > MOST_LIVE:
            self._live.clear()

    def _bury(self, key: bytes, changelog: list[tuple[bytes, bytes | None]]) -> None:
        """Nothing is left of a node: a tombstone, and no trace in memory."""
        changelog.append((key, None))
        self.full.discard(key)
        self._live.pop(key, None)
        self._due.pop(key, None)
        self._wait(key, "")

    def schedule_dirty(self) -> None:
        """Due times of what this batch has changed so far: a tick finds them however records fall into batches."""
        known = self._due
        for key, node in self.dirty.items():
            due = node_due(node)
            if due != known.get(key, 0):
                self._schedule(key, due)

    def _schedule(self, key: bytes, due: int) -> None:
        if due:
            self._due[key] = due
            heappush(self._heap, (due, key))
            if len(self._heap) > 2 * len(self._due) + OVERTAKEN:
                self._heap = [(time, known) for known, time in self._due.items()]
                heapify(self._heap)
        else:
            self._due.pop(key, None)

    def next_due(self) -> int:
        """The earliest due time (ms), 0 where nothing is due. Entries that were overtaken are dropped."""
        heap, known = self._heap, self._due
        while heap and known.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else 0

    def pop_due(self, until: int, most: int) -> list[bytes]:
        """Keys that are due at `until` (ms) or before, earliest first, at most so many."""
        found: list[bytes] = []
        while len(found) < most:
            due = self.next_due()
            if not due or due > until:
                break
            key = heappop(self._heap)[1]
            del self._due[key]
            found.append(key)
        return found

    def begin_visits(self, whom: str, after: bytes = b"") -> None:
        """Everybody, or only who has something under way, in the order of their keys, from behind a key on.

        Also where nobody is known: a value of an earlier owner may still be on its way; who recovers it looks at it.
        """
        keys = set(self._due) | self.dirty.keys() if whom == UNDER_WAY else self.values.keys() | self._live.keys()
        self.visits, self.next_visit = sorted(key for key in keys if key > after), 0
        self.visiting, self.visited = whom, after

    def next_visits(self, most: int) -> Sequence[bytes]:
        """The next keys to visit, at most so many."""
        return self.visits[self.next_visit : self.next_visit + most]

    def visits_done(self, count: int) -> None:
        """So many of the next keys have been visited."""
        self.next_visit += count
        if self.next_visit >= len(self.visits):
            self.visits, self.visiting, self.visited = (), "", b""
        elif count:
            self.visited = self.visits[self.next_visit - 1]

    def put_back(self, key: bytes) -> None:
        """A key that was popped and not written keeps its due time."""
        value = self.values.get(key)
        due = decode_head(value).due if value is not None else 0
        if due and key not in self._due:
            self._schedule(key, due)

    def _wait(self, key: bytes, facts: str) -> None:
        for fact in self._waits.pop(key, "").split("\n"):
            self._waiters.get(fact, set()).discard(key)
        if facts:
            self._waits[key] = facts
            for fact in facts.split("\n"):
                self._waiters.setdefault(fact, set()).add(key)

    def is_waited_for(self, facts: Iterable[str]) -> bool:
        """Whether anybody here waits for any of these facts or rows."""
        return any(self._waiters.get(fact) for fact in facts)

    def look_at(self, keys: Iterable[bytes]) -> None:
        """Have these keys looked at, in their order, behind those that still are to be."""
        left = self.looks[self.next_look :]
        known = set(left)
        self.looks, self.next_look = [*left, *sorted(key for key in keys if key not in known)], 0

    def take_looks(self, most: int) -> Sequence[bytes]:
        """The next keys to look at, at most so many."""
        taken = self.looks[self.next_look : self.next_look + most]
        self.next_look += len(taken)
        if self.next_look >= len(self.looks):
            self.looks, self.next_look = (), 0
        return taken

    def waiting_for(self, facts: Iterable[str]) -> set[bytes]:
        """Keys of customers who wait for any of these facts or rows."""
        found: set[bytes] = set()
        for fact in facts:
            found |= self._waiters.get(fact, set())
        return found

    def all_waiting(self) -> list[str]:
        """Every fact that somebody here waits for."""
        return [fact for fact, keys in self._waiters.items() if keys]

    def size(self) -> int:
        """How many nodes there are."""
        return len(self.values)

    def size_in_bytes(self) -> int:
        """How many bytes their values are. It looks at every value: for every few seconds, not for every batch."""
        return sum(map(len, self.values.values()))

    def timers(self) -> int:
        """How many nodes have something that is still to fall due."""
        return len(self._due)
