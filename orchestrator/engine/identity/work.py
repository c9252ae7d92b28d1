"""One step at one node: what the handlers read and what they leave behind."""

from typing import Any, NamedTuple, Protocol

from orchestrator.engine.identity.rules import IdentityRules
from orchestrator.model.customer import IN, Customer, Instance, Member, Node
from orchestrator.model.effect import Effect, Note, Tell
from orchestrator.model.event import Event
from orchestrator.model.ids import person_id
from orchestrator.model.lines import IdentityStep
from orchestrator.model.message import Message


class Merge(NamedTuple):
    """What a merge brought together.

    Attributes:
        nodes: the nodes that came.
        own_lines: the timeline of the half that was here.
        came_lines: the timeline of the half that moved in.
        came: its instances that live on.
        ended: younger twins of either half.
        repeated: live instances of either half that the other half has been through.
    """

    nodes: list[str]
    own_lines: bytes
    came_lines: bytes
    came: list[Instance]
    ended: list[Instance]
    repeated: list[Instance]


class Journeys(Protocol):
    """What happens inside a customer; the handlers only decide where it happens. The engine is one, a test another."""

    @property
    def traits(self) -> Any:
        """The bundle's traits, which know how their states join."""

    def event(self, work: "Work", customer: Customer, event: Event, links: list[str]) -> None:
        """An event of this customer; `links` are the nodes it names that are not members yet."""

    def merged(self, work: "Work", customer: Customer, merge: Merge) -> None:
        """Another half has just moved in."""

    def stays(self, work: "Work", customer: Customer, node: str) -> None:
        """`node` was asked whether it comes, and does not."""

    def erased(self, work: "Work", customer: Customer, time: int) -> None:
        """Everything is to be forgotten: withdraw what is under way."""

    def noted(self, work: "Work", step: IdentityStep) -> None:
        """A step of the customer's identity was remembered; for traces."""


class Work:
    """One input at one node: the node (changed in place), and the effects and notes it leads to.

    `now` is the record time of the input in milliseconds. `changed` says whether the node must be written;
    `passed` holds messages that only pass through here, which no state stands for.
    """

    __slots__ = ("changed", "effects", "journeys", "name", "node", "notes", "now", "passed", "rules", "tenant")

    def __init__(self, node: Node, name: str, tenant: str, now: int, rules: IdentityRules, journeys: Journeys) -> None:
        self.node = node
        self.name = name
        self.tenant = tenant
        self.now = now
        self.rules = rules
        self.journeys = journeys
        self.effects: list[Effect] = []
        self.passed: list[Tell] = []
        self.notes: list[Note] = []
        self.changed = False

    def customer(self) -> Customer:
        """The root's customer; a node never seen is an empty root."""
        body = self.node.body
        if isinstance(body, Customer):
            return body
        body = self.node.body = Customer()
        body.family[self.name] = Member(self.node.epoch, IN, 0)
        return body

    def named(self, customer: Customer, time: int) -> None:
        """Mint the person id at a root's first event; an older event keeps the id and makes the person older."""
        if not customer.person:
            customer.person = person_id(self.tenant, self.name, self.node.epoch, customer.wiped.get(self.name, 0))
            customer.born = time
        elif time < customer.born:
            customer.born = time

    def tell(self, node: str, message: Message) -> None:
        self.effects.append(Tell(node, message))

    def note(self, what: str, reason: str = "", detail: Any = None) -> None:
        self.notes.append(Note(what, "", "", reason, detail))


def is_member(customer: Customer, node: str) -> bool:
    """Membership decides; pointers are only hints."""
    member = customer.family.get(node)
    return member is not None and member.state == IN


def members(customer: Customer) -> list[str]:
    """The nodes that are in, in the order in which they came."""
    return [node for node, member in customer.family.items() if member.state == IN]
