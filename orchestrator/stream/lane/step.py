"""One input record at work: apply here, or pass on. What it changes, sends and notes is collected for the batch."""

from typing import TYPE_CHECKING, Final

from orchestrator.engine.brand import is_brands
from orchestrator.engine.identity.handlers import WINDOW_BYTES, let_idle_go, on_event, seen
from orchestrator.engine.identity.route import MANY_HOPS, destination, handle
from orchestrator.engine.identity.work import Work
from orchestrator.model import reason
from orchestrator.model.customer import Customer, Node
from orchestrator.model.effect import INPUTS, Note
from orchestrator.model.event import Event
from orchestrator.model.ids import event_hash, node_key
from orchestrator.model.message import (
    Absorb,
    Applied,
    Change,
    Counted,
    Erase,
    Forget,
    Home,
    Inquire,
    Link,
    Message,
    Noted,
    Reached,
    Refer,
    Refused,
    Reopen,
    Reset,
    Shown,
    Split,
    Stays,
    encode_message,
)
from orchestrator.model.partition import partition_of
from orchestrator.stream.lane.breakers import count_message
from orchestrator.stream.lane.erasures import forget, reached
from orchestrator.stream.lane.facts import brand_event, change
from orchestrator.stream.lane.intake import Refused as Rejected
from orchestrator.stream.lane.intake import Taken, read_event
from orchestrator.stream.lane.outbox import forget_open_tasks, outgoing, put
from orchestrator.stream.lane.records import Outgoing, Record
from orchestrator.stream.lane.references import claim, refer

if TYPE_CHECKING:
    from orchestrator.engine.engine import Engine
    from orchestrator.engine.identity.route import About, ForNode
    from orchestrator.engine.program.plan import Program
    from orchestrator.stream.lane.partition import Partition

MOST_FORWARDS: Final = 32


