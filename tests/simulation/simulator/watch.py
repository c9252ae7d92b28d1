"""What holds at every moment: looked at with each node that changes, and after every batch."""

from collections import Counter

from orchestrator.engine.advance import ANSWER_WAIT
from orchestrator.engine.identity.work import Work
from orchestrator.model import reason
from orchestrator.model.customer import IN, Customer, Node, lines_of
from orchestrator.model.effect import Action
from orchestrator.model.ids import split_key
from orchestrator.stream.lane.records import Batch, Record
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.house import CAP_WINDOW, FOLLOWED, MOST, OWNERSHIP, SHARED, SILENCE, UNIQUE
from tests.simulation.simulator.violation import ViolationError
from tests.simulation.simulator.worker import Ownership

_RANK = {namespace: place for place, namespace in enumerate((*UNIQUE, *SHARED))}


def strength(node: str) -> tuple[int, str]:
    """Smaller is stronger: an order of its own, so that the product's is checked against it."""
    namespace, _, value = node.partition(":")
    return _RANK[namespace], value


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
        self.roots: dict[int, dict[bytes, tuple[str, ...]]] = {}

    # Each decision, at the node and the record that led to it.

    def settled(self, record: Record, work: Work) -> None:
        """A record has changed a node: was each action of it allowed?"""
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
            node = partition.node(key)
            name = split_key(key)[1]
            if node.to is not None and strength(node.to) >= strength(name):
                raise ViolationError(f"{name} forwards to {node.to}, which is not stronger")
            if node.to is None and isinstance(node.body, Customer):
                roots[key] = _members(name, node.body)
            else:
                roots.pop(key, None)
        self._one_owner()

    def _one_owner(self) -> None:
        owners: dict[str, bytes] = {}
        for roots in self.roots.values():
            for key, members in roots.items():
                for member in members:
                    if member in owners:
                        raise ViolationError(f"{member} is a member of {owners[member].decode()} and of {key.decode()}")
                    owners[member] = key


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


def _reminder(action: Action, record: Record, customer: Customer) -> None:
    """A reminder of the cart: consented, within its cap, and not before its time."""
    granted = customer.consents.get("email/product", (0, False, ""))[1]
    if not granted and b'"told"' not in (record.value or b""):  # such a word may deny it just after
        raise ViolationError("a reminder without consent")
    since = action.at - CAP_WINDOW
    capped = [c for c in customer.contacts if c.scenario == "cart" and c.id != action.id and since < c.at <= action.at]
    if capped:
        raise ViolationError(f"a reminder at {action.at} passes its cap: {capped}")
    touches = [(line.time, line.id) for line in lines_of(customer.timeline) if line.type == "put"]
    before = [(time, id_) for time, id_ in touches if f'"id":"{id_}"'.encode() not in (record.value or b"")]
    if not any(known and action.at >= max(known)[0] + SILENCE for known in (touches, before)):
        raise ViolationError(f"a reminder at {action.at}, early: the cart was touched at {touches}")
