"""Nodes and the messages between them, with nothing inside a customer but a list of the events that counted."""

from collections import deque
from typing import Any

import msgspec

from orchestrator.engine.identity import handlers
from orchestrator.engine.identity.route import destination, handle
from orchestrator.engine.identity.rules import IdentityRules
from orchestrator.engine.identity.work import Merge, Work, members
from orchestrator.model.customer import Customer, Node
from orchestrator.model.effect import Note, Tell
from orchestrator.model.event import Event
from orchestrator.model.ids import event_hash
from orchestrator.model.lines import IdentityStep
from orchestrator.model.message import Link, Message, decode_message, encode_message

NOW = 1_772_442_000_000
RULES = IdentityRules(("user", "loyalty", "email"), ("phone", "device", "anon"), {"email": 2, "phone": 2, "anon": 2})


class Counted:
    """What is inside a customer here: the ids of the events that counted, one after the other."""

    @staticmethod
    def join(one: dict[str, bytes], other: dict[str, bytes]) -> dict[str, bytes]:
        return {"events": one.get("events", b"") + other.get("events", b"")}


class FakeJourneys:
    """Stands where the engine does; remembers what it was asked."""

    def __init__(self) -> None:
        self.traits: Any = Counted()
        self.links: list[list[str]] = []
        self.merges: list[Merge] = []
        self.erasures: list[int] = []
        self.staying: list[str] = []
        self.steps: list[tuple[str, IdentityStep]] = []

    def event(self, work: Work, customer: Customer, event: Event, links: list[str]) -> None:
        customer.traits["events"] = customer.traits.get("events", b"") + event.id.encode() + b" "
        self.links.append(links)

    def merged(self, work: Work, customer: Customer, merge: Merge) -> None:
        self.merges.append(merge)

    def noted(self, work: Work, step: IdentityStep) -> None:
        self.steps.append((work.name, step))

    def stays(self, work: Work, customer: Customer, node: str) -> None:
        self.staying.append(node)

    def erased(self, work: Work, customer: Customer, time: int) -> None:
        self.erasures.append(time)


def counted(customer: Customer) -> list[str]:
    """The events that counted for a customer, in order of their ids."""
    return sorted(customer.traits.get("events", b"").decode().split())


def event(id_: str, *nodes: str, time: int = 100) -> Event:
    """An event that names these identifiers."""
    identifiers = tuple(sorted(nodes, key=RULES.rank))
    return Event(id_, "shop", "seen", "web", time, NOW, {}, identifiers, "", False, event_hash("shop", id_))


class Net:
    """All nodes, and the messages that have not arrived yet, in the order in which they left."""

    def __init__(self, rules: IdentityRules = RULES) -> None:
        self.rules = rules
        self.nodes: dict[str, Node] = {}
        self.way: deque[tuple[str, bytes | Event]] = deque()
        self.journeys = FakeJourneys()
        self.notes: list[Note] = []
        self.most_hops = 0

    def node(self, name: str) -> Node:
        return self.nodes.setdefault(name, Node())

    def work(self, name: str, now: int = NOW) -> Work:
        return Work(self.node(name), name, "default", now, self.rules, self.journeys)

    # One step.

    def handle(self, name: str, message: Message) -> list[tuple[str, Any]]:
        """One message at one node; gives what it leaves, which is not under way."""
        work = self.work(name)
        handle(work, decode_message(encode_message(message)))  # type: ignore[arg-type]
        return self._left(work)

    def event_at(self, name: str, came: Event, target: str) -> list[tuple[str, Any]]:
        """One event at the node `name`, a root of which `target` is a member."""
        work = self.work(name)
        handlers.on_event(work, came, target)
        return self._left(work)

    def _left(self, work: Work) -> list[tuple[str, Any]]:
        self.notes += work.notes
        tells = [*work.passed, *(effect for effect in work.effects if isinstance(effect, Tell))]
        return [(tell.node, tell.message) for tell in tells]

    # A whole story.

    def comes(self, *nodes: str, id_: str = "", time: int = 100) -> None:
        """An event comes, and all that it leads to."""
        self.send(event(id_ or f"e{time}", *nodes, time=time))
        self.settle()

    def send(self, came: Event) -> None:
        self.way.append((came.identifiers[0], came))

    def tell(self, message: Any) -> None:
        """A message comes, and all that it leads to."""
        self.way.append((message.target, encode_message(message)))
        self.settle()

    def settle(self) -> None:
        while self.way:
            self.deliver(*self.way.popleft())

    def deliver(self, name: str, came: bytes | Event) -> None:
        """The next step of something under way."""
        if isinstance(came, Event):
            target = came.identifiers[0]
            onward = destination(self.work(name), target)
            if onward is not None:
                self.way.append((onward, came))
                return
            left = self.event_at(name, came, target)
        else:
            message = decode_message(came)
            self.most_hops = max(self.most_hops, getattr(message, "hops", 0))
            left = self.handle(name, message)
        self.way.extend((node, encode_message(message)) for node, message in left)

    # What came of it.

    def root(self, name: str) -> str:
        node = self.nodes.get(name)
        return name if node is None or node.to is None else self.root(node.to)

    def customer(self, name: str) -> Customer:
        body = self.node(self.root(name)).body
        assert isinstance(body, Customer), f"{name} leads to no customer"
        return body

    def family(self, name: str) -> set[str]:
        return set(members(self.customer(name)))

    def roots(self) -> dict[str, Customer]:
        return {
            name: node.body for name, node in self.nodes.items() if node.to is None and isinstance(node.body, Customer)
        }

    def said(self, what: str) -> list[str]:
        return [note.reason for note in self.notes if note.what == what]


def link(target: str, a: str, root: str = "", time: int = 100, linked: list[str] | None = None) -> Link:
    """`a`, whose root is `root` (itself, unless said), and `target` were seen together."""
    root = root or a
    return Link(target, a, root, RULES.is_unique(root), time, 0, linked or [])


def copy_of(node: Node) -> Node:
    """A node as it was, to compare with."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(node), type=Node)