class Step:
    """The records of one batch, one at a time, on one partition.

    Attributes:
        sends: what the batch has to send, in order; also what only passes through.
        notes: the traces of all records.
        outcomes: what became of each record, for the counters: (event type, outcome) of a bounded list.
        rejected: records for dead-letter, with their reasons.
        written: what must stand in the changelog before the nodes that are dirty at the end.
        lags: ms by which timers acted late.
        hops: trips through `customer.inputs` of each message that was handled, and of each event that came by one.
    """

    def __init__(
        self, partition: "Partition", engine: "Engine", partitions: int, tokens: "Tokens | None" = None
    ) -> None:
        self.partition = partition
        self.engine = engine
        self.program: Program = engine.program
        self.tenant = self.program.tenant
        self.prefix = f"{self.tenant}/".encode()
        self.partitions = partitions
        self.tokens = tokens
        self.sends: list[Outgoing] = []
        self.notes: list[Note] = []
        self.outcomes: list[tuple[str, str]] = []
        self.rejected: list[tuple[Record, str]] = []
        self.written: list[tuple[bytes, bytes | None]] = []
        self.lags: list[int] = []
        self.hops: list[int] = []

    # Events.

    def event(self, record: Record, channel: str) -> None:
        """A record of a channel's topic."""
        raw = record.value or b""
        taken = read_event(raw, channel, record.timestamp, self.program)
        if isinstance(taken, Rejected):
            self.reject(record, taken.reason)
        elif not self._at_home(record, taken):
            self._take(record, taken, raw)

    def _at_home(self, record: Record, taken: Taken) -> bool:
        """The common case in few steps: the record is keyed by its event's own root, which is known here.

        False where anything is otherwise: then nothing was done.
        """
        event, partition, key = taken.event, self.partition, record.key
        identifiers = event.identifiers
        if not (taken.plan.plain and identifiers) or (self.tokens is not None and "token" in event.data):
            return False
        target = identifiers[0]
        if key != self.prefix + target.encode() or (key not in partition.values and key not in partition.dirty):
            return False
        if key in partition.full:
            return False
        node = partition.node(key)
        if node.to is not None or node.applied.get(record.topic, -1) >= record.offset:
            return False
        engine = self.engine
        work = Work(node, target, self.tenant, record.timestamp, self.program.identity, engine)
        on_event(work, event, target)
        self.outcomes.append((event.type, "applied" if work.changed else "duplicate"))
        if work.effects or not work.changed:
            self.settle(record, key, work)
        else:
            self.notes += work.notes
            partition.changed(key, node, record.topic, record.offset)
        return True

    def _take(self, record: Record, taken: Taken, raw: bytes) -> None:
        event, plan = taken.event, taken.plan
        if plan.facts or plan.for_ == "brand":
            brand_event(self, record, taken, raw)
            if plan.for_ == "brand":
                return
        if self.tokens is not None and "token" in event.data:
            self.tokens.resolve(event, self.program.identity, record.timestamp)
        if event.identifiers:
            target = event.identifiers[0]
            self.apply(record, event, target, Applied(target, raw, event.received, plan.channel))
            return
        referred = self.program.identity.referred(event.data)
        if not referred:
            self.reject(record, reason.NO_IDENTIFIER)
            return
        refer(self, record, Applied(referred[0], raw, event.received, plan.channel))

    def apply(self, record: Record, event: Event, target: str, message: Applied | Shown, at: str = "") -> None:
        """Apply an event at the root where `target` is a member: here, or where that root lives.

        `message` is what carries it there. `at` is the node that it was passed on to, where it came by another node:
        the search goes on there.
        """
        name = at or target
        for _ in range(MOST_FORWARDS):
            key = node_key(self.tenant, name)
            if not self.is_here(key, record):
                message.hops += 1
                if message.hops > MANY_HOPS:
                    self.notes.append(Note("many_hops", "", "", "", message.hops))
                self.pass_on(name, message)
                self.outcomes.append((event.type, "passed_on"))
                return
            node = self.partition.node(key)
            work = self.work(node, name, record)
            onward = destination(work, target)
            if onward is None:
                if let_idle_go(work, target, event.time):
                    self.settle(record, key, work)
                    name = target
                    break
                if message.hops:
                    self.hops.append(message.hops)
                self._apply_here(record, event, target, key, work)
                return
            name = onward
        self.pass_on(name, message)
        self.outcomes.append((event.type, "passed_on"))

    def _apply_here(self, record: Record, event: Event, target: str, key: bytes, work: Work) -> None:
        if self._replayed(record, target, work.node):
            self.outcomes.append((event.type, "replayed"))
            return
        if self.tokens is not None and event.data.get("token") and self._stranger(event, work):
            event.identifiers = tuple(node for node in event.identifiers if node != target)
            if event.identifiers:
                raw = self.tokens.without(event)
                self.apply(
                    record,
                    event,
                    event.identifiers[0],
                    Applied(event.identifiers[0], raw, event.received, event.channel),
                )
            else:
                self.reject(record, reason.NO_IDENTIFIER)
            return
        if key in self.partition.full and self._has_no_room(work.node, event, target):
            self.reject(record, reason.RECORD_FULL)
            return
        on_event(work, event, target)
        self.outcomes.append((event.type, "applied" if work.changed else "duplicate"))
        self.settle(record, key, work)

    def _has_no_room(self, node: Node, event: Event, target: str) -> bool:
        """Whether a full customer takes an event in no more. Consent counts for everybody; a duplicate adds nothing."""
        body = node.body
        if isinstance(body, Customer) and seen(body.window.get(target, b""), event.hash):
            return False
        plan = self.program.plans.get((event.type, event.channel)) or self.program.event_plan(event.type, event.channel)
        return not plan.consents

    def _replayed(self, record: Record, target: str, node: Node) -> bool:
        """Whether an event that may have left the dedupe window is applied here already.

        The window, where it reaches back far enough, is the one to ask. That a later record of the topic is applied
        to this node does not tell: before the crash this one may have gone to another node, which has moved in since,
        by a step that was lost.
        """
        body = node.body
        full = isinstance(body, Customer) and len(body.window.get(target, b"")) >= WINDOW_BYTES
        return full and self.applied(node, record)

    def _stranger(self, event: Event, work: Work) -> bool:
        """Whether the token that the event carries has been redeemed by another browser."""
        body = work.node.body
        return isinstance(body, Customer) and self.tokens is not None and self.tokens.is_stranger(event, body)

    # Messages between nodes.

    def message(self, record: Record, name: str, message: Message) -> None:
        """A record of `customer.inputs` for the node `name`; ticks are the core's."""
        match message:
            case Applied():
                self._passed_event(record, name, message)
            case Change():
                change(self, record, name, message)
            case Refer():
                claim(self, record, name, message)
            case Shown():
                self._shown(record, name, message)
            case Counted() | Reopen():
                count_message(self, record, name, message)
            case Forget():
                forget(self, record, name, message)
            case Reached():
                reached(self, record, name, message)
            case Link() | Absorb() | Reset() | Erase() | Home() | Refused() | Split() | Inquire() | Stays() | Noted():
                self._identity(record, name, message)

    def _passed_event(self, record: Record, name: str, message: Applied) -> None:
        if self.program.identity.is_reference(name):
            refer(self, record, message)
            return
        taken = read_event(message.record, message.channel, message.received, self.program)
        if isinstance(taken, Rejected):
            self.reject(record, taken.reason)
            return
        event = taken.event
        if self.tokens is not None and "token" in event.data:
            self.tokens.resolve(event, self.program.identity, message.received)
        if not event.identifiers or is_brands(message.target):
            event.identifiers = (message.target,)
        self.apply(record, event, message.target, message, name)

    def _identity(self, record: Record, name: str, message: "About | ForNode") -> None:
        """Handle a message, or pass it on.

        Handlers know what they did before, so a replay is handled like any other: what it only passed on may be lost,
        though later records are applied to this node.
        """
        key = node_key(self.tenant, name)
        node = self.partition.node(key)
        if isinstance(message, Absorb):
            self.partition.look_for_sleepers(message.customer)
        work = self.work(node, name, record)
        hops = getattr(message, "hops", 0)
        handle(work, message)
        if getattr(message, "hops", 0) == hops:  # not passed on
            self.hops.append(hops + 1)
        if isinstance(message, Refused) and work.changed and isinstance(node.body, Customer):
            # It stays itself: rows and releases that changed while it was moving, it was not told of.
            self.engine.released(work, node.body)
            self.engine.facts_changed(work, node.body)
            self.engine.tell_tasks(work, node.body)
        for tell in work.passed:
            self.pass_on(tell.node, tell.message)
        self.outcomes.append((type(message).__name__.lower(), "handled" if work.changed else "ignored"))
        self.settle(record, key, work)

    def _shown(self, record: Record, name: str, message: Shown) -> None:
        event = Event(
            message.id, "engine", "slot_shown", "engine", message.time, record.timestamp, message.data,
            (message.target,), "", False, event_hash("slot_shown", message.id),
        )  # fmt: skip
        self.apply(record, event, message.target, message, name)

    # What every input leaves behind.

    def settle(self, record: Record, key: bytes, work: Work) -> None:
        """A changed node is written with this batch; its effects stand in its outbox, then are sent."""
        self.notes += work.notes
        if not work.changed:
            return
        node = work.node
        self.partition.changed(key, node, record.topic, record.offset)
        for effect in work.effects:
            sent = outgoing(effect, self.tenant)
            put(node, record.topic, record.offset, sent)
            self.sends.append(sent)
        if node.to is not None and node.outbox:
            forget_open_tasks(node)

    def pass_on(self, name: str, message: Message) -> None:
        """A message that only passes through: no state stands for it, a replay sends it again."""
        self.sends.append(Outgoing(INPUTS, node_key(self.tenant, name), encode_message(message)))

    def reject(self, record: Record, why: str) -> None:
        self.rejected.append((record, why))
        self.outcomes.append(("", "dead_letter"))

    def work(self, node: Node, name: str, record: Record) -> Work:
        return Work(node, name, self.tenant, record.timestamp, self.program.identity, self.engine)

    def is_here(self, key: bytes, record: Record) -> bool:
        """Whether a node lives on this partition. What is in the table does; so does what the record is keyed by."""
        partition = self.partition
        if key in partition.values or key in partition.dirty:
            return True
        return partition_of(key, self.partitions) == partition.index

    def applied(self, node: Node, record: Record) -> bool:
        """Whether this record is applied to the node already: a replay after a crash."""
        return node.applied.get(record.topic, -1) >= record.offset


class Tokens:
    """Signed links, as the lane sees them. Without keys, tokens are properties like any other."""

    def resolve(self, event: Event, rules: object, now: int) -> None:
        """Let a valid token's node be one of the event's identifiers."""
        raise NotImplementedError

    def is_stranger(self, event: Event, customer: Customer) -> bool:
        """Whether the token is redeemed already, by another browser; redeems it otherwise."""
        raise NotImplementedError

    def without(self, event: Event) -> bytes:
        """The event as it came, without its token."""
        raise NotImplementedError
