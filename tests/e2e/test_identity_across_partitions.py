"""Anonymous visitors become known, from partition to partition, also while the worker dies: one customer comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from e2e_books import DEAD_LETTER, Books, opened, visits
from e2e_customers import Written, event
from e2e_product import PARTITIONS, until

from orchestrator.model.ids import node_key
from orchestrator.model.lines import decisions_of
from orchestrator.model.partition import partition_of
from orchestrator.stream.failpoints import EXIT_CODE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2e_product import Process, Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]


class Visitor:
    """Someone who looks around on a phone (twice) and on a laptop (once), and leaves their address on both."""

    def __init__(self, run: str, number: int) -> None:
        self.name = f"{run}-{number}"
        self.phone, self.laptop = f"anonymous_id:{self.name}p", f"anonymous_id:{self.name}l"
        self.email = f"email:{self.name}@example.com"

    def looks_around(self) -> list[Written]:
        views = [(self.phone, "1"), (self.phone, "2"), (self.laptop, "3")]
        return [_written(who, event(f"{self.name}-{n}", "page_viewed", **_ids(who), page=f"/{n}")) for who, n in views]

    def leaves_an_address(self, device: str) -> Written:
        form = event(f"{self.name}-{device[-1]}", "form_submitted", **_ids(device, self.email), form="contact")
        return _written(device, form)  # keyed by the device, as a site does that does not know better: a hop

    def partitions(self) -> set[int]:
        return {partition_of(node_key("default", node), PARTITIONS) for node in (self.phone, self.laptop, self.email)}


def _ids(*nodes: str) -> dict[str, Any]:
    return dict(node.split(":", 1) for node in nodes)


def _written(node: str, value: bytes) -> Written:
    return "channel.web", node_key("default", node), value


def crossing(run: str, count: int) -> list[Visitor]:
    """Visitors whose identifiers live on at least two partitions."""
    found = [visitor for visitor in (Visitor(run, number) for number in range(count)) if len(visitor.partitions()) > 1]
    assert len(found) > count // 2
    return found


async def joined(books: Books, visitors: Sequence[Visitor]) -> bool:
    await books.read()
    return all(_is_joined(books, visitor) for visitor in visitors)


def _is_joined(books: Books, visitor: Visitor) -> bool:
    phone, laptop, email = (books.node(name) for name in (visitor.phone, visitor.laptop, visitor.email))
    if phone is None or laptop is None or email is None:
        return False
    return phone.to == visitor.email and laptop.to == visitor.email and phone.body is None and laptop.body is None


async def asked(worker: Process, identifier: str) -> dict[str, Any]:
    """The worker's answer to a question about this identifier."""
    question: dict[str, Any] = {
        "tenant": "default", "identifier": identifier, "event": None, "slots": [], "ask": {"channel": "web"},
        "deadline_ms": 5000, "context": True,
    }  # fmt: skip
    async with httpx.AsyncClient(timeout=10) as http:
        answer = await http.post(f"http://127.0.0.1:{await worker.answering()}/ask", json=question)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def check(books: Books, worker: Process, visitors: Sequence[Visitor], run: str) -> None:
    """One customer each, with the whole history, found under every identifier, welcomed once."""
    customers = books.customers(run)
    assert set(customers) == {visitor.email for visitor in visitors}
    assert {name: visits(customer) for name, customer in customers.items()} == dict.fromkeys(customers, 3)
    for visitor in visitors[:5]:
        known = await asked(worker, visitor.email)
        assert known["person"] == customers[visitor.email].person
        for device in (visitor.phone, visitor.laptop):
            assert await asked(worker, device) == {"forward": visitor.email}
    welcomes = [send["node"] for send in books.sends(run) if send["content"] == "em.welcome"]
    assert sorted(welcomes) == sorted(f"default/{visitor.email}" for visitor in visitors)
    assert all(len(copies) == 1 for copies in books.actions(run).values())
    assert books.of(DEAD_LETTER) == []


