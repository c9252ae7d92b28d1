"""A storm of merges over two workers, either of which is killed again and again: all sums stay exact."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from e2e_books import DEAD_LETTER, Books, opened, points, visits
from e2e_customers import Written, event
from e2e_product import ALL, PARTITIONS, Process, until

from orchestrator.engine.identity.work import members
from orchestrator.model.ids import node_key

if TYPE_CHECKING:
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]
SEED = int(os.environ.get("E2E_SEED", random.randrange(1_000_000)))
ROUNDS = 25 if "E2E_LONG" in os.environ else 5
"""In each round a burst of merges comes, and one worker is killed, then the other: two kills."""
ANY_PORT = {"ORCHESTRATOR_WORKER__METRICS_PORT": "0"}
"""Twelve workers come and go: a port that was free when it was looked for need not be so when it is taken."""


class Person:
    """Somebody known by a user id, an address and a browser, who does things under each of these names.

    Attributes:
        names: strongest first.
        visits, points, refs: what their record must hold in the end.
        skus: what they must have been written to about, once each.
    """

    def __init__(self, name: str, chance: random.Random) -> None:
        self.names = (f"user_id:{name}", f"email:{name}@example.com", f"anonymous_id:{name}-b")
        self.address = f"{name}@example.com"
        self.visits, self.points = 0, 0.0
        self.refs: set[str] = set()
        self.skus: set[str] = set()
        self._chance = chance
        self._name = name
        self.plan = [self._looks(number) for number in range(4)] + [self._orders(number) for number in range(2)]
        pairs = [(0, 1), chance.choice([(0, 2), (1, 2)])]
        self.plan += [self._is_linked(number, pair) for number, pair in enumerate(pairs)]
        chance.shuffle(self.plan)

    def _looks(self, number: int) -> Written:
        self.visits += 1
        return self._written(f"look-{number}", "page_viewed", [self._chance.randrange(3)], page=f"/{number}")

    def _orders(self, number: int) -> Written:
        total = float(self._chance.randrange(10, 200))
        self.points += total
        self.refs.add(f"{self._name}-o{number}")
        who = [self._chance.randrange(3)]
        return self._written(f"order-{number}", "order_placed", who, order=f"{self._name}-o{number}", total=total)

    def _is_linked(self, number: int, pair: tuple[int, int]) -> Written:
        """An event that names two of the names; where the address is one of them, it asks for a mail."""
        if 1 not in pair:
            self.visits += 1
            return self._written(f"link-{number}", "page_viewed", list(pair), page="/account")
        self.skus.add(f"s-{number}")
        self.points += 5.0
        self.refs.add(f"seen-s-{number}")
        return self._written(f"link-{number}", "product_viewed", list(pair), sku=f"s-{number}")

    def _written(self, id_: str, type_: str, named: list[int], **data: Any) -> Written:
        """Keyed by any of the names that it has, as producers do that know one of them."""
        ids = dict(self.names[place].split(":", 1) for place in named)
        key = node_key("default", self.names[self._chance.choice(named)])
        return "channel.web", key, event(f"{self._name}-{id_}", type_, **ids, **data)


def storm(people: list[Person], chance: random.Random) -> list[Written]:
    """What a burst brings, interleaved, one event in twenty twice."""
    order = [person for person in people for _ in person.plan]
    chance.shuffle(order)
    turns = {id(person): iter(person.plan) for person in people}
    events = [next(turns[id(person)]) for person in order]
    return [one for written in events for one in [written] * (2 if chance.random() < 0.05 else 1)]


def share(*workers: Process) -> bool:
    """Whether these workers own all partitions, each at least one and none twice."""
    owned = [worker.owned() for worker in workers]
    return all(owned) and frozenset().union(*owned) == ALL and sum(map(len, owned)) == PARTITIONS


def wrong(books: Books, people: list[Person], run: str) -> list[str]:
    """The names of people who are not one customer with all that they did."""
    customers = books.customers(run)
    found = []
    for person in people:
        customer = customers.get(person.names[0])
        others = [books.node(name) for name in person.names[1:]]
        led = all(node is not None and node.to == person.names[0] and node.body is None for node in others)
        if customer is None or not led or set(members(customer)) != set(person.names):
            found.append(f"{person.names[0]} is not whole: {others}")
        elif (visits(customer), *points(customer)) != (person.visits, person.points, frozenset(person.refs)):
            found.append(f"{person.names[0]} has {visits(customer)}, {points(customer)}; due {vars(person)}")
    return found


def mails(books: Books, run: str) -> dict[tuple[str, str], set[str]]:
    """(address, sku) -> ids of the messages about it."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for send in books.sends(run):
        found[send["address"], send["values"]["sku"]].add(send["id"])
    return found


async def test_merges_survive_ten_kills_of_either_worker(product: Product) -> None:
    print(f"seed {SEED} (E2E_SEED)")  # noqa: T201
    chance = random.Random(f"{SEED}")
    crowds = [[Person(f"{product.run}-{n}-{k}", chance) for k in range(60)] for n in range(ROUNDS)]
    people = [person for crowd in crowds for person in crowd]
    async with opened(product.cluster.bootstrap) as books:
        workers = [await product.worker(**ANY_PORT), await product.worker(**ANY_PORT)]
        for crowd in crowds:
            await until(partial(share, *workers), why=product.words)
            sending = asyncio.ensure_future(product.send(storm(crowd, chance), per_second=500))
            for place in chance.sample([0, 1], 2):
                await asyncio.sleep(chance.uniform(0.1, 0.8))  # the moment of the kill, not a wait for anything
                workers[place].kill()
                assert await workers[place].ended() == -signal.SIGKILL
                workers[place] = await product.worker(**ANY_PORT)
            await sending

        async def whole() -> bool:
            await books.read()
            return not wrong(books, people, product.run) and len(mails(books, product.run)) >= sum(
                len(person.skus) for person in people
            )

        try:
            await until(whole)
        except AssertionError:
            assert wrong(books, people, product.run)[:3] == [], product.words()
            raise
        await until(partial(share, *workers), why=product.words)
        for worker in workers:
            worker.terminate()
        assert [await worker.ended() for worker in workers] == [0, 0], product.words()
        check(await books.read(), people, product.run)


def check(books: Books, people: list[Person], run: str) -> None:
    """Groups and sums once more, now that nobody writes; each message once by its id, with the same bytes."""
    assert wrong(books, people, run) == []
    sent = mails(books, run)
    assert set(sent) == {(person.address, sku) for person in people for sku in person.skus}
    assert [pair for pair, ids in sent.items() if len(ids) != 1] == [], "a message was decided twice"
    assert all(len(copies) == 1 for copies in books.actions(run).values()), "a repeated message has other bytes"
    assert books.of(DEAD_LETTER) == []
