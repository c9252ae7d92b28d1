"""Customers whose sums are known: what they do, and what their records and the actions must be in the end."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from e2e_books import points, visits

from orchestrator.model.ids import action_id, person_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e_books import Books

TENANT = "default"
MOST_OFFERS = 2
SEEN_POINTS = 5.0
Written = tuple[str, "bytes | None", bytes]


def event(id_: str, type_: str, channel: str = "web", **data: Any) -> bytes:
    """An event on the wire. It happened when the broker takes it."""
    return json.dumps(
        {"specversion": "1.0", "id": id_, "source": "e2e", "type": type_, "channel": channel, "data": data}
    ).encode()


@dataclass
class Expected:
    """What one customer's record and actions must be."""

    visits: int = 0
    points: float = 0.0
    refs: frozenset[str] = frozenset()
    offers: int = 0
    actions: set[str] = field(default_factory=set)


class Crowd:
    """Customers of one run, each with an order of events of their own, interleaved at random from a seed.

    Each looks at pages, orders (in the shop and in the app), looks at products (a mail and five points each), asks
    for offers (two of four are sent), leaves one cart (asked about after three seconds). One event in twenty comes
    twice.
    """

    def __init__(self, run: str, customers: int, seed: int) -> None:
        self.run = run
        self._random = random.Random(f"{run}-{seed}")
        self.expected: dict[str, Expected] = {}
        plans = [self._plan(f"{run}-{number}") for number in range(customers)]
        order = [plan for plan in plans for _ in plan]
        self._random.shuffle(order)
        turns = {id(plan): iter(plan) for plan in plans}
        self.events = [written for plan in order for written in self._maybe_twice(next(turns[id(plan)]))]

    def _maybe_twice(self, written: Written) -> Iterator[Written]:
        yield written
        if self._random.random() < 0.05:
            yield written

    def _plan(self, name: str) -> list[Written]:
        """What one customer does, in order, and what must come of it."""
        expected = self.expected[f"user_id:{name}"] = Expected()
        who = {"user_id": name, "email": f"{name}@example.com"}
        person = person_id(TENANT, f"user_id:{name}", 0, 0)
        does: list[tuple[str, str, dict[str, Any]]] = [("web", "newsletter_subscribed", {})]
        for number in range(self._random.randrange(2, 6)):
            does.append(("web", "page_viewed", {"page": f"/{number}"}))
            expected.visits += 1
        for number in range(self._random.randrange(1, 4)):
            total = float(self._random.randrange(10, 200))
            does.append((self._random.choice(["web", "app"]), "order_placed", {"order": f"o-{number}", "total": total}))
            expected.points += total
            expected.refs |= {f"o-{number}"}
        for number in range(2):
            does.append(("web", "product_viewed", {"sku": f"s-{number}"}))
            expected.points += SEEN_POINTS
            expected.refs |= {f"seen-s-{number}"}
            expected.actions.add(action_id(TENANT, person, "told", f"s-{number}", 1, "mail", 1))
        does += [("web", "search_performed", {"query": f"q-{number}"}) for number in range(4)]
        expected.offers = MOST_OFFERS
        expected.actions |= {action_id(TENANT, person, "offers", f"q-{n}", 1, "mail", 1) for n in range(MOST_OFFERS)}
        does.append(("web", "cart_item_added", {"sku": "c"}))
        expected.actions.add(action_id(TENANT, person, "cart", "c", 1, "mail", 1))
        return [
            (f"channel.{channel}", f"{TENANT}/user_id:{name}".encode(),
             event(f"{name}-{number}", type_, channel, **who, **data))
            for number, (channel, type_, data) in enumerate(does)
        ]  # fmt: skip

    def actions(self) -> set[str]:
        """The ids of all actions that must come."""
        return set().union(*(each.actions for each in self.expected.values()))

    def balanced(self, books: Books) -> bool:
        """Whether everything that must come is there; `check` says whether it is right."""
        customers = books.customers(self.run)
        counted = sum(visits(customer) for customer in customers.values())
        return counted >= sum(each.visits for each in self.expected.values()) and self.actions() <= set(
            books.actions(self.run)
        )

    def check(self, books: Books) -> None:
        """The records hold what was sent, no more and no less, and each action came with one and the same content."""
        customers = books.customers(self.run)
        assert set(customers) == set(self.expected)
        wrong = {}
        for name, must in self.expected.items():
            customer = customers[name]
            offers = sum(1 for contact in customer.contacts if contact.class_ == "marketing")
            found = (visits(customer), *points(customer), offers)
            if found != (must.visits, must.points, must.refs, must.offers):
                wrong[name] = (found, must)
        assert not wrong, f"{len(wrong)} of {len(self.expected)} records are wrong: {list(wrong.items())[:2]}"
        actions = books.actions(self.run)
        assert set(actions) == self.actions(), "an action is missing, or one came that was never due"
        changed = [id_ for id_, copies in actions.items() if len(copies) > 1]
        assert not changed, f"{len(changed)} actions came again with other bytes"
        for name in self.expected:
            address = f"email:{name.partition(':')[2]}@example.com"
            node = books.node(address)
            assert node is not None, f"nothing is known of {address}"
            assert node.to == name, f"{address} does not lead to its customer"
