"""What falls due while no worker runs acts when one is back: at its due time, once, and nothing before its time."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from e2e_books import ACTIONS, DEAD_LETTER, opened
from e2e_customers import Written, event
from e2e_product import until

if TYPE_CHECKING:
    from e2e_books import Books
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

QUICK, SLOW = 3_000, 12_000
EACH = 10


def cart(name: str, sku: str) -> Written:
    """A cart of somebody whom nothing has to be joined for: the wait begins with the record itself."""
    return _written(name, event(f"{name}-cart", "cart_item_added", email=f"{name}@example.com", sku=sku, cart=name))


def order(name: str) -> Written:
    data: dict[str, Any] = {"email": f"{name}@example.com", "order": f"{name}-o", "total": 10.0, "cart": name}
    return _written(name, event(f"{name}-order", "order_placed", **data))


def _written(name: str, value: bytes) -> Written:
    return "channel.web", f"default/email:{name}@example.com".encode(), value


async def test_timers_that_fall_due_while_no_worker_runs_act_at_their_due_time_and_once(product: Product) -> None:
    groups = ("left", "bought-before", "bought-after", "slow")
    names = {group: [f"{product.run}-{group}-{number}" for number in range(EACH)] for group in groups}
    everyone = [name for group in groups for name in names[group]]
    async with opened(product.cluster.bootstrap, "channel.web") as books:
        worker = await product.ready_worker()
        await product.send(cart(name, "slow" if name in names["slow"] else "quick") for name in everyone)
        await until(lambda: in_carts(books, product.run, len(everyone)))
        worker.kill()
        assert await worker.ended() == -signal.SIGKILL
        due = due_times(books, product.run)
        await product.send(order(name) for name in names["bought-before"])
        await until(lambda: now() > max(due[name] for name in everyone if name not in names["slow"]))
        await product.send(order(name) for name in names["bought-after"])
        again = await product.ready_worker()
        await books.read()
        asked = sorted(set(everyone) - bought_in_time(books, due))
        assert set(asked) >= {*names["left"], *names["bought-after"], *names["slow"]}

        async def all_asked() -> bool:
            return who(await books.read(), product.run) >= set(asked)

        await until(all_asked, why=again.words)
        again.terminate()
        assert await again.ended() == 0
        sends = (await books.read()).sends(product.run)
        assert sorted(map(name_of, sends)) == asked, "once each, and nobody who had bought in time"
        assert {name_of(send): send["at"] for send in sends} == {name: due[name] for name in asked}
        written = [record for record in books.of(ACTIONS) if product.run in json.loads(record.value)["node"]]
        assert all(record.timestamp >= json.loads(record.value)["at"] for record in written), "acted before its time"
        assert all(len(copies) == 1 for copies in books.actions(product.run).values())
        assert books.of(DEAD_LETTER) == []


def now() -> int:
    return time.time_ns() // 1_000_000


def due_times(books: Books, run: str) -> dict[str, int]:
    """When each customer's cart is asked about: so long after its event was taken in."""
    found = {}
    for node, customer in books.customers(run).items():
        (instance,) = customer.instances
        wait = SLOW if instance.key == "slow" else QUICK
        found[node.removeprefix("email:").removesuffix("@example.com")] = instance.entered_at + wait
    return found


def bought_in_time(books: Books, due: dict[str, int]) -> set[str]:
    """Whose order the broker took before the timer was due: it counts, though nobody had read it by then."""
    found = set()
    for record in books.of("channel.web"):
        value = json.loads(record.value)
        if value["type"] == "order_placed" and record.timestamp < due[value["data"]["cart"]]:
            found.add(value["data"]["cart"])
    return found


def name_of(send: dict[str, Any]) -> str:
    return str(send["address"]).removesuffix("@example.com")


def who(books: Books, run: str) -> set[str]:
    return {name_of(send) for send in books.sends(run)}


async def in_carts(books: Books, run: str, many: int) -> bool:
    found = (await books.read()).customers(run)
    return len(found) == many and all(customer.instances for customer in found.values())
