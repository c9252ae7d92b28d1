"""Figures over what came in on Kafka: what delivery said of real messages belongs to those that the bundle decides."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from e2e_books import opened
from e2e_customers import event
from e2e_product import command, until
from e2e_sinks import listening

if TYPE_CHECKING:
    from pathlib import Path

    from e2e_customers import Written
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

CUSTOMERS = 6
FIGURES = """kpi: reached
of: {count: persons, on: email.delivered, within: 1d}
over: {count: persons, on: contact_sent}
by: [scenario]
---
kpi: orders
of: {count: persons, on: order_placed, within: 1d}
over: {count: persons, on: email.delivered}
by: [content]
"""


def looks(run: str, number: int, *skus: str) -> list[Written]:
    name = f"{run}-{number}@example.com"
    key = f"default/email:{name}".encode()
    viewed = [event(f"{run}-{number}-{sku}", "product_viewed", email=name, sku=sku) for sku in skus]
    return [("channel.web", key, value) for value in viewed]


async def test_what_was_sent_delivered_and_ordered(product: Product, tmp_path: Path) -> None:
    since = datetime.now(UTC).isoformat()
    folder = tmp_path / "bundle"
    shutil.copytree(product.cluster.bundle, folder)
    (folder / "kpis.yaml").write_text(FIGURES)
    async with listening() as sinks, opened(product.cluster.bootstrap, "channel.email") as books:
        await product.leave_out_what_others_decided()
        worker = await product.ready_worker()
        await product.deliverer(sinks)
        for number in range(CUSTOMERS):
            await product.send(looks(product.run, number, "lumo", "other"))

        async def delivered() -> bool:
            outcomes = [json.loads(record.value) for record in (await books.read()).of("channel.email")]
            ours = {send["id"] for send in books.sends(product.run)}
            told = {one["data"]["message"] for one in outcomes if one["type"] == "delivered"}
            return len(ours) == 2 * CUSTOMERS and ours <= told

        await until(delivered, why=worker.words)
        buyer = f"{product.run}-0@example.com"
        order = event(f"{product.run}-order", "order_placed", email=buyer, order="o-1", cart="c-1")
        await product.send([("channel.web", f"default/email:{buyer}".encode(), order)])
    told = command(product.cluster, "kpi", str(folder), "--since", since, "--format", "json")
    found = json.loads(told.stdout)
    rows = {
        one["kpi"]: {tuple(row["group"]): (row["of"], row["over"]) for row in one["rows"]} for one in found["figures"]
    }
    assert rows["reached"]["told",] == (CUSTOMERS, CUSTOMERS), "played again, each message has the id that it had"
    assert rows["orders"]["em.product",] == (1, CUSTOMERS)
