"""The lane's core for customers: given records of one partition, what to write, what to send, what to commit.

No Faust, no asyncio, no clock: the shell drives it on Kafka, the simulator in one thread. docs/lane.md has the order
in which the shell must do what a batch says, and why.
"""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orchestrator.engine.engine import Engine
from orchestrator.engine.facts import Facts
from orchestrator.model import reason
from orchestrator.model.codec import UnknownVersionError, decode_node, decode_outbox, encode_node, writer_of
from orchestrator.model.customer import Node, PartitionState
from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import node_key, split_key
from orchestrator.model.message import Tick, decode_message, encode_message
from orchestrator.stream.lane.intake import CHANNEL
from orchestrator.stream.lane.outbox import dead_letter, unsent
from orchestrator.stream.lane.partition import LARGEST, AsleepError, Partition, TooLargeError
from orchestrator.stream.lane.records import Batch, Outgoing, Record
from orchestrator.stream.lane.setting_aside import failed_at, may_be_set_aside
from orchestrator.stream.lane.statistics import Statistics
from orchestrator.stream.lane.step import Step, Tokens
from orchestrator.stream.lane.ticks import apply_tick, wanted_tick
from orchestrator.stream.lane.visits import plan_visits

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program


FEW: Final = 64
"""Batches smaller than this are applied as they came: there is hardly a customer with two events in them."""


MOST_FAILED: Final = 10
"""So many events of a partition may raise before the worker ends; each thousand records let one more."""


class MissingReleaseError(RuntimeError):
    """A partition stands on a release that `bundles` does not hold: restore that topic, or publish it again."""


NEVER_SET_ASIDE: Final = (MissingReleaseError, UnknownVersionError, MemoryError)
"""What is wrong with the worker and not with a record."""


def by_customer(owned: Partition, records: Sequence[Record]) -> Sequence[Record]:
    """The records of a batch, those of one customer together and in their order.

    A customer's record is cold in memory when its first event comes and warm for the next ones. Messages, ticks and
    records whose key names nobody keep their places: only what lies between two of them is moved.
    """
    if len(records) < FEW:
        return records
    ordered: list[Record] = []
    groups: dict[bytes, list[Record]] = {}
    for record in records:
        home = owned.home(record.key) if record.topic != INPUTS else None
        if home is None:
            ordered += chain.from_iterable(groups.values())
            groups = {}
            ordered.append(record)
        else:
            groups.setdefault(home, []).append(record)
    ordered += chain.from_iterable(groups.values())
    return ordered


