"""Delivery on the batch lane: reads `actions`, attempts, retries, and says how each ended.

The order that makes it safe is the lane's: what the ledger says is durable, then the outcome goes out, then the
offset is committed. What does not fit into a turn (a slow receiver, a channel without room, a retry) is written
to the ledger as pending with everything it takes, and its offset goes on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from orchestrator.delivery.backoff import Backoff
from orchestrator.delivery.contents import Contents
from orchestrator.delivery.decide import (
    Attempt,
    Deferred,
    Repeat,
    Result,
    after_attempt,
    on_due,
    on_send,
    on_withdraw,
)
from orchestrator.delivery.gate import Gate, Rate
from orchestrator.delivery.ledger import Pending, Settled, read_head
from orchestrator.delivery.outcome import outcome_event
from orchestrator.delivery.partition import MOST_PER_TURN, Ledger, Turn, lane_of
from orchestrator.delivery.records import BadActionError, read_action
from orchestrator.delivery.watch import Silent, Watch
from orchestrator.model.effect import ACTIONS, PUBLISH, Action, Withdrawal
from orchestrator.stream import cancellation
from orchestrator.stream.lane.outbox import dead_letter
from orchestrator.stream.lane.records import Batch, Outgoing, Record

Attempting = Callable[[Action, int], Awaitable[Result]]

MAX_PER_TURN: Final = 16


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """How delivery paces itself.

    Attributes:
        partitions: how many `actions` has; a process's share of a rate limit is that of its partitions.
        channels: the channels that have a topic for outcomes; None when every one has. An action on any other
            goes to dead-letter: there is nowhere to say how it ended.
        slots: attempts under way at once, per tenant and channel.
        patience: how long a turn waits for its attempts, ms; slower ones go on beside the next turns.
        farewell: how long a partition that is given up waits for its attempts, ms; slower ones are broken off, and
            made again by who has it next.
        backoff: the waits between the attempts of one action.
    """

    partitions: int
    channels: frozenset[str] | None = None
    slots: int = 8
    patience: int = 1_000
    farewell: int = 3_000
    backoff: Backoff = Backoff()


class _UnderWay(msgspec.Struct):
    """An attempt that has not been written down yet."""

    pending: Pending
    task: asyncio.Task[Result]


class _Room(msgspec.Struct):
    """What a turn may still do: begin attempts, and look at actions that are due."""

    attempts: int = MAX_PER_TURN
    looks: int = MOST_PER_TURN


class DeliveryCore:
    """The lane's core of delivery; see `orchestrator.stream.lane.records.Core` for what each call promises."""

    input_topics = (ACTIONS,)

    def __init__(
        self,
        attempt: Attempting,
        contents: Contents,
        tuning: Tuning,
        *,
        draw: Callable[[], float],
        clock: Callable[[], int],
        watch: Watch | None = None,
    ) -> None:
        """A core without partitions.

        Args:
            attempt: tries to send an action, at a time in ms, and gives a result whatever happens.
            contents: the bundles.
            tuning: see there.
            draw: gives random numbers in [0, 1).
            clock: ms since the epoch; for what happens between the lane's calls.
            watch: told what happens.
        """
        self._attempt = attempt
        self._contents = contents
        self._tuning = tuning
        self._draw = draw
        self._clock = clock
        self._watch: Watch = watch or Silent()
        self._ledgers: dict[int, Ledger] = {}
        self._under_way: dict[int, dict[bytes, _UnderWay]] = {}
        self._gates: dict[str, Gate] = {}
        self._edition = contents.edition

    # What the lane calls.

    def accepts(self, previous: int, value: bytes) -> int:
        number, _, _ = read_head(value)
        return number if number >= previous else -1

    def assigned(
        self,
        partition: int,
        values: Mapping[bytes, bytes],
        committed: Mapping[str, int],
        now: int,
        generation: int = 0,
    ) -> Batch:
        ledger = self._ledgers[partition] = Ledger(partition, values, generation)
        self._under_way[partition] = {}
        self._apply_rates()
        return ledger.opening(now)

    async def process(self, partition: int, records: Sequence[Record], now: int) -> Batch:
        turn = self._turn(partition)
        fresh: dict[bytes, Pending] = {}
        for record in records:
            self._take(turn, record, now, fresh)
        waiting = list(fresh.values())

        def start() -> None:
            waiting[:] = [pending for pending in waiting if not self._start_fresh(turn, pending)]

        await self._drive(partition, start, self._tuning.patience)
        for pending in waiting:
            turn.pend(pending.action.id.encode(), pending)
        self._write_down(turn, fresh.keys())
        for key in fresh.keys() & self._under_way[partition].keys():
            turn.pend(key, self._under_way[partition][key].pending)
        batch = turn.batch({record.topic: record.offset + 1 for record in records})
        self._tell_waiting(partition)
        return batch or Batch()

    async def wake(self, partition: int, now: int) -> Batch | None:
        turn = self._turn(partition)
        self._follow_bundle()
        self._expire(turn, now)
        room = _Room()
        await self._drive(partition, lambda: self._start_due(turn, room), self._tuning.patience // 5)
        self._write_down(turn, ())
        self._tidy(turn, now)
        batch = turn.batch({})
        if batch is not None:
            self._tell_waiting(partition)
        return batch

    async def leave(self, partition: int, now: int) -> Batch | None:
        """Attempts that are under way end and are written down, so that who comes next does not repeat them."""
        turn = self._turn(partition)
        await self._drive(partition, lambda: None, self._tuning.farewell)
        self._write_down(turn, ())
        return turn.batch({})

    def committed(self, partition: int, offsets: Mapping[str, int]) -> None:
        """Nothing hangs on it: the ledger itself says what may be repeated."""

    def revoked(self, partition: int) -> None:
        """What is still under way is broken off: its result could not be written down any more."""
        self._ledgers.pop(partition, None)  # none is there where its values were damaged
        for attempt in self._under_way.pop(partition, {}).values():
            attempt.task.cancel()
        self._apply_rates()
        self._watch.waiting(partition, {})

    def tick(self, partition: int, now: int) -> Outgoing | None:
        """Delivery has no tick records: what falls due is in its own ledger."""
        return None

    # One record.

    def _take(self, turn: Turn, record: Record, now: int, fresh: dict[bytes, Pending]) -> None:
        try:
            action = read_action(record, self._tuning.channels)
        except BadActionError as fault:
            self._watch.rejected(record, fault.reason)
            turn.send(dead_letter(record, fault.reason, now))
            return
        if isinstance(action, Withdrawal):
            self._take_withdrawal(turn, action, now, fresh)
        else:
            self._take_send(turn, action, now, fresh)

    def _take_send(self, turn: Turn, action: Action, now: int, fresh: dict[bytes, Pending]) -> None:
        key = action.id.encode()
        if key in fresh or key in self._under_way[turn.ledger.partition]:
            return
        decision = on_send(turn.read(key), action, now, self._contents.quiet(action, now))
        if isinstance(decision, Attempt):
            fresh[key] = Pending(action, now)
        elif isinstance(decision, Pending):
            self._hold(turn, key, decision)
        elif isinstance(decision, Settled):
            self._settle(turn, action, decision, covered=True)
        elif isinstance(decision, Repeat):
            self._watch.repeated(action.channel)
            if (told := self._event(action, decision.entry)) is not None:
                turn.send(told)

    def _take_withdrawal(self, turn: Turn, withdrawal: Withdrawal, now: int, fresh: dict[bytes, Pending]) -> None:
        key = withdrawal.id.encode()
        under_way = self._under_way[turn.ledger.partition].get(key)
        entry = under_way.pending if under_way else fresh.pop(key, None) or turn.read(key)
        decision = on_withdraw(entry, withdrawal, now, under_way=under_way is not None)
        if isinstance(decision, Pending) and under_way:
            under_way.pending = decision
            turn.pend(key, decision)
        elif isinstance(decision, Settled) and isinstance(entry, Pending):
            self._settle(turn, entry.action, decision, covered=False)
        elif isinstance(decision, Settled):
            turn.remember(key, decision)

    # Attempts.

    def _start(self, partition: int, key: bytes, pending: Pending, now: int) -> None:
        gate = self._gate(lane_of(pending.action))
        gate.enter(now)
        task = asyncio.create_task(self._run(gate, pending.action))
        self._under_way[partition][key] = _UnderWay(pending, task)

    async def _run(self, gate: Gate, action: Action) -> Result:
        began = time.monotonic()
        result: Result = Deferred("broken_off")
        try:
            result = await self._attempt(action, self._clock())
        except (Exception, asyncio.CancelledError) as error:  # one message's defect must not stop the others
            if isinstance(error, asyncio.CancelledError) and cancellation.is_own():
                raise
            self._watch.broke(action.channel, type(error).__name__)
            result = Deferred("internal_error")
        finally:
            now = self._clock()
            gate.leave(result, now, self._draw())
        if isinstance(result, Deferred) and result.channel_wide:
            self._watch.paused(action.channel, result.reason, gate.paused_until - now)
        self._watch.attempted(action.channel, result, time.monotonic() - began)
        return result

    async def _drive(self, partition: int, start: Callable[[], None], patience: int) -> None:
        """Start attempts as their channels have room, until all have ended or the patience has."""
        clock = asyncio.get_running_loop().time  # the loop's own, so that a simulator's loop decides what time is
        deadline = clock() + patience / 1000
        while True:
            start()
            running = [each.task for each in self._under_way[partition].values() if not each.task.done()]
            left = deadline - clock()
            if not running or left <= 0:
                return
            await asyncio.wait(running, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    def _start_fresh(self, turn: Turn, pending: Pending) -> bool:
        """Start an action of this turn, unless its channel has no room or others stand before it."""
        now, lane = self._clock(), lane_of(pending.action)
        if turn.ledger.queue.has(lane, now) or not self._gate(lane).opens(now):
            return False
        self._start(turn.ledger.partition, pending.action.id.encode(), pending, now)
        return True

    def _start_due(self, turn: Turn, room: _Room) -> None:
        """Start pending actions that are due, as far as their channels and the turn have room."""
        now = self._clock()
        for lane in turn.ledger.queue.lanes():
            gate = self._gate(lane)
            while room.attempts and room.looks and gate.opens(now):
                key = turn.ledger.queue.pop(lane, now)
                if key is None:
                    break
                room.looks -= 1
                pending = self._still_due(turn, key, now)
                if pending is not None:
                    self._start(turn.ledger.partition, key, pending, now)
                    room.attempts -= 1

    def _still_due(self, turn: Turn, key: bytes, now: int) -> Pending | None:
        """The pending action of a queue's entry, unless the entry is out of date or the action is over."""
        entry = turn.read(key)
        if not isinstance(entry, Pending) or entry.next_at > now or key in self._under_way[turn.ledger.partition]:
            return None
        decision = on_due(entry, now, self._contents.quiet(entry.action, now))
        if isinstance(decision, Settled):
            self._settle(turn, entry.action, decision, covered=False, attempts=entry.attempts)
        elif isinstance(decision, Pending):
            self._hold(turn, key, decision)
        return entry if isinstance(decision, Attempt) else None

    def _hold(self, turn: Turn, key: bytes, held: Pending) -> None:
        """Write that an action waits for the end of quiet hours."""
        turn.pend(key, held)
        self._watch.held(held.action.channel, held.reason)

    def _write_down(self, turn: Turn, covered: Collection[bytes]) -> None:
        """Put into the turn what attempts that have ended gave; `covered`: this turn's offsets cover their records."""
        under_way = self._under_way[turn.ledger.partition]
        for key in [key for key, attempt in under_way.items() if attempt.task.done()]:
            attempt = under_way.pop(key)
            now = self._clock()
            entry = after_attempt(attempt.pending, attempt.task.result(), now, self._draw(), self._tuning.backoff)
            if isinstance(entry, Pending):
                turn.pend(key, entry)
            else:
                attempts = attempt.pending.attempts + 1
                self._settle(turn, attempt.pending.action, entry, covered=key in covered, attempts=attempts)

    # What time brings.

    def _expire(self, turn: Turn, now: int) -> None:
        """End what waited too long, also where its channel has no room to find out."""
        for key in turn.ledger.expired(now):
            entry = turn.read(key)
            if isinstance(entry, Pending) and key not in self._under_way[turn.ledger.partition]:
                decision = on_due(entry, now)
                if isinstance(decision, Settled):
                    self._settle(turn, entry.action, decision, covered=False, attempts=entry.attempts)

    def _tidy(self, turn: Turn, now: int) -> None:
        for key in turn.ledger.told(now):
            entry = turn.read(key)
            if isinstance(entry, Settled) and entry.untold:
                told = msgspec.structs.replace(entry, untold=b"", event_key=b"", event_topic="")
                turn.remember(key, told)
        for key in turn.ledger.forgotten(now):
            entry = turn.read(key)
            if isinstance(entry, Settled) and entry.until < now:
                turn.forget(key)

    # Small parts.

    def _turn(self, partition: int) -> Turn:
        return Turn(self._ledgers[partition], self._event)

    def _settle(self, turn: Turn, action: Action, settled: Settled, *, covered: bool, attempts: int = 0) -> None:
        turn.settle(action.id.encode(), action, settled, covered=covered)
        self._watch.settled(action, settled, attempts)

    def _event(self, action: Action, settled: Settled) -> Outgoing | None:
        """The record of an outcome; what is told to everybody happened to no customer, and metrics have it."""
        if action.kind == PUBLISH:
            return None
        namespace = self._contents.namespace(action.tenant, action.release, action.channel)
        return outcome_event(action, settled, namespace)

    def _gate(self, lane: str) -> Gate:
        gate = self._gates.get(lane)
        if gate is None:
            gate = self._gates[lane] = Gate(self._tuning.slots)
            self._apply_rate(lane, gate)
        return gate

    def _follow_bundle(self) -> None:
        """Take over the rate limits of a release that was published since."""
        edition = self._contents.edition
        if edition != self._edition:
            self._edition = edition
            self._apply_rates()

    def _apply_rates(self) -> None:
        for lane, gate in self._gates.items():
            self._apply_rate(lane, gate)

    def _apply_rate(self, lane: str, gate: Gate) -> None:
        tenant, _, channel = lane.partition("/")
        limit = self._contents.rate_limit(tenant, channel)
        share = len(self._ledgers) / self._tuning.partitions
        gate.limit(Rate(limit.limit, limit.per, share, gate.rate) if limit and share else None)

    def _tell_waiting(self, partition: int) -> None:
        self._watch.waiting(partition, self._ledgers[partition].waiting())
