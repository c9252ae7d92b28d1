"""What holds at every moment: looked at with each node that changes, and after every batch."""

from collections import Counter
from typing import NamedTuple

import msgspec

from orchestrator.engine.advance import ANSWER_WAIT
from orchestrator.engine.identity.work import Work
from orchestrator.engine.traits.states import unpack
from orchestrator.model import reason
from orchestrator.model.customer import IN, Customer, Node, Reference
from orchestrator.model.effect import INPUTS, Action, Withdrawal
from orchestrator.model.ids import EVENT_HASH_BYTES, split_key
from orchestrator.model.lines import lines_of
from orchestrator.model.message import Applied, decode_message
from orchestrator.stream.lane.records import Batch, Record
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.faults import Fault
from tests.simulation.simulator.house import CAP_WINDOW, FOLLOWED, MOST, OWNERSHIP, PAUSES, SHARED, SILENCE, UNIQUE
from tests.simulation.simulator.violation import ViolationError
from tests.simulation.simulator.worker import Ownership

_RANK = {namespace: place for place, namespace in enumerate((*UNIQUE, *SHARED))}


def strength(node: str) -> tuple[int, str]:
    """Smaller is stronger: an order of its own, so that the product's is checked against it."""
    namespace, _, value = node.partition(":")
    return _RANK[namespace], value


class Known(NamedTuple):
    """What a root has that no other may have at the same time.

    Attributes:
        members: its identifiers.
        counted: ids of the events that its traits count.
        marks: hashes of the events that it takes for known.
    """

    members: tuple[str, ...]
    counted: tuple[str, ...]
    marks: tuple[bytes, ...]


class Watcher:
    """Looks at the owners' memory; a zombie's is no truth about who belongs to whom."""

    def __init__(self, broker: Broker, *, meeting: bool, alone: bool) -> None:
        self.broker = broker
        self.began = broker.clock
        self.meeting = meeting
        """Everybody comes together whom an event names: who leaves an address can be written to."""
        self.alone = alone
        """Nobody meets anybody: who entered is who goes on."""
        self.latest = 0
        self.recalled: set[str] = set()
        """Ids of messages that were withdrawn."""
        self.roots: dict[int, dict[bytes, Known]] = {}

    # Each decision, at the node and the record that led to it.

    def settled(self, record: Record, work: Work) -> None:
        """A record has changed a node: was each action of it allowed?"""
        self._meet(work.node)
        if self.meeting and record.timestamp < self.began + ANSWER_WAIT:
            for note in work.notes:
                if note.what == "suppressed" and note.reason == reason.NO_ADDRESS:
                    raise ViolationError(f"{work.name} left an address, and {note.scenario} found none")
        for effect in work.effects:
            if isinstance(effect, Action):
                if effect.at > self.latest:
                    raise ViolationError(f"{effect.scenario} acted at {effect.at}, and it is {self.latest}")
                _allowed(effect, record, work.node)
                if self.alone and isinstance(work.node.body, Customer):
                    _moved_once(effect, work.node.body)
                    _paused(effect, work.node.body)
        self._recalls(work)

    def _recalls(self, work: Work) -> None:
        """Who has said no has nothing on its way that needs a yes."""
        self.recalled.update(effect.id for effect in work.effects if isinstance(effect, Withdrawal))
        customer = work.node.body
        if work.node.to is not None or not isinstance(customer, Customer):
            return
        if customer.consents.get("email/product", (0, True, ""))[1]:
            return
        for contact in customer.contacts:
            over = contact.settled or contact.valid_until < work.now or contact.id in self.recalled
            if contact.scenario == "cart" and not over:
                raise ViolationError(f"{work.name} has said no, and {contact.id} is still on its way")

    def _meet(self, node: Node) -> None:
        body, met = node.body, self.broker.met
        if isinstance(body, Customer):
            met[Fault.ENTRY_WAITS] += bool(body.waiting)
        elif isinstance(body, Reference):
            met[Fault.REFERENCE_WAITS] += bool(body.waiting)

    # Who belongs to whom.

    def opened(self, owner: Ownership) -> None:
        """A partition has been recovered: its nodes count from what is durable."""
        self.roots[owner.partition] = {}
        self._look(owner, [key for key in owner.table.values if not key.startswith(OWNERSHIP)])

    def after(self, owner: Ownership, batch: Batch) -> None:
        """A batch was computed."""
        if batch.changelog:
            self._look(owner, [key for key, _ in batch.changelog])

    def gone(self, partition: int) -> None:
        """Nobody has a partition's nodes in memory."""
        self.roots.pop(partition, None)

    def _look(self, owner: Ownership, keys: list[bytes]) -> None:
        partition = owner.worker.core.owned(owner.partition)
        roots = self.roots.get(owner.partition)
        if partition is None or roots is None:
            return
        for key in keys:
            node = owner.worker.core.look(partition, key)
            name = split_key(key)[1]
            if node.to is not None and strength(node.to) >= strength(name):
                raise ViolationError(f"{name} forwards to {node.to}, which is not stronger")
            if node.to is None and isinstance(node.body, Customer):
                roots[key] = _known(name, node.body)
            else:
                roots.pop(key, None)
        self._one_owner()

    def _one_owner(self) -> None:
        """An identifier, a count of an event and its mark are each at one root."""
        for place, what in enumerate(("a member of", "counted by", "known to")):
            owners: dict[str | bytes, bytes] = {}
            for roots in self.roots.values():
                for key, known in roots.items():
                    for one in known[place]:
                        if one in owners:
                            raise ViolationError(f"{one!r} is {what} {owners[one].decode()} and {key.decode()}")
                        owners[one] = key


