"""What an operator sees of a person and does about it: shown, in conflict, split, erased with a receipt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from e2e_books import DEAD_LETTER, Books, opened, visits
from e2e_customers import event
from e2e_product import command, until

from orchestrator.model.customer import Customer
from orchestrator.model.ids import erasure_id, erasure_mark

if TYPE_CHECKING:
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]


class Somebody:
    """A user with an address and a browser, and another user who shows the same address."""

    def __init__(self, run: str) -> None:
        self.user, self.other = f"user_id:{run}-1", f"user_id:{run}-2"
        self.email, self.browser = f"email:{run}@example.com", f"anonymous_id:{run}-b"
        self.number = 0

    def comes(self, *nodes: str, type_: str = "page_viewed", **data: Any) -> tuple[str, bytes, bytes]:
        """An event that names these identifiers."""
        self.number += 1
        ids = dict(node.split(":", 1) for node in nodes)
        value = event(f"{self.user}-{self.number}", type_, **ids, **(data or {"page": "/"}))
        return "channel.web", f"default/{nodes[0]}".encode(), value


async def said(product: Product, *words: str) -> Any:
    """What an identity command says, for programs."""
    return json.loads(command(product.cluster, "identity", *words, "--format", "json").stdout)


async def test_a_person_is_shown_split_and_erased_by_commands(product: Product) -> None:
    who = Somebody(product.run)
    async with opened(product.cluster.bootstrap, "erasures") as books:
        await product.ready_worker()
        await product.send([who.comes(who.browser), who.comes(who.email, who.browser), who.comes(who.user, who.email)])
        await until(lambda: _leads(books, who.browser, who.user))
        await _shown(product, who)
        await product.send([who.comes(who.other, who.email)])
        await until(lambda: _remembers(books, who.other, who.user))
        [conflict] = [one for one in await said(product, "conflicts") if product.run in one["pair"][0]]
        assert (sorted(conflict["pair"]), conflict["why"]) == (sorted([who.email, who.other]), "user_id")
        await _split(product, books, who)
        await _erased(product, books, who)
        assert books.of(DEAD_LETTER) == []


async def _leads(books: Books, name: str, root: str) -> bool:
    node = (await books.read()).node(name)
    return node is not None and node.to == root and node.body is None


async def _remembers(books: Books, *names: str) -> bool:
    """Whether both sides know of a conflict."""
    await books.read()
    bodies = [node.body for name in names if (node := books.node(name)) is not None]
    known = [body.steps for body in bodies if isinstance(body, Customer)]
    return len(known) == len(names) and all(b"conflict" in steps for steps in known)


async def _shown(product: Product, who: Somebody) -> None:
    person = await said(product, "show", who.browser)
    assert (person["home"], len(person["earlier"])) == (who.user, 2), "three began, one is left and two lead there"
    by_name = {one["identifier"]: one for one in person["identifiers"]}
    assert list(by_name) == [who.user, who.email, who.browser], "strongest first"
    assert {one["place"] for name, one in by_name.items() if name != who.user} == {"settled"}
    assert [by_name[name]["kind"] for name in by_name] == ["unique", "unique", "shared"]
    assert set(by_name[who.email]["seen_together"]) == {who.user, who.email}
    assert by_name[who.email]["event"].startswith("page_viewed ")


async def _split(product: Product, books: Books, who: Somebody) -> None:
    command(product.cluster, "identity", "split", who.email, "--yes")
    await product.send([who.comes(who.user, who.email)])
    await until(lambda: _remembers(books, who.email, who.user))
    alone = await said(product, "show", who.email)
    assert [one["identifier"] for one in alone["identifiers"]] == [who.email], "what an operator has split stays apart"
    assert {one["identifier"]: one["until"] for one in alone["rivals"]}[who.user] is None, "for good"


async def _erased(product: Product, books: Books, who: Somebody) -> None:
    told = command(product.cluster, "identity", "erase", who.browser, "--yes").stdout
    token = told.split()[-1]
    [*_, newest] = (await books.read()).of("erasures")
    receipt = json.loads(newest.value)
    assert newest.key.decode() == f"default/{erasure_id('default', token)}"
    assert (receipt["state"], receipt["reached"], receipt["expected"]) == ("complete", 2, 2)
    marks = {mark: namespace for mark, namespace, _ in receipt["nodes"]}
    assert marks == {erasure_mark("default", token, node): node.split(":")[0] for node in (who.user, who.browser)}
    assert not any(product.run.encode() in record.value for record in books.of("erasures")), "it names nobody"
    for name in (who.user, who.browser):
        node = books.node(name)
        assert node is not None
        assert isinstance(node.body, Customer)
        assert (node.to, node.body.person, visits(node.body), node.body.timeline) == (None, "", 0, b"")
