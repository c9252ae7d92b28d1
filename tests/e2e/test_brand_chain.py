"""Stories of the brand on real processes: events that are nobody's, a wait that a kill -9 falls into, nothing twice."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
from e2e_books import DEAD_LETTER, Books, opened
from e2e_customers import Written, event
from e2e_product import WEBHOOK_SECRET, until
from e2e_sinks import listening

if TYPE_CHECKING:
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(300)]

SKUS = 6


def level(sku: str, qty: int) -> Written:
    value = event(f"{sku}-{qty}", "level_changed", "stock", sku=sku, location="web", qty=qty)
    return "channel.stock", sku.encode(), value


def told(books: Books, run: str) -> dict[str, list[str]]:
    """Product -> what was told of it, each id once."""
    found: dict[str, dict[str, str]] = {}
    for record in books.of("emitted"):
        one = json.loads(record.value)
        if str(one["data"].get("sku", "")).startswith(run):
            found.setdefault(one["data"]["sku"], {})[one["id"]] = one["data"]["after"]
    return {sku: sorted(ids.values()) for sku, ids in found.items()}


async def test_a_story_of_the_brand_is_told_once_and_goes_on_after_a_kill(product: Product) -> None:
    skus = [f"{product.run}-{number}" for number in range(SKUS)]
    async with opened(product.cluster.bootstrap, "emitted") as books:
        worker = await product.ready_worker()
        await product.send(level(sku, 0) for sku in skus)
        await product.send(level(sku, 0) for sku in skus)  # the same events, once more

        async def begun() -> bool:
            return told(await books.read(), product.run).keys() == set(skus)

        await until(begun, why=product.words)
        worker.kill()
        assert await worker.ended() == -signal.SIGKILL
        await product.send([level(skus[0], 5)])
        await product.forget_the_dead()
        await product.ready_worker()

        async def over() -> bool:
            found = told(await books.read(), product.run)
            return all(len(found[sku]) == 2 for sku in skus[1:])

        await until(over, why=product.words)
        found = told(books, product.run)
        assert all(found[sku] == ["at once", "three seconds"] for sku in skus[1:])
        assert found[skus[0]] in (["at once"], ["at once", "three seconds"]), "told when it was due, or back by then"


async def test_what_is_published_is_posted_once_for_each_event(product: Product) -> None:
    skus = [f"{product.run}-{number}" for number in range(SKUS)]
    async with listening() as sinks, opened(product.cluster.bootstrap) as books:
        await product.leave_out_what_others_decided()
        worker = await product.ready_worker()
        await product.send(level(sku, 0) for sku in skus)
        await product.send(level(sku, 0) for sku in skus)

        async def decided() -> bool:
            return len((await books.read()).actions(product.run)) == SKUS

        await until(decided, why=worker.words)
        await product.deliverer(
            sinks,
            ORCHESTRATOR_DELIVERY__WEBHOOKS__BOARD__URL=f"http://127.0.0.1:{sinks.http_port}/",
            ORCHESTRATOR_DELIVERY__WEBHOOKS__BOARD__SECRET=WEBHOOK_SECRET,
            ORCHESTRATOR_DELIVERY__WEBHOOKS__BOARD__ALLOW_HOSTS='["127.0.0.1"]',
        )
        sends = books.sends(product.run)
        assert {(one["kind"], one["channel"], one["values"]["sku"]) for one in sends} == {
            ("publish", "board", sku) for sku in skus
        }
        ids = {one["id"] for one in sends}

        async def posted() -> bool:
            return ids <= sinks.hooks.keys()

        await until(posted, why=product.words)
        assert {sinks.hooks[id_] for id_ in ids} == {1}
        assert [record for record in (await books.read()).of(DEAD_LETTER) if product.run.encode() in record.value] == []
