"""What identity commands show of a person: made of nodes of the table and the rules of the release, pure.

All of it is personal data: it goes to the terminal of who asked, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orchestrator.engine.identity.marks import FOREVER
from orchestrator.engine.identity.work import members
from orchestrator.model.customer import IN, OUT, Customer, Node
from orchestrator.model.ids import EVENT_HASH_BYTES
from orchestrator.model.lines import IdentityStep, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestrator.engine.identity.rules import IdentityRules

UNKNOWN: Final = "not declared"


class Identifier(NamedTuple):
    """One identifier of a person. Times are ms; 0 where nothing is known.

    Attributes:
        node: `NAMESPACE:VALUE`.
        kind: of its namespace: unique, shared, or not declared.
        epoch: how often it has moved.
        joined_at: record time at which it came to this person; `by` the two that were seen together then.
        event: type and id of the event that was the evidence, and `time` when that happened.
        since: the newest evidence of a shared one.
        place: "home", "settled" (points there), "moving" (still keeps its history), or "unknown" (on its way).
        window: how many of its events are remembered, so that copies are known.
    """

    node: str
    kind: str
    epoch: int
    joined_at: int
    by: tuple[str, ...]
    event: str
    time: int
    since: int
    place: str
    window: int


class Person(NamedTuple):
    """One customer, as its home node says.

    Attributes:
        person, earlier: the id, and older ones that resolve to it.
        home: where the customer lives.
        epoch: of the home node.
        born: time of the first event, ms.
        moving_to: set where the record is on its way to a stronger home.
        identifiers: who is in, strongest first.
        gone: identifiers that have left: when, where it is known, and why.
        rivals: identifiers that must not join, and until when (None: for good).
        conflicts: links that were refused, newest first.
        erased: identifiers that were erased, and the time up to which their events are refused.
    """

    person: str
    earlier: tuple[str, ...]
    home: str
    epoch: int
    born: int
    moving_to: str
    identifiers: tuple[Identifier, ...]
    gone: tuple[tuple[str, int, str], ...]
    rivals: tuple[tuple[str, int | None], ...]
    conflicts: tuple[tuple[int, IdentityStep], ...]
    erased: tuple[tuple[str, int], ...]


class Conflict(NamedTuple):
    """Two identifiers that were seen together and are not one person.

    Attributes:
        at: record time, ms.
        pair: the two.
        why: the namespace of which one person may not have so many, or `rival`: kept apart since an earlier refusal.
        event: type and id of the event that named both.
        home: a customer whose record remembers it.
    """

    at: int
    pair: tuple[str, ...]
    why: str
    event: str
    home: str


def person_of(home: str, node: Node, known: Mapping[str, Node], rules: IdentityRules, now: int) -> Person | None:
    """The person who lives at a home node; None where nobody does.

    Args:
        home: the node's name.
        node: the root, or a node that still keeps its customer.
        known: the nodes of its members, as far as they were found.
        rules: which namespaces there are.
        now: ms.
    """
    customer = node.body
    if not isinstance(customer, Customer):
        return None
    steps = steps_of(customer.steps)
    came = {name: (at, step) for at, step in steps if step.what == "joined" for name in step.nodes}
    left = {name: (at, step) for at, step in steps if step.what == "left" for name in step.nodes}
    inside = sorted(members(customer), key=rules.rank)
    return Person(
        customer.person,
        tuple(customer.persons),
        home,
        node.epoch,
        customer.born,
        node.to or "",
        tuple(_identifier(name, home, customer, came.get(name), known.get(name), rules) for name in inside),
        tuple(
            (name, left[name][0] if name in left else member.since, left[name][1].why if name in left else "")
            for name, member in customer.family.items()
            if member.state == OUT
        ),
        tuple(
            (name, None if until >= FOREVER else until)
            for name, until in customer.rivals.items()
            if until > now and name not in inside
        ),
        tuple(sorted(((at, step) for at, step in steps if step.what == "conflict"), reverse=True)),
        tuple(sorted(customer.wiped.items())),
    )


def _identifier(
    name: str,
    home: str,
    customer: Customer,
    came: tuple[int, IdentityStep] | None,
    node: Node | None,
    rules: IdentityRules,
) -> Identifier:
    member = customer.family[name]
    at, step = came if came is not None else (0, IdentityStep("joined"))
    kind = "unique" if rules.is_unique(name) else "shared" if rules.is_shared(name) else UNKNOWN
    window = len(customer.window.get(name, b"")) // EVENT_HASH_BYTES
    event = f"{step.type} {step.event}".strip()
    return Identifier(
        name, kind, member.epoch, at, step.by, event, step.time, member.since, _place(name, home, node), window
    )


def _place(name: str, home: str, node: Node | None) -> str:
    if name == home:
        return "home"
    if node is None or node.to is None:
        return "unknown"
    return "settled" if node.body is None else "moving"


def conflicts_of(nodes: Iterable[tuple[str, Node]]) -> list[Conflict]:
    """Every conflict that some customer remembers, each once, newest first; who was kept apart for good, too."""
    found: dict[tuple[tuple[str, ...], str], Conflict] = {}
    for name, node in nodes:
        if not isinstance(node.body, Customer):
            continue
        for at, step in steps_of(node.body.steps):
            place = (step.nodes, step.why)
            if step.what == "conflict" and (place not in found or found[place].at < at):
                found[place] = Conflict(at, step.nodes, step.why, f"{step.type} {step.event}".strip(), name)
    return sorted(found.values(), reverse=True)


def apart_of(node: Node, rules: IdentityRules, leaving: Iterable[str]) -> list[str]:
    """Whom an operator's split keeps apart for good: who leaves, and the unique identifiers of who stays."""
    customer = node.body
    inside = members(customer) if isinstance(customer, Customer) else []
    gone = list(leaving)
    return [*gone, *(name for name in inside if rules.is_unique(name) and name not in gone)]


def is_apart(name: str, node: Node | None, home: str) -> bool:
    """Whether an identifier that was split off is by itself now, as far as its node says."""
    if node is None or node.to is not None or not isinstance(node.body, Customer):
        return False
    member = node.body.family.get(name)
    stays = node.body.family.get(home)
    return member is not None and member.state == IN and (stays is None or stays.state != IN)


def as_plain(person: Person) -> dict[str, Any]:
    """A person for programs; times are ms, null where nothing is known."""
    return {
        "person": person.person or None,
        "earlier": person.earlier,
        "home": person.home,
        "epoch": person.epoch,
        "born": person.born or None,
        "moving_to": person.moving_to or None,
        "identifiers": [
            {
                "identifier": one.node, "kind": one.kind, "place": one.place, "epoch": one.epoch,
                "joined_at": one.joined_at or None, "seen_together": one.by, "event": one.event or None,
                "event_time": one.time or None, "newest_evidence": one.since or None, "events_remembered": one.window,
            }
            for one in person.identifiers
        ],
        "left": [{"identifier": name, "at": at or None, "why": why or None} for name, at, why in person.gone],
        "rivals": [{"identifier": name, "until": until} for name, until in person.rivals],
        "conflicts": [
            {"at": at, "pair": step.nodes, "why": step.why, "event": f"{step.type} {step.event}".strip() or None}
            for at, step in person.conflicts
        ],
        "erased": [{"identifier": name, "up_to": time} for name, time in person.erased],
    }  # fmt: skip
