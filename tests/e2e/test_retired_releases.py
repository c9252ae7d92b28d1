"""Releases that nobody is on are retired while everything runs; who is on one finishes there, over a kill -9."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from e2e_books import DEAD_LETTER, Books, opened
from e2e_customers import Written, event
from e2e_product import PARTITIONS, command, until

from orchestrator.model.codec import decode_node
from orchestrator.model.customer import PartitionState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e_product import Cluster, Process, Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

EACH = 20
RELEASES = 5
JOURNEY = """
content: em.number{version}
class: service
variants: {{email: {{subject: hello, body: "<p>hello</p>"}}}}
---
scenario: kept
version: {version}
in_flight: pin
entry: {{on: newsletter_subscribed}}
steps:
  - {{id: wait, wait_until: {{on: page_viewed, timeout: 2h}}}}
  - {{id: mail, send: {{content: em.number{version}, channel: email, to: entry.email}}}}
"""


@pytest.fixture
def bundles(cluster: Cluster, tmp_path: Path) -> Iterator[list[Path]]:
    """The usual bundle and a journey, each with another version of it; afterwards the usual one counts again."""
    folders = [tmp_path / str(number) for number in range(1, RELEASES + 1)]
    for version, folder in enumerate(folders, 1):
        shutil.copytree(cluster.bundle, folder)
        (folder / "kept.yaml").write_text(JOURNEY.format(version=version))
    yield folders
    command(cluster, "publish", str(cluster.bundle))


def written(name: str, id_: str, type_: str, **data: str) -> Written:
    value = event(f"{name}-{id_}", type_, email=f"{name}@example.com", **data)
    return "channel.web", f"default/email:{name}@example.com".encode(), value


async def switched(books: Books, published: str) -> bool:
    """Whether every partition runs on what was published just now."""
    states = [decode_node(value).body for key, value in (await books.read()).values.items() if b"/partition:" in key]
    running = [state.release for state in states if isinstance(state, PartitionState)]
    return len(running) == PARTITIONS and all(f"Published release {each[:12]} " in published for each in running)


def known(product: Product, *options: str) -> dict[str, dict[str, Any]]:
    """What `orchestrator releases` tells, by release."""
    told = json.loads(command(product.cluster, "releases", "--format", "json", *options).stdout)
    return {one["release"]: one for one in told}


def on_the_journey(releases: dict[str, dict[str, Any]], version: int) -> dict[str, Any]:
    (found,) = [one for one in releases.values() if one["versions"].get("kept") == version]
    return found


async def in_memory(worker: Process) -> float:
    return (await worker.metrics())["orchestrator_releases"]


async def test_what_nobody_is_on_is_retired_and_who_is_on_an_earlier_release_finishes_there(
    product: Product, bundles: list[Path]
) -> None:
    names = [f"{product.run}-{number}" for number in range(EACH)]
    worker = await product.ready_worker()
    async with opened(product.cluster.bootstrap) as books:
        for number, bundle in enumerate(bundles):
            published = command(product.cluster, "publish", str(bundle)).stdout
            await until(partial(switched, books, published), why=worker.words)
            if number == 1:  # everybody begins on version 2
                await product.send(written(name, "s", "newsletter_subscribed") for name in names)
                await until(lambda: on_version_2(books, product.run), why=worker.words)
        held = await in_memory(worker)
        assert held >= RELEASES

        retired = known(product, "--retire")
        assert [on_the_journey(retired, version)["why"] for version in range(1, 6)] == [
            "retired", "in_use", "retired", "before", "counts",
        ]  # fmt: skip
        assert on_the_journey(retired, 2)["on_it_alone"] == [{"scenario": "kept", "version": 2, "count": EACH}]
        await until(lambda: lets_go(worker, held), why=worker.words)

        worker.kill()
        assert await worker.ended() == -signal.SIGKILL
        await product.forget_the_dead()
        last = await product.ready_worker()
        assert await in_memory(last) == sum(one["why"] != "retired" for one in retired.values())
        await product.send(written(name, "p", "page_viewed", page="/") for name in names)
        await until(lambda: written_to(books, product.run), why=last.words)
        sent = Counter(send["content"] for send in books.sends(product.run))
        assert sent == {"em.number2": EACH}
        assert books.of(DEAD_LETTER) == []
        assert on_the_journey(known(product, "--retire"), 2)["why"] == "retired"
        last.terminate()
        assert await last.ended() == 0, last.words()


async def on_version_2(books: Books, run: str) -> bool:
    found = (await books.read()).customers(run).values()
    return len(found) == EACH and all(("kept", 2) in [(i.scenario, i.version) for i in c.instances] for c in found)


async def lets_go(worker: Process, held: float) -> bool:
    return await in_memory(worker) <= held - 2


async def written_to(books: Books, run: str) -> bool:
    return len([send for send in (await books.read()).sends(run) if send["scenario"] == "kept"]) >= EACH