def _known(name: str, customer: Customer) -> Known:
    counted = unpack(customer.traits["counted"]) if "counted" in customer.traits else []
    marks = [
        window[at : at + EVENT_HASH_BYTES]
        for window in customer.window.values()
        for at in range(0, len(window), EVENT_HASH_BYTES)
    ]
    return Known(_members(name, customer), tuple(str(entry[1]) for entry in counted), tuple(marks))


def _members(name: str, customer: Customer) -> tuple[str, ...]:
    """The members of a live customer, which keeps the unique limits."""
    members = tuple(node for node, member in customer.family.items() if member.state == IN)
    if len(members) > 1:
        for namespace, count in Counter(node.partition(":")[0] for node in members).items():
            if namespace in UNIQUE and count > MOST[namespace]:
                raise ViolationError(f"{name} has {count} identifiers of {namespace}: {members}")
    if name not in members:
        raise ViolationError(f"the root {name} is no member of its own customer")
    return members


def _allowed(action: Action, record: Record, node: Node) -> None:
    customer = node.body
    if node.to is not None or not isinstance(customer, Customer):
        raise ViolationError(f"{action.scenario} acted at a node that is no root")
    if all(contact.id != action.id for contact in customer.contacts):
        raise ViolationError(f"{action.scenario} acted, and its customer does not remember")
    if action.scenario == "cart":
        _reminder(action, record, customer)
    else:
        twins = [c for c in customer.contacts if (c.scenario, c.key) == (action.scenario, action.key)]
        if len(twins) > 1:
            raise ViolationError(f"{action.scenario} {action.key} was decided by a customer who had it already")


def _moved_once(action: Action, customer: Customer) -> None:
    """Who follows to the second release stands two waits before the message, whichever step they came from."""
    if action.scenario == "followed" and action.content == "em.second":
        entered = customer.ordinals["followed\n"][1]
        if action.at < entered + FOLLOWED:
            raise ViolationError(f"followed, entered at {entered}, left a step out: {action.at}")


def _paused(action: Action, customer: Customer) -> None:
    """A journey's message, not before its pause is over; nobody meets anybody, so nobody entered twice."""
    pause = PAUSES.get((action.scenario, action.content))
    entered = customer.ordinals.get(f"{action.scenario}\n", (0, 0))[1]
    if pause is not None and action.at < entered + pause:
        raise ViolationError(f"{action.scenario}, entered at {entered}, did not wait: {action.at}")


def _denies(record: Record) -> bool:
    """Whether a record is the customer's no."""
    value = record.value or b""
    if record.topic == INPUTS:
        message = decode_message(value)
        if not isinstance(message, Applied):
            return False
        value = message.record
    event = msgspec.json.decode(value)
    return bool(event["type"] == "told" and event["data"]["word"] == "no")


def _reminder(action: Action, record: Record, customer: Customer) -> None:
    """A reminder of the cart: consented, within its cap, and not before its time."""
    granted = customer.consents.get("email/product", (0, False, ""))[1]
    if not granted and not _denies(record):  # what was due before the word acts before it
        raise ViolationError("a reminder without consent")
    since = action.at - CAP_WINDOW
    capped = [c for c in customer.contacts if c.scenario == "cart" and c.id != action.id and since < c.at <= action.at]
    if capped:
        raise ViolationError(f"a reminder at {action.at} passes its cap: {capped}")
    touches = [(line.time, line.id) for line in lines_of(customer.timeline) if line.type == "put"]
    before = [(time, id_) for time, id_ in touches if f'"id":"{id_}"'.encode() not in (record.value or b"")]
    if not any(known and action.at >= max(known)[0] + SILENCE for known in (touches, before)):
        raise ViolationError(f"a reminder at {action.at}, early: the cart was touched at {touches}")
