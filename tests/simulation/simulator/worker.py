"""Workers as the lane's shell makes them: batches in flight, each written, then sent, then committed."""

from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec

from orchestrator.engine.engine import Engine
from orchestrator.engine.facts import Facts
from orchestrator.engine.identity.work import Work
from orchestrator.engine.program.plan import Program
from orchestrator.model.effect import FACTS
from orchestrator.model.message import Tick
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.partition import LARGEST, Partition, TooLargeError
from orchestrator.stream.lane.records import Batch, Outgoing, Record
from orchestrator.stream.lane.step import Step
from orchestrator.stream.newest import Newest
from orchestrator.stream.table import PartitionTable
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.bundles import Bundles, State
from tests.simulation.simulator.faults import Fault, Met
from tests.simulation.simulator.house import CHANNELS

MOST_IN_FLIGHT = 4

Watch = Callable[[Record, Work], None]


class WatchedStep(Step):
    """The real step; somebody looks at each node that a record has changed."""

    watch: Watch

    def settle(self, record: Record, key: bytes, work: Work) -> None:
        super().settle(record, key, work)
        self.watch(record, work)


class WatchedCore(CustomerCore):
    """The real core; its steps are watched, a defect is seen at once, and now and then a batch is too much for it.

    Attributes:
        too_much: asked of each try at several records, with whether a release is among them.
        met: told of each tick to a release that was retired.
    """

    most_failed = 0
    too_much: Callable[[bool], bool] = staticmethod(lambda _: False)

    def __init__(self, program: Program, facts: Facts, partitions: int, watch: Watch) -> None:
        super().__init__(program, facts, CHANNELS, partitions)
        self.watch = watch
        self.met: Met = Met()

    def _apply(self, owned: Partition, records: Sequence[Record], now: int, largest: int = LARGEST) -> Batch:
        before = owned.release
        batch = super()._apply(owned, records, now, largest)
        if len(records) > 1 and self.too_much(owned.release != before):
            raise TooLargeError
        return batch

    def _tick(self, owned: Partition, step: Step, record: Record, tick: Tick) -> Step:
        passed_over = tick.release != owned.release and tick.release in self._retired
        self.met[Fault.TICK_TO_RETIRED] += passed_over
        return super()._tick(owned, step, record, tick)

    def _step(self, owned: Partition) -> Step:
        step = WatchedStep(owned, self.engine_of(owned), self.partitions, self.tokens)
        step.watch = self.watch
        return step

    def engine(self, partition: int) -> Engine:
        return self.engine_of(self._owned[partition])


class Flight:
    """One batch on its way out."""

    def __init__(self, batch: Batch, broker: Broker) -> None:
        self.changelog = batch.changelog
        self.offsets = batch.offsets
        self.written = 0
        self.sent = 0
        self.lanes: dict[tuple[str, int], deque[Outgoing]] = {}
        for send in batch.sends:
            partition = broker.place(send.topic, send.key) if send.partition is None else send.partition
            self.lanes.setdefault((send.topic, partition), deque()).append(send)

    @property
    def durable(self) -> bool:
        return self.written == len(self.changelog)


class Worker:
    """One process: a core, its own view of facts and releases, and the tables it kept."""

    def __init__(self, name: str, broker: Broker, bundles: Bundles, place: int, watch: Watch) -> None:
        """One that has read `bundles` up to a place."""
        self.name = name
        self.bundles = bundles
        self.place = place
        self.recalled: frozenset[str] = frozenset()
        self.broker = broker
        *earlier, current = bundles.held(self.read)
        self.facts = Facts(current.base_facts)
        self.core = WatchedCore(current, self.facts, broker.partitions, watch)
        self.core.met = broker.met
        self.core.recall = self._recall
        for program in earlier:
            self.core.know(program)
        self._retire()
        self.facts_read = 0
        self.newest = Newest()
        self.kept: dict[int, PartitionTable] = {}
        self.lost = False
        self.read_facts(len(broker.logs["facts", 0]))

    @property
    def read(self) -> State:
        """What it has read of releases."""
        return self.bundles.states[self.place]

    def read_next(self) -> bool:
        """What comes next on `bundles`, if there is anything."""
        if self.place >= len(self.bundles.states) - 1:
            return False
        before, self.place = self.read, self.place + 1
        if self.read.published > before.published:
            self.core.publish(self.bundles.held(self.read, self.recalled)[-1])
        elif before.retired - self.read.retired - self.recalled:
            self._build_anew()
        self._retire()
        return True

    def _retire(self) -> None:
        """What is retired, but what a partition here runs on."""
        running = {owned.release for owned in self.core.all_owned()}
        self.recalled |= running & self.read.retired
        retired = self.read.retired - self.recalled - {self.core.current.release}
        self.core.retire(retired, self.bundles.asleep(self.read, retired))

    def _recall(self, release: str) -> None:
        """Somebody is on a release that is retired."""
        self.broker.met[Fault.RETIRED_TOO_EARLY] += 1
        self.recalled |= {release}
        self._build_anew()
        self._retire()

    def _build_anew(self) -> None:
        *earlier, current = self.bundles.held(self.read, self.recalled)
        for program in earlier:
            self.core.know(program)
        self.core.publish(current)

    def read_facts(self, count: int) -> None:
        """The next rows of `facts`; at the start all of them."""
        for record in self.broker.logs["facts", 0][self.facts_read : self.facts_read + count]:
            _, fact, key = (record.key or b"").decode().split("/", 2)
            if self.newest.passes(record.key or b"", record.headers):
                self.core.fact_row(fact, key, msgspec.json.decode(record.value or b"null"))
            self.facts_read += 1


