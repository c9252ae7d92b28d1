"""The broker answers, but late: all comes out as ever, only later, and the figures say by how much."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from e2e_books import ACTIONS, DEAD_LETTER, opened
from e2e_customers import Crowd
from e2e_product import until

if TYPE_CHECKING:
    from e2e_books import Books
    from e2e_product import Process, Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(300)]

LATE = 0.2
"""How late every answer of the broker comes, seconds: hundreds of times later than on one machine."""


async def mean(worker: Process, name: str) -> float:
    figures = await worker.metrics()
    return figures[f"orchestrator_{name}_seconds_sum"] / figures[f"orchestrator_{name}_seconds_count"]


def copies(books: Books, run: str) -> Counter[str]:
    """Action id -> how often it was sent."""
    actions = (json.loads(record.value) for record in books.of(ACTIONS))
    return Counter(action["id"] for action in actions if run in action["node"])


async def test_a_broker_that_answers_late_costs_time_and_nothing_else(product: Product) -> None:
    crowd = Crowd(product.run, 20, seed=1)
    broker = product.cluster.broker
    assert broker is not None
    async with broker.answering_late(LATE) as bootstrap, opened(product.cluster.bootstrap) as books:
        worker = await product.ready_worker(ORCHESTRATOR_KAFKA__BOOTSTRAP=bootstrap)
        await product.send(crowd.events, per_second=200)

        async def balanced() -> bool:
            return crowd.balanced(await books.read())

        await until(balanced, why=worker.words)
        assert await mean(worker, "batch") > LATE, "the changelog's acknowledgement"
        assert await mean(worker, "event_to_action") > 3 * LATE, "the event, the changelog's and the action's"
        worker.terminate()
        assert await worker.ended() == 0, worker.words()
        crowd.check(await books.read())
        assert set(copies(books, product.run).values()) == {1}, "who waits for an answer does not send again"
        assert books.of(DEAD_LETTER) == []
