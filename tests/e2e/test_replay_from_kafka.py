"""A candidate bundle over what came in on Kafka, against the release that is live there; and a customer explained."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from e2e_customers import Written, event
from e2e_product import command

if TYPE_CHECKING:
    from pathlib import Path

    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

CUSTOMERS = 7


def views(name: str) -> Written:
    value = event(f"{name}-viewed", "product_viewed", email=f"{name}@example.com", sku="lumo")
    return "channel.web", f"default/email:{name}@example.com".encode(), value


def without_told(product: Product, tmp_path: Path) -> Path:
    """The published bundle, but nobody is told of a product."""
    folder = tmp_path / "candidate"
    shutil.copytree(product.cluster.bundle, folder)
    stories = folder / "stories.yaml"
    kept = [one for one in stories.read_text().split("---\n") if "scenario: told\n" not in one]
    stories.write_text("---\n".join(kept))
    return folder


def clock() -> str:
    """A time after every record sent so far: a record's time is in whole ms, so one within this ms is not before."""
    ms = time.time_ns() // 1_000_000
    while (now := time.time_ns() // 1_000_000) == ms:
        pass
    return datetime.fromtimestamp(now / 1000, UTC).isoformat()


async def test_what_came_in_since_a_time_is_played_under_both_bundles(product: Product, tmp_path: Path) -> None:
    names = {f"{product.run}-{number}@example.com" for number in range(CUSTOMERS)}
    await product.send([views(f"{product.run}-before")])
    since = clock()
    await product.send(views(name.partition("@")[0]) for name in names)
    until = clock()
    await product.send([views(f"{product.run}-after")])
    kept, candidate = tmp_path / "kept.jsonl", str(without_told(product, tmp_path))
    told = command(
        product.cluster,
        "replay",
        candidate,
        "--since",
        since,
        "--until",
        until,
        "--keep",
        str(kept),
        "--format",
        "json",
    )
    found = json.loads(told.stdout)
    assert {(one["kind"], one["live"]["scenario"], one["live"]["step"]) for one in found["differences"]} == {
        ("removed", "told", "mail")
    }
    assert {one["live"]["node"].rpartition(":")[2] for one in found["differences"]} == names
    assert len(kept.read_bytes().splitlines()) == CUSTOMERS
    assert kept.stat().st_mode & 0o077 == 0, "it holds personal data"
    again = command(
        product.cluster, "replay", candidate, "--against", str(product.cluster.bundle), "--events", str(kept),
        "--format", "json",
    )  # fmt: skip
    assert json.loads(again.stdout) == found, "what was kept gives the same again"


async def test_a_customer_is_explained_by_what_came_in(product: Product) -> None:
    since, name = clock(), f"{product.run}-0"
    await product.send([views(name)])
    told = command(
        product.cluster, "explain", f"email:{name}@example.com", "--bundle", str(product.cluster.bundle), "--since",
        since, "--scenario", "told",
    ).stdout  # fmt: skip
    assert f"em.product by email to {name}@example.com" in told
    refused = command(
        product.cluster, "explain", "email:a@example.com", "--bundle", str(product.cluster.bundle), "--since", "0s",
        code=2,
    )  # fmt: skip
    assert "--since 0s is not before now" in refused.stderr
