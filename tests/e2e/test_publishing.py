"""What a person looks at before publishing, and how a scenario that stopped itself goes on: on real processes."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from e2e_books import opened
from e2e_customers import Written, event
from e2e_product import command, until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e_books import Books
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

CARTS = 12


def by_mail(name: str, type_: str, number: int, channel: str = "web", **data: Any) -> Written:
    value = event(f"{name}-{number}", type_, channel, email=f"{name}@example.com", **data)
    return f"channel.{channel}", f"default/email:{name}@example.com".encode(), value


# A look before publishing.


async def test_a_dry_run_says_what_becomes_of_whom_is_under_way_and_writes_nothing(
    product: Product, tmp_path: Path
) -> None:
    names = [f"{product.run}-{number}" for number in range(CARTS)]
    worker = await product.ready_worker()
    async with opened(product.cluster.bootstrap, "channel.web") as books:
        await product.send(by_mail(name, "cart_item_added", 0, sku="slow", cart=name) for name in names)
        await until(lambda: in_carts(books, product.run))
        worker.kill()  # so that they stand where they are, however long the look takes
        await worker.ended()
        await product.forget_the_dead()
        before = await end_of_bundles(product)
        plan = planned(product, candidate(product, tmp_path, "in_flight: follow\nmoved: {slowly: calmly}"))
        assert await end_of_bundles(product) == before
    assert plan["live"] != plan["candidate"]
    assert plan["customers"] >= CARTS
    changes = {one["scenario"]: one for one in plan["scenarios"]}
    assert {name: one["change"] for name, one in changes.items()} == {
        "cards": "unchanged", "cart": "changed", "demo": "unchanged", "echo": "unchanged", "news": "unchanged",
        "offers": "unchanged", "regular": "unchanged", "sold_out": "unchanged", "told": "unchanged",
        "welcome": "removed",
    }  # fmt: skip
    moved = [one for one in changes["cart"]["instances"] if one["fate"] == "moved"]
    assert [(one["steps"], one["steps_after"]) for one in moved] == [(["slowly"], ["calmly"])]
    assert moved[0]["count"] >= CARTS


async def test_a_dry_run_shows_what_only_the_live_bundle_can_show(product: Product, tmp_path: Path) -> None:
    folder = candidate(product, tmp_path, "in_flight: follow")
    refused = command(product.cluster, "publish", str(folder), "--dry-run", code=1)
    assert "E-MOVED" in refused.stderr
    assert "slowly" in refused.stderr


async def test_what_only_the_live_bundle_can_show_is_refused(product: Product, tmp_path: Path) -> None:
    folder = candidate(product, tmp_path, "in_flight: pin")
    stories = folder / "stories.yaml"
    stories.write_text(stories.read_text().replace("version: 2\n", ""))
    before = await end_of_bundles(product)
    refused = command(product.cluster, "publish", str(folder), code=2)
    assert "E-VERSION" in refused.stderr
    assert "was not published" in refused.stderr
    assert await end_of_bundles(product) == before


def candidate(product: Product, tmp_path: Path, in_flight: str) -> Path:
    """The published bundle without `welcome`, and with another `cart`."""
    folder = tmp_path / "candidate"
    shutil.copytree(product.cluster.bundle, folder)
    stories = folder / "stories.yaml"
    documents = stories.read_text().split("---\n")
    kept = [one for one in documents if "scenario: welcome\n" not in one]
    changed = [one.replace("scenario: cart\n", f"scenario: cart\nversion: 2\n{in_flight}\n") for one in kept]
    stories.write_text("---\n".join(changed).replace("id: slowly", "id: calmly"))
    return folder


def planned(product: Product, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        command(product.cluster, "publish", str(folder), "--dry-run", "--format", "json").stdout
    )
    return found


async def in_carts(books: Books, run: str) -> bool:
    found = (await books.read()).customers(run)
    return len(found) == CARTS and all(customer.instances for customer in found.values())


async def end_of_bundles(product: Product) -> int:
    part = TopicPartition("bundles", 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=product.cluster.bootstrap)
    await consumer.start()
    try:
        return int((await consumer.end_offsets([part]))[part])
    finally:
        await consumer.stop()


# A scenario that stops itself.


async def test_a_scenario_that_has_stopped_itself_goes_on_when_it_is_reopened(product: Product) -> None:
    worker = await product.ready_worker()
    async with opened(product.cluster.bootstrap, "channel.web") as books:

        async def asks(*numbers: int) -> set[str]:
            """Some ask for a demonstration; gives who was written to until a later, other message of each has come."""
            names = [f"{product.run}-{number}" for number in numbers]
            await product.send(by_mail(name, "newsletter_subscribed", 0) for name in names)
            await product.send(by_mail(name, "demo_requested", 1, product="lumo") for name in names)
            await product.send(by_mail(name, "product_viewed", 2, sku="lumo") for name in names)

            async def all_told() -> bool:
                sends = (await books.read()).sends(product.run)
                return {f"{name}@example.com" for name in names} <= {
                    one["address"] for one in sends if one["scenario"] == "told"
                }

            await until(all_told, why=worker.words)
            return {one["address"].partition("@")[0] for one in books.sends(product.run) if one["scenario"] == "demo"}

        assert len(await asks(1, 2, 3, 4)) == 4
        await product.send(
            by_mail(f"{product.run}-{number}", "unsubscribed", 3, "email", message="em.demo") for number in (1, 2, 3)
        )
        await until(lambda: "demo  since" in command(product.cluster, "reopen").stdout, why=worker.words)
        assert "3 of 4 messages" in command(product.cluster, "reopen").stdout
        await until(lambda: any(one.get("event") == "scenario_stopped" for one in worker.lines()))
        assert len(await asks(5, 6)) == 4, "nobody enters it any more"
        assert command(product.cluster, "reopen", "demo").stdout == "demo goes on.\n"
        await until(lambda: command(product.cluster, "reopen").stdout == "No scenario is stopped.\n")
        assert f"{product.run}-7" in await asks(7)
        refused = command(product.cluster, "reopen", "demo", code=2)
        assert "demo is not stopped; stopped: none" in refused.stderr