class Ownership:
    """One partition at one worker, from its recovery to its end: the shell's part."""

    def __init__(self, worker: Worker, partition: int) -> None:
        self.worker = worker
        self.partition = partition
        self.broker = worker.broker
        self.flights: deque[Flight] = deque()
        self.done: dict[str, int] = {}
        self.untold: dict[str, int] = {}
        self.rest = 0
        self.closing = False
        self.lost = False
        broker = self.broker
        topics = worker.core.input_topics
        self.positions = {topic: broker.committed.get((topic, partition), 0) for topic in topics}
        kept = worker.kept.pop(partition) if partition in worker.kept else None
        self.table = kept or PartitionTable(partition, worker.core)
        log = broker.changelog[partition]
        left_aside = self.table.skipped
        self.table.restore(log[self.table.next_offset :], len(log))
        broker.met[Fault.TABLE_KEPT] += kept is not None
        broker.met[Fault.ZOMBIE_WRITES] += self.table.skipped > left_aside

    def open(self) -> Batch:
        """Hand the recovered partition to the core; its first batch goes out before any input."""
        broker, partition = self.broker, self.partition
        committed = {
            topic: at for topic in self.positions if (at := broker.committed.get((topic, partition))) is not None
        }
        broker.generation += 1
        batch = self.worker.core.assigned(partition, self.table.values, committed, broker.clock, broker.generation)
        self._hand_over(batch)
        self.opening = self.flights[0]
        return batch

    @property
    def ready(self) -> bool:
        """Whether input may come: the first batch is out, no more than so many are under way; for the rest, none."""
        if self.closing or len(self.flights) >= (1 if self.rest else MOST_IN_FLIGHT) or (self.rest and self.done):
            return False
        return not self.flights or self.flights[0] is not self.opening

    @property
    def idle(self) -> bool:
        return not self.flights and not self.done

    def unread(self) -> list[str]:
        """Topics with records that were not read yet."""
        logs, partition = self.broker.logs, self.partition
        return [topic for topic, at in self.positions.items() if at < len(logs[topic, partition])]

    def take(self, count: int, rng: Random, merged: bool) -> list[Record]:
        """The next records, at most so many: by record time, or from any topic."""
        taken = []
        logs, partition = self.broker.logs, self.partition
        for _ in range(count):
            topics = self.unread()
            if not topics:
                break
            if merged:
                topic = min(topics, key=lambda name: logs[name, partition][self.positions[name]].timestamp)
            else:
                topic = topics[int(rng.random() * len(topics))]
            record = logs[topic, partition][self.positions[topic]]
            if not merged and len(topics) > 1:
                earliest = min(logs[name, partition][self.positions[name]].timestamp for name in topics)
                self.broker.met[Fault.TOPICS_CROSS] += record.timestamp > earliest
            taken.append(record)
            self.positions[topic] += 1
        return taken

    def process(self, records: list[Record]) -> Batch:
        self._tell()
        batch = self.worker.core.process(self.partition, records, self.broker.clock)
        self.rest = batch.rest
        self._hand_over(batch)
        return batch

    def tick(self) -> Outgoing | None:
        """The core's turn; a tick is written at once."""
        self._tell()
        tick = self.worker.core.tick(self.partition, self.broker.clock)
        if tick is not None:
            self.broker.met[Fault.TICK] += 1
            self.broker.append(tick.topic, self.partition, tick.key, tick.value)
        return tick

    def _tell(self) -> None:
        if self.untold:
            self.worker.core.committed(self.partition, self.untold)
            self.untold = {}

    def _hand_over(self, batch: Batch) -> None:
        self.table.apply(batch.changelog)
        self.flights.append(Flight(batch, self.broker))

    def land(self, rng: Random, whole: bool = False) -> bool:
        """Something under way arrives at the broker; False where nothing can."""
        moves = self._moves()
        if not moves:
            return False
        flight, lane = moves[int(rng.random() * len(moves))]
        if lane is None:
            left = len(flight.changelog) - flight.written
            self._write(flight, left if whole else 1 + int(rng.random() * left))
        else:
            queue = flight.lanes[lane]
            self._send(flight, lane, len(queue) if whole else 1 + int(rng.random() * len(queue)))
        self.skip_empty()
        return True

    @property
    def fenced(self) -> bool:
        """Whether somebody else wrote to the changelog since it was read: this ownership must not begin."""
        return not self.table.whole and bool(self.flights) and self.flights[0] is self.opening

    def _moves(self) -> list[tuple[Flight, tuple[str, int] | None]]:
        """What can arrive next: changelog records in order; sends of durable batches, in order for each place."""
        moves: list[tuple[Flight, tuple[str, int] | None]] = []
        before: set[tuple[str, int]] = set()
        for flight in self.flights:
            if not flight.durable:
                moves.append((flight, None))
                break
            moves += [(flight, lane) for lane in flight.lanes if lane not in before]
            before.update(flight.lanes)
        return moves

    def _write(self, flight: Flight, count: int) -> None:
        for key, value in flight.changelog[flight.written : flight.written + count]:
            self.table.wrote(self.broker.write(self.partition, key, value), 1)
        flight.written += count

    def _send(self, flight: Flight, lane: tuple[str, int], count: int) -> None:
        queue = flight.lanes[lane]
        topic, partition = lane
        for _ in range(count):
            send = queue.popleft()
            flight.sent += 1
            self.broker.append(topic, partition, send.key, send.value, send.headers)
        if not queue:
            del flight.lanes[lane]

    def skip_empty(self) -> None:
        """Batches that are durable and sent are done; so are at once those that change and send nothing."""
        if self.fenced:
            return
        while self.flights and self.flights[0].durable and not self.flights[0].lanes:
            self.done.update(self.flights.popleft().offsets)

    def commit(self) -> None:
        """Commit what is done; the core hears of it at its next turn."""
        for topic, offset in self.done.items():
            self.broker.committed[topic, self.partition] = offset
        self.untold.update(self.done)
        self.done = {}

    def lose(self) -> None:
        """The group has given the partition away, and this worker does not know.

        What is not in the changelog by now may still be written, under an old ownership number. It is not sent:
        before each send the shell wants to have heard from the group. Of what is on its way out already a row of facts
        does not arrive: behind a newer one of its successor it would stand until it changes (docs/guarantees.md).
        """
        self.lost = True
        for flight in self.flights:
            if not flight.durable:
                flight.lanes = {}
            flight.lanes = {lane: queue for lane, queue in flight.lanes.items() if lane[0] != FACTS}

    def interrupted(self) -> list[Fault]:
        """In the middle of what a crash would be now."""
        if self.flights and self.flights[0] is self.opening:
            return [Fault.CRASH_IN_RECOVERY]
        found = [Fault.CRASH_BEFORE_COMMIT] if self.done else []
        found += [Fault.CRASH_WITH_MANY] if len(self.flights) > 1 else []
        found += [Fault.CRASH_AFTER_COMMIT] if self.untold else []
        for flight in self.flights:
            if not flight.durable:
                found.append(Fault.CRASH_IN_WRITING if flight.written else Fault.CRASH_BEFORE_WRITING)
            elif flight.lanes:
                found.append(Fault.CRASH_IN_SENDING if flight.sent else Fault.CRASH_BEFORE_SENDING)
        return found

    def close(self) -> None:
        """The orderly end: everything is committed, the core forgets, the table may be kept."""
        self._tell()
        self.worker.core.revoked(self.partition)
        if self.table.keep():
            self.worker.kept[self.partition] = self.table


def node_of(ownership: Ownership, key: bytes) -> Any:
    """A node as its owner has it in memory."""
    core = ownership.worker.core
    owned = core.owned(ownership.partition)
    return core.look(owned, key) if owned is not None else None
