"""One partition's ledger at work: entries read and written, due times, what is to be told. Without asyncio or I/O.

The shell of the lane applies each batch to `values` as soon as it is handed over; within a turn the changes stand
in the turn itself, so every decision sees those before it.
"""

from collections.abc import Callable, Mapping
from heapq import heapify, heappop, heappush
from typing import Final

import msgspec

from orchestrator.delivery.ledger import (
    Entry,
    Kind,
    Pending,
    Settled,
    decode,
    encode,
    encode_owner,
    owner_key,
    read_head,
)
from orchestrator.delivery.queue import Queue
from orchestrator.model.effect import Action
from orchestrator.stream.lane.records import Batch, Outgoing

TOLD_AFTER: Final = 300_000
"""A send is acknowledged, or has ended the worker, long before that (the lane gives up after a minute)."""
MOST_PER_TURN: Final = 1_000
"""So many entries a turn ends, holds back or forgets: whatever waits, the event loop does not stand still for it."""


class Ledger:
    """The entries of one partition, as recovered and as changed since."""

    def __init__(self, partition: int, values: Mapping[bytes, bytes], generation: int = 0) -> None:
        """Take over a partition's recovered values (live: the lane keeps them up to date), in a group's generation.

        Raises:
            DamagedLedgerError: a value is not one of ours.
        """
        self.partition = partition
        self.queue = Queue()
        self.values = values
        self._expiries: list[tuple[int, bytes]] = []
        self._settled: list[tuple[int, bytes]] = []
        self._untold: list[tuple[int, bytes]] = []
        self.number = max(1 + self._index(), generation)

    def _index(self) -> int:
        highest = 0
        for key, value in self.values.items():
            number, kind, time = read_head(value)
            highest = max(highest, number)
            if kind is Kind.PENDING:
                self._enqueue(key, decode(value))
            elif kind is not Kind.OWNER:
                self._settled.append((time, key))
                if kind is Kind.UNTOLD:
                    self._untold.append((0, key))
        heapify(self._settled)
        return highest

    def opening(self, now: int) -> Batch:
        """What has to go out before the first input: the ownership record, and outcomes not known to be told."""
        batch = Batch(changelog=[(owner_key(self.partition), encode_owner(self.number))])
        untold, self._untold = self._untold, []
        for _, key in untold:
            entry = decode(self.values[key])
            if isinstance(entry, Settled):
                batch.sends.append(Outgoing(entry.event_topic, entry.event_key, entry.untold))
                heappush(self._untold, (now + TOLD_AFTER, key))
        return batch

    def read(self, key: bytes) -> Entry | None:
        """The entry of an action id, None where it is unknown.

        Raises:
            DamagedLedgerError: the value holds no entry.
        """
        value = self.values.get(key)
        return None if value is None else decode(value)

    def wrote(self, key: bytes, entry: Entry) -> None:
        """Note when an entry that was written is due."""
        if isinstance(entry, Pending):
            self._enqueue(key, entry)
            return
        heappush(self._settled, (entry.until, key))
        if entry.untold:
            heappush(self._untold, (entry.at + TOLD_AFTER, key))

    def waiting(self) -> dict[str, int]:
        """Channel -> how many actions wait, due or not."""
        return self.queue.sizes(channel_of)

    def expired(self, now: int) -> list[bytes]:
        """The ids of actions whose `valid_until` has passed, some at a time; they need not be pending any more."""
        return _pop_before(self._expiries, now)

    def told(self, now: int) -> list[bytes]:
        """The ids whose outcome has certainly gone out, some at a time."""
        return _pop_before(self._untold, now)

    def forgotten(self, now: int) -> list[bytes]:
        """The ids of settled actions that may be forgotten, some at a time."""
        return _pop_before(self._settled, now)

    def _enqueue(self, key: bytes, entry: Entry) -> None:
        if isinstance(entry, Pending):
            action = entry.action
            self.queue.add(lane_of(action), action.class_, entry.next_at, key)
            heappush(self._expiries, (action.valid_until, key))


class Turn:
    """What one call of the lane decides: changes that see each other, and the batch that comes of them."""

    def __init__(self, ledger: Ledger, event: Callable[[Action, Settled], Outgoing | None]) -> None:
        """A turn on a ledger; `event` makes the outcome's record, None where nobody is told."""
        self.ledger = ledger
        self._event = event
        self._entries: dict[bytes, Entry | None] = {}
        self._sends: list[Outgoing] = []

    def read(self, key: bytes) -> Entry | None:
        return self._entries[key] if key in self._entries else self.ledger.read(key)

    def pend(self, key: bytes, pending: Pending) -> None:
        """Write that an action waits."""
        self._entries[key] = pending

    def settle(self, key: bytes, action: Action, settled: Settled, *, covered: bool) -> None:
        """Write that an action is over, and tell its outcome.

        Args:
            key: the action's id.
            action: the action.
            settled: how it ended.
            covered: this turn's offsets cover the action's own record, so that after a crash it comes again and
                its outcome with it; otherwise the ledger keeps the outcome until it has surely gone out.
        """
        event = self._event(action, settled)
        if event is None:
            self._entries[key] = settled
            return
        if not covered:
            settled = msgspec.structs.replace(
                settled, untold=event.value, event_key=event.key or b"", event_topic=event.topic
            )
        self._entries[key] = settled
        self._sends.append(event)

    def remember(self, key: bytes, settled: Settled) -> None:
        """Write that an action is over without telling anyone."""
        self._entries[key] = settled

    def forget(self, key: bytes) -> None:
        self._entries[key] = None

    def send(self, outgoing: Outgoing) -> None:
        self._sends.append(outgoing)

    def batch(self, offsets: dict[str, int]) -> Batch | None:
        """The batch, None where nothing happened."""
        number = self.ledger.number
        changelog = []
        for key, entry in self._entries.items():
            changelog.append((key, None if entry is None else encode(entry, number)))
            if entry is not None:
                self.ledger.wrote(key, entry)
        if not changelog and not self._sends and not offsets:
            return None
        return Batch(changelog, self._sends, offsets)


def lane_of(action: Action) -> str:
    """The queue that an action stands in: its tenant's on its channel, so that no tenant waits for another."""
    return f"{action.tenant}/{action.channel}"


def channel_of(lane: str) -> str:
    """The channel of a queue's name."""
    return lane.partition("/")[2]


def _pop_before(heap: list[tuple[int, bytes]], now: int) -> list[bytes]:
    """Take what lies before `now` from a heap of (time, key), as much as one turn may."""
    found: list[bytes] = []
    while heap and heap[0][0] < now and len(found) < MOST_PER_TURN:
        found.append(heappop(heap)[1])
    return found