async def test_an_entry_sees_what_the_visitor_did_on_every_device_before_becoming_known(product: Product) -> None:
    """Three pages were seen before the second form, two before the first: only entries that wait for merges know."""
    visitors = crossing(product.run, 40)
    async with opened(product.cluster.bootstrap) as books:
        worker = await product.ready_worker()
        await product.send(written for visitor in visitors for written in visitor.looks_around())
        await until(lambda: _seen(books, product.run, 3 * len(visitors)))
        await product.send(visitor.leaves_an_address(visitor.phone) for visitor in visitors)
        await until(lambda: _phone_joined(books, visitors))
        await product.send(visitor.leaves_an_address(visitor.laptop) for visitor in visitors)
        await until(lambda: joined(books, visitors))

        async def told() -> bool:
            return len((await books.read()).sends(product.run)) >= 2 * len(visitors)

        await until(told)
        await check(books, worker, visitors, product.run)
        regulars = [send["node"] for send in books.sends(product.run) if send["content"] == "em.regular"]
        assert sorted(regulars) == sorted(f"default/{visitor.email}" for visitor in visitors)


async def _seen(books: Books, run: str, pages: int) -> bool:
    return sum(visits(customer) for customer in (await books.read()).customers(run).values()) == pages


async def _phone_joined(books: Books, visitors: Sequence[Visitor]) -> bool:
    await books.read()
    nodes = [books.node(visitor.phone) for visitor in visitors]
    return all(node is not None and node.to is not None and node.body is None for node in nodes)


async def test_visitors_become_known_while_workers_die_on_the_way(product: Product) -> None:
    """Each worker dies at another point between writing, telling the other partition and committing."""
    visitors = crossing(product.run, 60)
    async with opened(product.cluster.bootstrap) as books:
        await product.send(written for visitor in visitors for written in visitor.looks_around())
        for point, device in (("half_outbox", "phone"), ("after_changelog", "laptop")):
            await product.send(visitor.leaves_an_address(getattr(visitor, device)) for visitor in visitors)
            worker = await product.worker(crash_at=f"{point}:2")
            assert await worker.ended() == EXIT_CODE, f"never got to {point}\n{worker.words()}"
            await product.forget_the_dead()
        worker = await product.ready_worker()
        await until(lambda: joined(books, visitors), why=worker.words)

        async def welcomed() -> bool:
            welcomes = [send for send in (await books.read()).sends(product.run) if send["content"] == "em.welcome"]
            return len(welcomes) >= len(visitors)

        await until(welcomed)
        await check(books, worker, visitors, product.run)


async def test_who_gave_an_address_while_no_worker_ran_is_written_to(product: Product) -> None:
    name = f"{product.run}-1"
    who = {"user_id": name, "email": f"{name}@example.com"}
    key = f"default/user_id:{name}".encode()
    async with opened(product.cluster.bootstrap, "channel.web") as books:
        await product.send([("channel.web", key, event(f"{name}-1", "form_submitted", **who, form="contact"))])
        first = (await books.read()).of("channel.web")[-1].timestamp
        later = first

        async def seconds_later() -> bool:
            nonlocal later
            number = len(books.of("channel.web"))
            await product.send([("channel.web", key, event(f"{name}-{number}-more", "page_viewed", **who, page="/"))])
            later = (await books.read()).of("channel.web")[-1].timestamp
            return bool(later > first + 1_500)

        await until(seconds_later)
        worker = await product.ready_worker()

        async def decided() -> list[tuple[str, str]]:
            """What became of the welcome: the decision is durable before its mail is sent."""
            customer = (await books.read()).customers(product.run).get(f"user_id:{name}")
            decisions = decisions_of(customer.decisions) if customer is not None else []
            found = [(one.what, one.reason) for one in decisions if one.scenario == "welcome"]
            sent = any(send["content"] == "em.welcome" for send in books.sends(product.run))
            return found if sent or any(what == "suppressed" for what, _ in found) else []

        found = await until(decided, why=worker.words)
        welcomes = [send["address"] for send in books.sends(product.run) if send["content"] == "em.welcome"]
        assert welcomes == [f"{name}@example.com"], found
