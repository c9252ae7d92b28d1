"""Everything at once comes from one customer: more than the broker takes as one record."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from e2e_books import DEAD_LETTER, opened, visits
from e2e_customers import event
from e2e_product import until

from orchestrator.model.effect import EMITTED

if TYPE_CHECKING:
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

EVENTS = 400
LENGTH = 20_000


async def test_a_customer_of_whom_too_much_comes_at_once_takes_longer_and_nothing_else(product: Product) -> None:
    """Eight megabytes wait to be told of one customer, packed twice of what may be written at once."""
    name = f"{product.run}-echo"
    draw = random.Random(7)
    pages = [f"echo {number} {draw.randbytes(LENGTH // 2).hex()}" for number in range(EVENTS)]
    key = f"default/user_id:{name}".encode()
    records = [
        ("channel.web", key, event(f"{name}-{number}", "page_viewed", user_id=name, page=page))
        for number, page in enumerate(pages)
    ]
    async with opened(product.cluster.bootstrap, EMITTED) as books:
        await product.send(records)
        worker = await product.ready_worker()

        async def all_told() -> bool:
            await books.read()
            assert worker.handle.returncode is None, worker.words()
            return len(books.of(EMITTED)) >= EVENTS

        await until(all_told, why=worker.words)
        worker.terminate()
        assert await worker.ended() == 0, worker.words()
        await books.read()
        told = [json.loads(record.value)["data"]["text"] for record in books.of(EMITTED)]
        assert told == pages, "each once, in order"
        assert visits(books.customers(product.run)[f"user_id:{name}"]) == EVENTS
        assert not books.of(DEAD_LETTER)
