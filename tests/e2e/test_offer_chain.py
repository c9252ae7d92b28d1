"""An offer over HTTP: what an answer has told is promised, though the worker is killed at once; redeemed it is gone."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from e2e_product import until
from test_gateway_chain import decide, page_viewed

if TYPE_CHECKING:
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_who_was_told_a_price_keeps_it_though_the_worker_that_told_it_is_killed(product: Product) -> None:
    worker = await product.ready_worker()
    gateway = await product.gateway()
    name = f"{product.run}-deal"

    async def asked(**question: Any) -> dict[str, Any]:
        found: dict[str, Any] = (await decide(gateway, slots=["web.deal"], **question))["answers"]["web.deal"]
        return found

    async def answered() -> bool:
        return (await decide(gateway, identifier=f"user_id:{name}"))["version"] is not None

    async def seen(number: int) -> bool:
        """Another event has come, so the price is another one for whoever was not told it."""
        found = await decide(gateway, event=page_viewed(name, number))
        return bool(found["version"])

    await until(answered, why=product.words)
    told = await asked(event=page_viewed(name, 0))
    worker.kill()
    assert (told["content"], told["offer"]) == ("", "off.deal")
    assert told["values"] == told["terms"]
    assert await worker.ended() == -signal.SIGKILL
    await product.forget_the_dead()
    await product.ready_worker()

    await until(answered, why=product.words)
    await until(lambda: seen(1), why=product.words)
    again = await asked(identifier=f"user_id:{name}")
    assert (again["offer"], again["terms"], again["until"]) == ("off.deal", told["terms"], told["until"])

    bought = {**page_viewed(name, 2), "data": {"user_id": name, "page": "/bought"}}
    assert (await asked(event=bought)).get("offer") is None
    context = await decide(gateway, identifier=f"user_id:{name}", context=True)
    (offer,) = context["context"]["offers"]
    assert (offer["state"], offer["terms"], offer["by"]) == ("redeemed", told["terms"], "slot:web.deal")
