"""J4, the identity storm: J1's story told by strangers who turn out to be the same people, a thousand at a time.

Three customers of J1 each are one person: known by a user id, by an address, by a browser. They do what J1's customers
do, interleaved at random, each under their own name to the end; in bursts of a thousand come events that name two
of a person's names. One event in nineteen (5.3%) is such a link. What must come of it is exact: each third of a person
looks for a product of its own, so its story, its two messages and its order are its own whenever it is joined.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.j1 import workload
from orchestrator.engine.program.plan import Program

NAMES: Final = 3
BURST: Final = 1_000
LINKS_PER_PERSON: Final = 2
VISITS_PER_PERSON: Final = NAMES * workload.VISITS_PER_CUSTOMER + LINKS_PER_PERSON
POINTS_PER_PERSON: Final = NAMES * workload.POINTS_PER_CUSTOMER
SPREAD: Final = 1.2
SMALLEST: Final = BURST * NAMES // LINKS_PER_PERSON
"""Customers come in multiples of this, so that the bursts are whole."""

_GOAL: Final = b"goal: {on: order_placed, keep_watching: 3d}"
_OWN_GOAL: Final = b"goal: {on: order_placed, where: 'entry.product in event.items', keep_watching: 3d}"
_encode: Final = msgspec.json.Encoder().encode


def program(scenarios: int) -> Program:
    """J1's bundle; only an order of the product itself ends the story about it, whoever else's orders join."""
    bundle = (Path(__file__).parent / "bundle.yaml").read_bytes()
    if bundle.count(_GOAL) != 1:
        raise ValueError("the goal of J1's bundle is written in another way than expected")
    return workload.program(scenarios, {"j1.yaml": bundle.replace(_GOAL, _OWN_GOAL)})


def names(person: int) -> tuple[str, str, str]:
    """The nodes of a person, strongest first."""
    return f"user_id:u{person:06d}", f"email:p{person:06d}@example.com", f"anonymous_id:a{person:06d}"


def count(customers: int) -> int:
    """How many events there are: the story's and the links."""
    return customers * workload.EVENTS_PER_CUSTOMER + customers // NAMES * LINKS_PER_PERSON


def events(customers: int, start: int = workload.START) -> Iterator[tuple[bytes, bytes, int]]:
    """Record key, value and time (ms) of every event.

    Raises:
        ValueError: `customers` would leave a burst incomplete.
    """
    if customers % SMALLEST:
        raise ValueError(f"customers come in multiples of {SMALLEST}")
    rnd = random.Random(workload.SEED)
    order = _interleaved(customers, rnd)
    bursts = _bursts(customers, rnd)
    every = len(order) // (len(bursts) + 1)
    reached = [0] * customers
    number = 0
    for place, customer in enumerate(order):
        if place % every == 0 and 0 < place // every <= len(bursts):
            for linked in bursts[place // every - 1]:
                yield _record(number, linked, start, rnd, "page_viewed", {"page": "/account"})
                number += 1
        type_, properties = workload.STORY[reached[customer]]
        reached[customer] += 1
        person, third = divmod(customer, NAMES)
        own = _own(properties, f"lumo-{third}", f"o{customer}")
        yield _record(number, (names(person)[third],), start, rnd, type_, own)
        number += 1


def _interleaved(customers: int, rnd: random.Random) -> list[int]:
    """Whose event is next: at random, but what a story waits for is never next to what begins or ends it.

    While somebody's names become one, an event can overtake another by a hop or two. Were they neighbours, an order
    could end a story a moment before the reading that it waited for, and what must come of it were not exact.
    """
    steps = range(workload.EVENTS_PER_CUSTOMER)
    drawn = [(step + SPREAD * rnd.random(), customer) for customer in range(customers) for step in steps]
    return [customer for _, customer in sorted(drawn)]


def _bursts(customers: int, rnd: random.Random) -> list[list[tuple[str, ...]]]:
    """Who is linked when: every person's address to one of their other names, then the third, a thousand at a time."""
    first: list[tuple[str, ...]] = []
    second: list[tuple[str, ...]] = []
    for person in range(customers // NAMES):
        user, email, browser = names(person)
        pairs = [(user, email), rnd.choice([(user, browser), (email, browser)])]
        rnd.shuffle(pairs)
        first.append(pairs[0])
        second.append(pairs[1])
    links = first + second
    rnd.shuffle(links)
    return [links[at : at + BURST] for at in range(0, len(links), BURST)]


def _own(properties: dict[str, Any], product: str, order: str) -> dict[str, Any]:
    """A step of the story, about the product of this third of a person."""
    own = dict(properties)
    if "product" in own:
        own["product"] = product
    if "items" in own:
        own["items"], own["order"] = [product], order
    return own


def _record(
    number: int, nodes: tuple[str, ...], start: int, rnd: random.Random, type_: str, properties: dict[str, Any]
) -> tuple[bytes, bytes, int]:
    at = start + number // 50
    person = nodes[0].partition(":")[2]
    data = {
        **dict(node.split(":", 1) for node in nodes), "contact": f"{person}@example.com", "handset": person,
        "device": "phone", "session": f"{rnd.getrandbits(64):016x}", **properties,
    }  # fmt: skip
    value = {
        "specversion": "1.0", "id": f"e{number:07d}", "source": "web-shop", "type": type_,
        "time": workload.rfc3339(at), "channel": "web", "data": data,
    }  # fmt: skip
    return f"default/{nodes[0]}".encode(), _encode(value), at