class CustomerCore:
    """All partitions of one worker.

    Args:
        program: the release that partitions without one begin on; where None is given, `publish` says it before
            the first partition is assigned. Later releases come by `publish`, too.
        facts: the rows that this worker holds; `fact_row` keeps them up to date.
        channels: the channel topics to read.
        partitions: the partition count of all input topics.
        tokens: how signed links are read, None where there is no key.

    Attributes:
        most_failed: so many events of a partition may fail, and one more for each thousand records: 0 where a failure
            is to be seen at once, as in a rehearsal.
        recall: called with a retired release that somebody is on after all. It is to be known, and those behind it with
            it, as if it had never been retired.
    """

    most_failed: int = MOST_FAILED
    recall: Callable[[str], None] = staticmethod(lambda _: None)

    def __init__(
        self,
        program: "Program | None",
        facts: Facts,
        channels: Sequence[str],
        partitions: int,
        tokens: Tokens | None = None,
    ) -> None:
        self.facts = facts
        self.partitions = partitions
        self.tokens = tokens
        self.statistics = Statistics()
        self._current = program
        self._topics = (*channels, INPUTS)
        self._engines: dict[str, Engine] = {program.release: Engine(program, facts)} if program is not None else {}
        self._retired: frozenset[str] = frozenset()
        self._asleep: Mapping[tuple[str, int], str] = {}
        self._owned: dict[int, Partition] = {}

    @property
    def current(self) -> "Program":
        """The release that counts.

        Raises:
            MissingReleaseError: none was published yet.
        """
        if self._current is None:
            raise MissingReleaseError("no bundle is published: run `orchestrator publish scenarios/`")
        return self._current

    @property
    def input_topics(self) -> tuple[str, ...]:
        return self._topics

    # Releases and facts, which every worker holds whole.

    def publish(self, program: "Program") -> None:
        """Another release is current: each partition changes to it at its release tick."""
        self._engines[program.release] = Engine(program, self.facts)
        self._current = program

    def know(self, program: "Program") -> None:
        """An earlier release, which a partition may still stand on; the one that counts may be one again."""
        if self._current is None or program.release != self._current.release:
            self._engines[program.release] = Engine(program, self.facts)

    def retire(self, releases: Collection[str], asleep: Mapping[tuple[str, int], str]) -> None:
        """These are all releases that are retired: none is held, but what a partition runs on.

        Args:
            releases: nobody is on them, as far as was seen.
            asleep: (scenario, version) -> which of them is to be woken where somebody is on that version after all.
        """
        self._retired, self._asleep = frozenset(releases), asleep
        running = {self.current.release, *(partition.release for partition in self._owned.values())}
        gone = self._retired - running
        self._engines = {release: engine for release, engine in self._engines.items() if release not in gone}
        for partition in self._owned.values():
            partition.sleep(asleep)

    def wake(self, release: str) -> None:
        """Somebody is on a release that is retired. Where it cannot be built, they go on by the newest version."""
        self.recall(release)
        left = {version: name for version, name in self._asleep.items() if name != release}
        self.retire(self._retired - {release}, left)

    def fact_row(self, fact: str, key: str, row: dict[str, Any] | None) -> None:
        """A row for everyone has changed; who waits for it is looked at again, by a tick."""
        self.facts.set(fact, key, row)
        names = (fact, f"{fact}/{key.partition('/')[0]}", f"{fact}/{key}")
        for partition in self._owned.values():
            if partition.is_waited_for(names):
                partition.changed_facts.update(names)

    def owned(self, partition: int) -> Partition | None:
        """The memory of a partition that is recovered, for questions."""
        return self._owned.get(partition)

    def all_owned(self) -> list[Partition]:
        """The memory of every partition that is recovered."""
        return list(self._owned.values())

    def engine_of(self, partition: Partition) -> Engine:
        """The engine of the release that a partition runs on.

        Raises:
            MissingReleaseError: nobody has that release any more.
        """
        engine = self._engines.get(partition.release)
        if engine is None and partition.release in self._retired:
            self.wake(partition.release)
            engine = self._engines.get(partition.release)
        if engine is None:
            raise MissingReleaseError(
                f"partition {partition.index} runs on release {partition.release[:12]}, which the topic `bundles` "
                "does not hold: publish that bundle again, then restart the worker"
            )
        return engine

    def look(self, partition: Partition, key: bytes) -> Node:
        """A node as it is, for who asks between two batches."""
        while True:
            try:
                return partition.node(key)
            except AsleepError as asleep:
                self.wake(asleep.release)

    # The contract with the shell (records.Core).

    def accepts(self, previous: int, value: bytes, /) -> int:
        """The zombie rule: a value written under an older ownership number than one already read does not count."""
        writer = writer_of(value)
        return writer if writer >= previous else -1

    def assigned(
        self,
        partition: int,
        values: Mapping[bytes, bytes],
        committed: Mapping[str, int],
        now: int,
        generation: int = 0,
    ) -> Batch:
        """Take a partition over: indexes, ownership, and what may not have been sent before a crash."""
        owned = self._owned[partition] = Partition(partition, values, committed)
        owned.asleep = self._asleep
        key = self._ownership_key(partition)
        known = values.get(key)
        state = decode_node(known).body if known is not None else None
        before = state if isinstance(state, PartitionState) else PartitionState()
        owned.number = max(before.number + 1, generation)
        owned.release = before.release or self.current.release
        engine = self.engine_of(owned)
        sends = [send for at in owned.rebuild() for send in unsent(decode_outbox(values[at]), owned.committed)]
        owned.patience = self.most_failed
        owned.changed_facts.update(owned.all_waiting())
        if not before.release:
            plan_visits(owned, None, engine.program)
        elif before.visiting:
            owned.begin_visits(before.visiting, before.visited)
        return Batch([(key, self._ownership(owned))], sends, {})

    def process(self, partition: int, records: Sequence[Record], now: int) -> Batch:
        """Apply records, each customer's in this order; everything changed is encoded once.

        Where they are too much for one write, or one of them raises, they are undone and tried in halves, with what is
        left kept for later calls; one that fails alone, with nothing else under way, is set aside (`setting_aside`).
        """
        owned = self._owned[partition]
        waiting = (*owned.kept, *records) if owned.kept else records
        count = min(owned.fits or len(waiting), len(waiting))
        owned.patience = min(self.most_failed, owned.patience + len(records) / 1000)
        before = owned.mark()
        batch = Batch()
        while count:
            try:
                batch = self._apply(owned, waiting[:count], now)
                break
            except NEVER_SET_ASIDE:
                raise
            except AsleepError as asleep:
                owned.undo(before)
                self.wake(asleep.release)
            except Exception as problem:  # noqa: BLE001 - the fate is chosen: tried in parts, set aside, or raised
                owned.undo(before)
                if count == 1 and not records:
                    batch = self._set_aside(owned, waiting[0], problem, now)
                    break
                count //= 2
        self._keep(owned, waiting[count:], count)
        batch.rest = len(owned.kept)
        return batch

    def _apply(self, owned: Partition, records: Sequence[Record], now: int, largest: int = LARGEST) -> Batch:
        step = self._step(owned)
        for record in by_customer(owned, records):
            if record.topic == INPUTS:
                step = self._input(owned, step, record)
            else:
                step.event(record, record.topic[len(CHANNEL) :])
        offsets = {record.topic: record.offset + 1 for record in records}
        return self._batch(owned, step, offsets, now, largest)

    def _keep(self, owned: Partition, rest: Sequence[Record], count: int) -> None:
        """What is left of the input waits; as long as some of it is left, no more are tried at once than went now."""
        owned.kept = rest
        owned.fits = max(1, count) if rest else 0

    def _set_aside(self, owned: Partition, record: Record, problem: Exception, now: int) -> Batch:
        """One record that cannot be applied although nothing else is under way.

        Raises:
            Exception: what was raised, where the record must not be left out, or too many have been.
        """
        why = reason.RECORD_FULL if isinstance(problem, TooLargeError) else reason.FAILED
        if not may_be_set_aside(record):
            if why == reason.RECORD_FULL:  # perhaps the broker takes it, for it is packed there
                return self._apply(owned, (record,), now, sys.maxsize)
            raise problem
        if why == reason.FAILED:
            owned.patience -= 1
            if owned.patience < 0:
                raise problem
            self.statistics.failed.append(failed_at(record, problem))
        step = self._step(owned)
        step.reject(record, why)
        return self._batch(owned, step, {record.topic: record.offset + 1}, now)

    def _step(self, owned: Partition) -> Step:
        return Step(owned, self.engine_of(owned), self.partitions, self.tokens)

    def _input(self, owned: Partition, step: Step, record: Record) -> Step:
        """A record of `customer.inputs`; a release tick makes the rest of the batch run on another program."""
        try:
            message = decode_message(record.value or b"")
            tenant, name = split_key(record.key or b"")
        except (msgspec.DecodeError, ValueError, RecursionError):
            step.reject(record, reason.UNDECODABLE)
            return step
        if tenant != step.tenant:
            step.reject(record, reason.UNKNOWN_TENANT)
        elif isinstance(message, Tick):
            return self._tick(owned, step, record, message)
        else:
            step.message(record, name, message)
        return step

    def _tick(self, owned: Partition, step: Step, record: Record, tick: Tick) -> Step:
        """A tick. A batch's changelog may be cut off anywhere, so the order in it counts.

        What came before a release is written before the release, and that before all that it leads to; how far visits
        have come, behind those whom they reached. A tick to a release that was retired meanwhile changes nothing: the
        next one is to the release that counts.
        """
        owned.tick_under_way = False
        if tick.release and tick.release != owned.release and tick.release not in self._retired:
            left = self._engines.get(owned.release)
            written = [*step.written, *owned.encode_dirty(step.program)]
            owned.release = tick.release
            following = self._step(owned)
            plan_visits(owned, left.program if left is not None else None, following.program)
            following.sends, following.notes, following.outcomes = step.sends, step.notes, step.outcomes
            following.rejected, following.lags, following.hops = step.rejected, step.lags, step.hops
            following.written = [*written, (self._ownership_key(owned.index), self._ownership(owned))]
            step = following
        apply_tick(step, record, tick)
        if tick.release or tick.visit:
            key = self._ownership_key(owned.index)
            owned.dirty.pop(key, None)
            owned.dirty[key] = Node(body=_state(owned))
        return step

    def _batch(self, owned: Partition, step: Step, offsets: dict[str, int], now: int, largest: int = LARGEST) -> Batch:
        changelog = owned.encode_dirty(step.program, largest)
        owned.spare_memory()
        if step.written:
            changelog = [*step.written, *changelog]
        sends = step.sends
        sends += [dead_letter(record, why, now) for record, why in step.rejected]
        self.statistics.add(step)
        return Batch(changelog, sends, offsets)

    def committed(self, partition: int, offsets: Mapping[str, int]) -> None:
        owned = self._owned.get(partition)
        if owned is not None:
            owned.committed.update(offsets)

    def revoked(self, partition: int) -> None:
        self._owned.pop(partition, None)

    def tick(self, partition: int, now: int) -> Outgoing | None:
        owned = self._owned.get(partition)
        if owned is None or owned.tick_under_way:
            return None
        tick = wanted_tick(owned, now, self.current.release)
        if tick is None:
            return None
        owned.tick_under_way = True
        return Outgoing(INPUTS, self._ownership_key(partition), encode_message(tick), partition)

    def _ownership_key(self, partition: int) -> bytes:
        return node_key(self.current.tenant, f"partition:{partition}")

    @staticmethod
    def _ownership(owned: Partition) -> bytes:
        return encode_node(Node(body=_state(owned)), owned.number, 0)


def _state(owned: Partition) -> PartitionState:
    return PartitionState(owned.number, owned.release, owned.visiting, owned.visited)
