"""Over HTTP: what was accepted counts though the gateway is killed at once, and a request sees its own event."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from e2e_books import DEAD_LETTER, opened, visits
from e2e_product import until

if TYPE_CHECKING:
    from e2e_product import Process, Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

BATCH = 60


def page_viewed(name: str, number: int) -> dict[str, Any]:
    data = {"user_id": name, "page": f"/{number}"}
    return {"id": f"{name}-{number}", "source": "shop", "type": "page_viewed", "channel": "web", "data": data}


async def decide(gateway: Process, **question: Any) -> dict[str, Any]:
    """The answer to what the page shows on top, within five seconds."""
    body = {"channel": "web", "slots": ["web.hero"], "deadline_ms": 5000, **question}
    async with httpx.AsyncClient(timeout=20) as http:
        answer = await http.post(f"http://127.0.0.1:{gateway.ports['http']}/v1/decide", json=body)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def test_accepted_is_written_though_the_gateway_is_killed_and_a_request_sees_its_own_event(
    product: Product,
) -> None:
    async with opened(product.cluster.bootstrap, "channel.web") as books:
        worker = await product.ready_worker()
        gateway = await product.gateway()

        async def answered() -> bool:
            return (await decide(gateway, identifier=f"user_id:{product.run}-nobody"))["version"] is not None

        await until(answered, why=product.words)
        for number in range(8):  # on every partition, most likely
            name = f"{product.run}-{number}"
            before = await decide(gateway, identifier=f"user_id:{name}")
            assert (before["person"], before["answers"]["web.hero"]["content"]) == (None, "ct.stranger")
            after = await decide(gateway, event=page_viewed(name, 0))
            assert after["event"]["accepted"]
            assert after["answers"]["web.hero"]["content"] == "ct.returning", "the request did not see its own event"
        known = f"user_id:{product.run}-0"
        async with httpx.AsyncClient(timeout=20, base_url=f"http://127.0.0.1:{gateway.ports['http']}") as http:
            context = await http.get(f"/v1/customers/{known}/context", params={"deadline_ms": 5000})
            events = [page_viewed(f"{product.run}-{number % 8}", number) for number in range(8, 8 + BATCH)]
            taken = await http.post("/v1/events", json=events)
            gateway.kill()
        assert context.raise_for_status().json()["person"] == (await books.read()).customers(product.run)[known].person
        assert (taken.status_code, taken.json()["accepted"]) == (202, BATCH)
        assert await gateway.ended() == -signal.SIGKILL
        written = {json.loads(record.value)["id"] for record in (await books.read()).of("channel.web")}
        assert {event["id"] for event in events} <= written

        async def all_counted() -> bool:
            return sum(visits(one) for one in (await books.read()).customers(product.run).values()) >= 8 + BATCH

        await until(all_counted, why=worker.words)
        assert sum(visits(one) for one in books.customers(product.run).values()) == 8 + BATCH
        assert books.of(DEAD_LETTER) == []
