"""Delivery with its real decisions: each action's ledger entry is written, then told, then committed."""

from collections import Counter
from random import Random

from orchestrator.delivery.backoff import Backoff
from orchestrator.delivery.decide import (
    Attempt,
    Deferred,
    Delivered,
    Repeat,
    Result,
    after_attempt,
    on_due,
    on_send,
    on_withdraw,
)
from orchestrator.delivery.ledger import Entry, Pending, Settled
from orchestrator.delivery.outcome import outcome_event
from orchestrator.delivery.records import read_action
from orchestrator.model.effect import ACTIONS, Action, Withdrawal
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.faults import Fault
from tests.simulation.simulator.violation import ViolationError


class Delivery:
    """One process that may be interrupted between any two of its steps.

    Attributes:
        ledger: action id -> what is durable of it.
        attempts: action ids in the order in which a channel was asked.
        reached: action ids that a channel has taken.
        withdrawn: action ids that are not to be sent any more.
        interrupted: how often what became of an attempt was forgotten.
    """

    def __init__(self, broker: Broker, rng: Random, busy: float) -> None:
        self.broker = broker
        self.rng = rng
        self.busy = busy
        self.ledger: dict[str, Entry] = {}
        self.attempts: list[str] = []
        self.reached: list[str] = []
        self.withdrawn: set[str] = set()
        self.interrupted: Counter[str] = Counter()
        self._at = [0] * broker.partitions
        self._troubles = 6
        self._untold: list[tuple[Action, Settled]] = []

    def go_on(self) -> None:
        """One record of some partition, or what is due; sometimes it is interrupted."""
        self._due()
        self._read(int(self.rng.random() * len(self._at)))

    def finish(self) -> bool:
        """Everything that there is; whether there was anything. Troubles come to an end."""
        moved = False
        for partition in range(len(self._at)):
            while self._read(partition):
                moved = True
        return self._due() or moved

    def _trouble(self, share: float) -> bool:
        """Whether something goes wrong now."""
        wrong = self._troubles > 0 and self.rng.random() < share
        self._troubles -= wrong
        return wrong

    def _read(self, partition: int) -> bool:
        log = self.broker.logs.get((ACTIONS, partition), [])
        if self._at[partition] >= len(log):
            return False
        action = read_action(log[self._at[partition]], None)
        if isinstance(action, Withdrawal):
            self._withdraw(action)
        elif not self._send(action):
            return True
        self._at[partition] += 1
        return True

    def _withdraw(self, withdrawal: Withdrawal) -> None:
        entry = self.ledger.get(withdrawal.id)
        decision = on_withdraw(entry, withdrawal, self.broker.clock)
        if not isinstance(entry, Settled):
            self.withdrawn.add(withdrawal.id)
        if isinstance(decision, Pending | Settled):
            self.ledger[withdrawal.id] = decision
            self.broker.met[Fault.RECALLED] += 1
            if isinstance(entry, Pending) and isinstance(decision, Settled):
                self._tell(entry.action, decision)

    def _send(self, action: Action) -> bool:
        """Whether the record is done with; where it is not, it comes again."""
        now = self.broker.clock
        decision = on_send(self.ledger.get(action.id), action, now)
        if isinstance(decision, Attempt):
            return self._attempt(Pending(action, now), covered=True)
        if isinstance(decision, Settled):
            self.ledger[action.id] = decision
            self._tell(action, decision)
        elif isinstance(decision, Repeat):
            self._tell(action, decision.entry)
        return True

    def _attempt(self, pending: Pending, *, covered: bool) -> bool:
        """Ask the channel; gives whether its record is done with.

        Where no record comes again that covers the outcome, the ledger itself remembers that it was not told.
        """
        action, now, met = pending.action, self.broker.clock, self.broker.met
        self.attempts.append(action.id)
        if action.id in self.withdrawn:
            raise ViolationError(f"{action.id} is sent, though it was withdrawn")
        later = self._trouble(self.busy)
        met[Fault.BUSY_CHANNEL] += later
        result: Result = Deferred("busy") if later else Delivered()
        if isinstance(result, Delivered):
            self.reached.append(action.id)
        if self._trouble(0.1):
            met[Fault.DELIVERY_BEFORE_LEDGER] += 1
            self.interrupted[action.id] += 1
            return False
        entry = after_attempt(pending, result, now, self.rng.random(), Backoff())
        self.ledger[action.id] = entry
        if self._trouble(0.1):
            if isinstance(entry, Settled):
                met[Fault.DELIVERY_BEFORE_TELLING] += 1
                self._untold += [] if covered else [(action, entry)]
            return False
        if isinstance(entry, Settled):
            self._tell(action, entry)
        committed = not self._trouble(0.1)
        met[Fault.DELIVERY_BEFORE_COMMIT] += not committed
        return committed

    def _due(self) -> bool:
        now, moved = self.broker.clock, bool(self._untold)
        while self._untold:
            self._tell(*self._untold.pop())
        for name, entry in list(self.ledger.items()):
            if isinstance(entry, Pending) and entry.next_at <= now:
                moved = True
                decision = on_due(entry, now)
                if isinstance(decision, Settled):
                    self.ledger[name] = decision
                    self._tell(entry.action, decision)
                else:
                    self._attempt(entry, covered=False)
        return moved

    def next_due(self) -> int:
        """When an attempt is due next, 0: never."""
        return min((entry.next_at for entry in self.ledger.values() if isinstance(entry, Pending)), default=0)

    def _tell(self, action: Action, settled: Settled) -> None:
        event = outcome_event(action, settled, None)
        self.broker.append(event.topic, self.broker.place(event.topic, event.key), event.key, event.value)
