"""An erasure on several partitions: every node is reached and answers, copies and orders change nothing, marks end."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from orchestrator.engine.identity.marks import KEPT
from orchestrator.engine.program.build import build_program
from orchestrator.model.customer import Customer, Reference
from orchestrator.model.effect import ERASURES, INPUTS, TASKS
from orchestrator.model.ids import erasure_id, erasure_mark, node_key
from orchestrator.model.message import Erase, Link, Refer, Reset, encode_message
from orchestrator.model.partition import partition_of
from orchestrator.rehearsal.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.language.bundle import Bundle
    from orchestrator.stream.lane.records import Batch

START = 1_772_442_000_000
DAY = 86_400_000
TOKEN, OTHER = "5a" * 16, "6b" * 16
USER, EMAIL, BROWSER, TICKET = "user_id:u-amy", "email:amy@example.com", "anonymous_id:browser-1", "ticket:t-77"


class Unruly(World):
    """Messages arrive in any order, some twice; what goes to other topics is kept in `out`."""

    dice: random.Random | None = None
    out: list[tuple[str, bytes, Any]]

    def _take(self, partition: int, batch: Batch) -> None:
        for sent in batch.sends:
            if sent.topic not in {INPUTS, "dead-letter"}:
                self.__dict__.setdefault("out", []).append((sent.topic, sent.key or b"", sent.value))
        if self.dice is not None and self.dice.random() < 0.2:
            batch.sends += [sent for sent in batch.sends if sent.topic == INPUTS]
        super()._take(partition, batch)
        if self.dice is not None and self._travelling:
            self._travelling.rotate(self.dice.randrange(len(self._travelling)))

    def receipts(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(value) for topic, _, value in self.out if topic == ERASURES]

    def asks(self, target: str, token: str, time: int) -> None:
        self.arrive(INPUTS, node_key("default", target), encode_message(Erase(target, time, token)), self.now)

    def known(self) -> set[str]:
        """The nodes that have a value in the table."""
        return {key.decode().partition("/")[2] for table in self._tables for key in table}


def comes(world: World, number: int, type_: str = "page_viewed", at: int = 0, **data: object) -> None:
    world.now = max(world.now, at or world.now + 1_000)
    channel = "crm" if type_.startswith("ticket") else "web"
    record = {"id": f"e{number}", "source": "s", "type": type_, "channel": channel, "data": data}
    nodes = world.program.identity.identifiers(data)
    world.arrive(f"channel.{channel}", node_key("default", nodes[0]), msgspec.json.encode(record), world.now)


def amy(world: World) -> None:
    """Known by three identifiers and a ticket, with an open task about it."""
    comes(world, 1, anonymous_id="browser-1", page="/")
    comes(world, 2, anonymous_id="browser-1", email="amy@example.com", page="/")
    comes(world, 3, user_id="u-amy", email="amy@example.com", page="/secret")
    comes(world, 4, "ticket_opened", user_id="u-amy", ticket="t-77")


@pytest.fixture
def world(shop: Callable[..., Bundle]) -> Unruly:
    return Unruly(build_program(shop()), START, partitions=5)


def check_receipt(world: Unruly, token: str, nodes: set[str]) -> None:
    newest = [one for one in world.receipts() if one["id"] == erasure_id("default", token)][-1]
    assert newest["state"] == "complete"
    assert {(mark, namespace) for mark, namespace, _ in newest["nodes"]} == {
        (erasure_mark("default", token, node), node.split(":")[0]) for node in nodes
    }
    assert newest["reached"] == newest["expected"] == len(nodes)


@pytest.mark.parametrize("target", [USER, EMAIL, BROWSER])
def test_every_node_is_reached_and_answers_whichever_was_named(world: Unruly, target: str) -> None:
    amy(world)
    assert len({partition_of(node_key("default", name), 5) for name in (USER, EMAIL, BROWSER, TICKET)}) > 1
    world.asks(target, TOKEN, world.now)
    check_receipt(world, TOKEN, {USER, EMAIL, BROWSER, TICKET})
    for name in (USER, EMAIL, BROWSER):
        root, customer = world.root(name)
        assert root == name
        assert customer is not None
        assert (customer.person, customer.traits, customer.instances, customer.timeline) == ("", {}, [], b"")
    ticket = world.node(TICKET).body
    assert isinstance(ticket, Reference)
    assert ticket.owner == "", "a ticket leads to nobody any more"


def test_the_receipt_names_nobody_and_tasks_say_nothing_any_more(world: Unruly) -> None:
    amy(world)
    world.asks(USER, TOKEN, world.now)
    about_it = [key + value for topic, key, value in world.out if topic == ERASURES]
    assert about_it
    assert not any(
        word in said for said in about_it for word in (b"amy", b"u-amy", b"browser-1", b"t-77", TOKEN.encode())
    )
    newest = {key: msgspec.json.decode(value) for topic, key, value in world.out if topic == TASKS}
    [task] = newest.values()
    assert (task["state"], task["key"], task.get("with"), task["conversation"]) == ("withdrawn", "", {}, {})


def test_asked_again_with_the_token_nothing_changes_and_with_another_there_is_another_receipt(world: Unruly) -> None:
    amy(world)
    asked = world.now
    world.asks(USER, TOKEN, asked)
    world.asks(EMAIL, TOKEN, asked)
    check_receipt(world, TOKEN, {USER, EMAIL, BROWSER, TICKET})
    world.asks(EMAIL, OTHER, asked - 5)
    check_receipt(world, OTHER, {EMAIL})
    world.asks("email:stranger@example.com", "7c" * 16, asked)
    check_receipt(world, "7c" * 16, {"email:stranger@example.com"})


def test_late_events_of_any_identifier_are_refused_and_newer_ones_begin_somebody_new(world: Unruly) -> None:
    amy(world)
    before = world.root(USER)[1]
    assert before is not None
    person = before.person
    world.asks(BROWSER, TOKEN, world.now + 60_000)
    comes(world, 5, email="amy@example.com", page="/late")
    assert EMAIL not in [name for name, _ in world.customers()]
    world.advance(world.now + 120_000)
    comes(world, 6, user_id="u-amy", email="amy@example.com", page="/new")
    [(root, customer)] = world.customers()
    assert (root, set(world.node(root).body.family) >= {USER, EMAIL}) == (USER, True)  # type: ignore[union-attr]
    assert customer.person not in {person, ""}


@pytest.mark.parametrize("seed", range(40))
def test_in_any_order_and_with_copies_the_receipt_is_the_same(shop: Callable[..., Bundle], seed: int) -> None:
    world = Unruly(build_program(shop()), START, partitions=5)
    world.dice = random.Random(seed)
    amy(world)
    world.asks(random.Random(seed).choice([USER, EMAIL, BROWSER]), TOKEN, world.now)
    check_receipt(world, TOKEN, {USER, EMAIL, BROWSER, TICKET})
    assert world.customers() == [], f"seed {seed}"


def test_a_copy_from_before_the_erasure_does_not_give_a_reference_its_owner_back(world: Unruly) -> None:
    amy(world)
    used = encode_message(Refer(TICKET, USER, time=world.now))
    world.asks(USER, TOKEN, world.now)
    world.arrive(INPUTS, node_key("default", TICKET), used, world.now)
    assert world.node(TICKET).body.owner == ""  # type: ignore[union-attr]
    comes(world, 9, "ticket_opened", email="b@example.com", ticket="t-77")
    assert world.node(TICKET).body.owner == "email:b@example.com"  # type: ignore[union-attr]


def test_what_a_parcel_on_its_way_had_under_way_is_withdrawn(world: Unruly) -> None:
    """Somebody with a task and a ticket moves in with a customer who was erased meanwhile."""
    comes(world, 1, user_id="u-amy", page="/")
    comes(world, 2, "ticket_opened", email="amy@example.com", ticket="t-77")
    [task] = [msgspec.json.decode(value) for topic, _, value in world.out if topic == "tasks"]
    link = Link(EMAIL, USER, USER, strong=True, time=world.now)
    world.asks(USER, TOKEN, world.now + 1)
    world.arrive(INPUTS, node_key("default", EMAIL), encode_message(link), world.now)
    check_receipt(world, TOKEN, {USER, EMAIL, TICKET})
    newest = [msgspec.json.decode(value) for topic, _, value in world.out if topic == "tasks"][-1]
    assert (newest["id"], newest["state"], newest["key"]) == (task["id"], "withdrawn", "")
    assert world.customers() == []
    assert world.node(TICKET).body.owner == ""  # type: ignore[union-attr]


def test_when_no_copy_can_come_any_more_the_keys_get_tombstones(world: Unruly) -> None:
    amy(world)
    world.asks(USER, TOKEN, world.now)
    world.advance(world.now + KEPT)
    assert {USER, EMAIL, BROWSER} <= world.known(), "late events still have to be refused"
    world.advance(world.now + KEPT + DAY)
    names = {name for name in world.known() if not name.startswith(("partition:", "erasure:"))}
    assert names == set()
    comes(world, 9, email="amy@example.com", anonymous_id="browser-1", page="/")
    comes(world, 10, user_id="u-amy", anonymous_id="browser-1", page="/")
    root, customer = world.root(BROWSER)
    assert root == USER
    assert isinstance(customer, Customer)


def test_what_began_anew_and_was_not_used_since_goes_and_nobody_is_named_for_longer_than_a_week(world: Unruly) -> None:
    """A browser that was let go has the names of its former family, and they have its name."""
    amy(world)
    world.arrive(INPUTS, node_key("default", BROWSER), encode_message(Reset(BROWSER, world.now)), world.now)
    (left, browser), (home, customer) = world.root(BROWSER), world.root(USER)
    assert (left, home) == (BROWSER, USER)
    assert browser is not None
    assert customer is not None
    assert {USER, EMAIL} <= set(browser.family)
    world.advance(world.now + KEPT)
    assert BROWSER in customer.family, "until no copy of its parcel can come"
    world.advance(world.now + 1_000)
    assert set(world.root(USER)[1].family) == {USER, EMAIL}  # type: ignore[union-attr]
    assert BROWSER in world.known()
    world.advance(world.now + KEPT)
    assert BROWSER not in world.known()
    comes(world, 9, user_id="u-amy", anonymous_id="browser-1", page="/")
    assert world.root(BROWSER)[0] == USER


def test_who_came_back_keeps_what_is_new_and_loses_the_marks(world: Unruly) -> None:
    amy(world)
    world.asks(USER, TOKEN, world.now)
    world.advance(world.now + DAY)
    comes(world, 9, email="amy@example.com", page="/")
    world.advance(world.now + 3 * KEPT)
    _, customer = world.root(EMAIL)
    assert customer is not None
    assert (customer.wiped, customer.erasing, set(customer.family)) == ({}, {}, {EMAIL})
    assert customer.person
