"""A release while people are under way: the worker dies during the switch and the visits, and everybody moves once."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from e2e_books import DEAD_LETTER, Books, opened
from e2e_customers import Written, event
from e2e_product import command, until

from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer, PartitionState
from orchestrator.model.lines import decisions_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e_product import Cluster, Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

EACH = 40
CONTENT = """
content: em.{0}
class: service
variants: {{email: {{subject: {0}, body: "<p>{0}</p>"}}}}
---
"""
JOURNEY = """
scenario: {name}
version: {version}
entry: {{on: newsletter_subscribed, re_entry: never}}
{rules}
steps:
  - {{id: {step}, wait_until: {{on: page_viewed, timeout: 2h}}}}
{more}
  - {{id: mail, send: {{content: em.{content}, channel: email, to: entry.email}}}}
---
"""
WAVE = """
scenario: wave
audience: profile.known
entry: {every: {days: [wed], time: "03:12"}}
steps: [{id: stop, end: {}}]
"""
MOVED = "in_flight: follow\nmoved: {wait: hold, hold: rest}"
REST = "  - {id: rest, delay: {for: 1s}}"


def journey(name: str, version: int, content: str, rules: str = "", step: str = "wait", more: str = "") -> str:
    return JOURNEY.format(name=name, version=version, content=content, rules=rules, step=step, more=more)


FIRST = CONTENT.format("first") + "".join(journey(name, 1, "first") for name in ("pinned", "followed", "finished"))
SECOND = (
    CONTENT.format("second")
    + journey("pinned", 2, "second")
    + journey("followed", 2, "second", MOVED, "hold", REST)
    + journey("finished", 2, "second", "in_flight: end")
    + WAVE
)


@pytest.fixture
def releases(cluster: Cluster, tmp_path: Path) -> Iterator[list[Path]]:
    """Two bundles, the usual one and these journeys; afterwards the usual one counts again."""
    folders = []
    for name, text in (("first", FIRST), ("second", SECOND)):
        folder = tmp_path / name
        shutil.copytree(cluster.bundle, folder)
        (folder / "journeys.yaml").write_text(text.rstrip().removesuffix("---"))
        folders.append(folder)
    yield folders
    command(cluster, "publish", str(cluster.bundle))


def subscribes(name: str) -> Written:
    return _written(name, event(f"{name}-s", "newsletter_subscribed", email=f"{name}@example.com"))


def looks(name: str) -> Written:
    return _written(name, event(f"{name}-p", "page_viewed", email=f"{name}@example.com", page="/"))


def _written(name: str, value: bytes) -> Written:
    return "channel.web", f"default/email:{name}@example.com".encode(), value


def stands(customer: Customer) -> dict[str, tuple[int, str]]:
    """Scenario -> (version, where its instance stands)."""
    return {one.scenario: (one.version, one.standing[0].step) for one in customer.instances if one.standing}


async def all_stand(books: Books, run: str, where: dict[str, tuple[int, str]], many: int) -> bool:
    found = (await books.read()).customers(run).values()
    return len(found) == many and all(stands(customer) == where for customer in found)


async def standing_on(books: Books) -> set[str]:
    """The releases that partitions stand on."""
    states = [decode_node(value).body for key, value in (await books.read()).values.items() if b"/partition:" in key]
    return {state.release for state in states if isinstance(state, PartitionState)}


async def all_stand_on(books: Books, published: str) -> bool:
    """Whether every partition has switched to what was published just now.

    An event that comes to one before its switch is still the release's before.
    """
    found = await standing_on(books)
    return len(found) == 1 and f"Published release {min(found)[:12]} " in published


async def test_a_worker_dies_during_a_release_and_who_is_idle_is_moved_once(
    product: Product, releases: list[Path]
) -> None:
    before = [f"{product.run}-old-{number}" for number in range(EACH)]
    after = [f"{product.run}-new-{number}" for number in range(EACH)]
    first = {"pinned": (1, "wait"), "followed": (1, "wait"), "finished": (1, "wait")}
    published = command(product.cluster, "publish", str(releases[0])).stdout
    async with opened(product.cluster.bootstrap) as books:
        worker = await product.ready_worker()
        await until(lambda: all_stand_on(books, published), why=worker.words)
        await product.send(map(subscribes, before))
        await until(lambda: all_stand(books, product.run, first, EACH), why=worker.words)
        known = await standing_on(books)
        command(product.cluster, "publish", str(releases[1]))

        async def any_switched() -> bool:
            return not await standing_on(books) <= known

        await until(any_switched, why=worker.words)
        worker.kill()
        assert await worker.ended() == -signal.SIGKILL
        await product.forget_the_dead()
        last = await product.ready_worker()
        moved = {"pinned": (1, "wait"), "followed": (2, "hold")}
        await until(lambda: all_stand(books, product.run, moved, EACH), why=last.words)
        check_told(books, product.run)
        await product.send(map(subscribes, after))
        await product.send(map(looks, before + after))

        async def all_written_to() -> bool:
            return len((await books.read()).sends(product.run)) >= 2 * len(before) + 3 * len(after)

        await until(all_written_to, why=last.words)
        last.terminate()
        assert await last.ended() == 0, last.words()
        check_actions(await books.read(), product.run)


def check_told(books: Books, run: str) -> None:
    """What the release ended has ended once, and everybody, with something under way or not, knows the new schedule."""
    for customer in books.customers(run).values():
        endings = [(one.scenario, one.reason) for one in decisions_of(customer.decisions) if one.what == "ended"]
        assert endings == [("finished", "released")]
        assert "wave" in customer.matching


def check_actions(books: Books, run: str) -> None:
    """Who was under way finishes as the policy says; who came later is on the new release; each action is one."""
    sent = Counter(
        (send["address"].split("-")[-2], send["scenario"], send["content"]) for send in books.sends(run)
    )  # fmt: skip
    assert sent == {
        ("old", "pinned", "em.first"): EACH,
        ("old", "followed", "em.second"): EACH,
        ("new", "pinned", "em.second"): EACH,
        ("new", "followed", "em.second"): EACH,
        ("new", "finished", "em.second"): EACH,
    }
    assert all(len(copies) == 1 for copies in books.actions(run).values())
    assert books.of(DEAD_LETTER) == []
