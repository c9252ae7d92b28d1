"""The stream on virtual time: the production core, its partitions, messages and ticks, in memory and in one thread.

Nothing sleeps and nothing is random: the clock jumps from one record or due time to the next, so that the same input
always gives the same output. Whoever drives it hands in records in the order of their arrival.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orchestrator.engine.facts import Facts
from orchestrator.model.codec import encode_node
from orchestrator.model.customer import Customer, Node
from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import node_key
from orchestrator.model.partition import partition_of
from orchestrator.rehearsal.record import Record as Trace
from orchestrator.rehearsal.record import RecordingEngine, Refusal
from orchestrator.stream.answering import CoreAnswering
from orchestrator.stream.asking import Answered, NotYet
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.heads import node_due
from orchestrator.stream.lane.outbox import DEAD_LETTER
from orchestrator.stream.lane.records import Batch, Outgoing, Record
from orchestrator.stream.lane.ticks import ON_ITS_WAY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestrator.engine.program.plan import Program
    from orchestrator.stream.asking_wire import Forward, Question
    from orchestrator.stream.lane.partition import Partition

PARTITIONS: Final = 4
FACTS: Final = "facts"
MOST_FORWARDS: Final = 32
NEVER: Final = 1 << 62
MOST_TICKS: Final = 10_000


class StuckError(RuntimeError):
    """The engine leaves something due for ever: a fault of ours, which must not hang a rehearsal."""


class _RehearsedCore(CustomerCore):
    """The production core, whose engines tell a record what they did; a failure of ours is seen at once."""

    most_failed = 0

    def __init__(self, program: Program, facts: Facts, partitions: int, engine: RecordingEngine) -> None:
        super().__init__(program, facts, (), partitions)
        self._engines = {program.release: engine}

    def take(self, engine: RecordingEngine) -> None:
        """Another release is current."""
        self.publish(engine.program)
        self._engines[engine.program.release] = engine


class World:
    """Customers, partitions and a clock.

    Args:
        program: the release it runs on.
        start: where the clock begins, ms.
        partitions: how many input partitions; more than one makes identity messages travel as in production.
        facts: fact -> key -> row, over those of the program's files.
        explain: also record what did not happen, and why.
        about: told which customer is at work, before anything is decided.

    Attributes:
        now: the clock, ms.
        engine: what decides.
        record: what happened.
        after: called when something has happened and all that follows from it at once.
    """

    def __init__(
        self,
        program: Program,
        start: int,
        partitions: int = PARTITIONS,
        facts: dict[str, dict[str, dict[str, Any]]] | None = None,
        explain: bool = False,
        about: Callable[[Customer], None] | None = None,
    ) -> None:
        self.program = program
        self.partitions = partitions
        self.now = start
        self.record = Trace()
        self.after: Callable[[], None] | None = None
        self.facts = Facts(program.base_facts)
        for fact, rows in (facts or {}).items():
            for key, row in rows.items():
                self.facts.set(fact, key, row)
        self.engine = RecordingEngine(program, self.facts, explain, self.record, about)
        self._core = _RehearsedCore(program, self.facts, partitions, self.engine)
        self._answering = CoreAnswering(self._core, lambda: True)
        self._tables: list[dict[bytes, bytes]] = [{} for _ in range(partitions)]
        self._offsets: dict[tuple[str, int], int] = {}
        self._owned: list[Partition] = []
        self._travelling: deque[Outgoing] = deque()

    def place(self, name: str, node: Node) -> None:
        """Put a node (`NAMESPACE:VALUE`) in its table. Only before the clock runs."""
        key = node_key(self.program.tenant, name)
        self._tables[partition_of(key, self.partitions)][key] = encode_node(node, 0, node_due(node))

    # The clock.

    def key_of(self, data: Mapping[str, Any]) -> bytes | None:
        """The key that a producer gives an event: its strongest identifier, else what it refers to, else none."""
        identity = self.program.identity
        try:
            nodes = identity.identifiers(data) or identity.referred(data)
        except ValueError:
            return None
        return node_key(self.program.tenant, nodes[0]) if nodes else None

    def arrive(self, topic: str, key: bytes | None, value: bytes, at: int) -> None:
        """A record arrives at `at` (ms, not before `now`), after everything that is due before it."""
        self.advance(at)
        partition = partition_of(key, self.partitions) if key is not None else 0
        self._process(partition, topic, key, value)
        self._settle()
        if self.after is not None:
            self.after()

    def advance(self, to: int) -> None:
        """Let the time pass until `to` (ms): what falls due on the way acts."""
        self._begin()
        last, ticks = NEVER, 0
        while True:
            at = self.next_tick()
            if at > to:
                break
            last, ticks = at, ticks + 1 if at == last else 0
            if ticks > MOST_TICKS:
                raise StuckError(f"something that is due at {at} stays due, however often the clock ticks")
            self.now = max(self.now, at)
            self._tick()
            if self.after is not None:
                self.after()
        self.now = max(self.now, to)

    def next_tick(self) -> int:
        """When something acts next by time alone (ms), `NEVER` where nothing is due."""
        self._begin()
        due = [at for at in (owned.next_due() for owned in self._owned) if at]
        return min(due) + ON_ITS_WAY if due else NEVER

    def publish(self, program: Program) -> None:
        """Another release begins now; everybody whom it concerns is visited at once."""
        self._begin()
        before = self.engine
        self.program = program
        self.engine = RecordingEngine(program, self.facts, before.explain, self.record, before.about)
        self.facts.rebase(program.base_facts)
        self._core.take(self.engine)
        self._tick()
        self._settle()

    # Who is known.

    def node(self, name: str) -> Node:
        """A node as it is now; an empty root where nothing is known of it."""
        self._begin()
        key = node_key(self.program.tenant, name)
        return self._owned[partition_of(key, self.partitions)].node(key)

    def root(self, name: str) -> tuple[str, Customer | None]:
        """The customer that an identifier belongs to now, and the node where they live."""
        for _ in range(MOST_FORWARDS):
            node = self.node(name)
            if node.to is None:
                return name, node.body if isinstance(node.body, Customer) else None
            name = node.to
        return name, None

    def customers(self) -> list[tuple[str, Customer]]:
        """Every customer that is known, with the node where they live, by node."""
        self._begin()
        found = []
        for owned in self._owned:
            for key in owned.values:
                node = owned.node(key)
                if node.to is None and isinstance(node.body, Customer) and node.body.person:
                    found.append((key.decode().partition("/")[2], node.body))
        return sorted(found, key=lambda one: one[0])

    def answer(self, question: Question) -> Answered | Forward:
        """What the customer's owner answers now."""
        self._begin()
        answer = self._answering.answer(question, self.now)
        assert not isinstance(answer, NotYet)  # noqa: S101 - only a question with an event has to wait
        return answer

    # Inside.

    def _begin(self) -> None:
        if self._owned:
            return
        for index in range(self.partitions):
            batch = self._core.assigned(index, self._tables[index], {}, self.now)
            owned = self._core.owned(index)
            assert owned is not None  # noqa: S101 - it was assigned just now
            self._owned.append(owned)
            self._take(index, batch)
        if self._stirred():
            self._settle()

    def _process(self, partition: int, topic: str, key: bytes | None, value: bytes) -> None:
        place = (topic, partition)
        offset = self._offsets[place] = self._offsets.get(place, -1) + 1
        record = Record(topic, partition, offset, self.now, key, value)
        batch = self._core.process(partition, (record,), self.now)
        self._take(partition, batch)
        while batch.rest:
            batch = self._core.process(partition, (), self.now)
            self._take(partition, batch)

    def _take(self, partition: int, batch: Batch) -> None:
        """What the shell does with a batch, with a broker that acknowledges at once."""
        table = self._tables[partition]
        for key, value in batch.changelog:
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
        for sent in batch.sends:
            if sent.topic == INPUTS:
                self._travelling.append(sent)
            elif sent.topic == FACTS:
                self._fact(sent)
            elif sent.topic == DEAD_LETTER:
                self._refused(sent)
        if batch.offsets:
            self._core.committed(partition, batch.offsets)

    def _settle(self) -> None:
        """Messages travel at once; rows that changed are looked at again."""
        while True:
            while self._travelling:
                sent = self._travelling.popleft()
                partition = sent.partition
                if partition is None:
                    partition = partition_of(sent.key, self.partitions) if sent.key is not None else 0
                self._process(partition, sent.topic, sent.key, sent.value)
            if not self._stirred():
                return
            self._tick()

    def _stirred(self) -> bool:
        """Whether a partition has something to do at once, without a record."""
        return any(owned.changed_facts or owned.looks or owned.visits for owned in self._owned)

    def _tick(self) -> None:
        for index in range(self.partitions):
            tick = self._core.tick(index, self.now)
            if tick is not None:
                self._process(index, tick.topic, tick.key, tick.value)
        if self._travelling or self._stirred():
            self._settle()

    def _fact(self, sent: Outgoing) -> None:
        _, fact, key = (sent.key or b"").decode().split("/", 2)
        self._core.fact_row(fact, key, msgspec.json.decode(sent.value))

    def _refused(self, sent: Outgoing) -> None:
        reason = dict(sent.headers).get("reason", b"").decode()
        try:
            event = str(msgspec.json.decode(sent.value)["id"])
        except (msgspec.DecodeError, KeyError, TypeError):
            event = ""
        self.record.refusals.append(Refusal(self.now, event, reason))
