"""What a scenario shows: seen by the very request that starts it, kept over a kill -9, gone after its last showing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from e2e_product import until
from test_gateway_chain import decide, page_viewed

if TYPE_CHECKING:
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(300)]

LIMIT = 3


async def test_a_request_sees_what_the_scenario_that_it_starts_has_placed_until_it_was_shown_often_enough(
    product: Product,
) -> None:
    worker = await product.ready_worker()
    gateway = await product.gateway()
    name = f"{product.run}-cards"
    seen: list[dict[str, Any]] = []

    async def asked(**question: Any) -> str:
        answer = (await decide(gateway, **question))["answers"]["web.hero"]
        if answer["content"] == "ct.card":
            seen.append(answer)
        return str(answer["content"])

    async def answered() -> bool:
        return (await decide(gateway, identifier=f"user_id:{name}"))["version"] is not None

    await until(answered, why=product.words)
    assert await asked(event={**page_viewed(name, 0), "data": {"user_id": name, "page": "/cards"}}) == "ct.card"
    assert (seen[0]["fields"], seen[0]["values"], seen[0]["scenario"]) == (
        {"title": "A card"},
        {"page": "/cards"},
        "cards",
    )

    worker.kill()
    assert await worker.ended() == -signal.SIGKILL
    await product.forget_the_dead()
    await product.ready_worker()

    async def gone() -> bool:
        return await asked(identifier=f"user_id:{name}") == "ct.returning"

    await until(gone, why=product.words)
    assert {one["placement"] for one in seen} == {seen[0]["placement"]}, "the placement is another one after the kill"
    assert len(seen) >= LIMIT, "it was gone before it was shown so often"
