"""The stream on virtual time: the clock jumps, partitions change nothing, the same input gives the same output."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from orchestrator.engine.program.build import build_program
from orchestrator.model.effect import Action
from orchestrator.model.ids import node_key
from orchestrator.rehearsal.world import NEVER, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.language.bundle import Bundle

START = 1_772_442_000_000
HOUR = 3_600_000
FACTS: dict[str, dict[str, dict[str, Any]]] = {"price": {"x1": {"price": 80.0}}, "stock": {"x1/web": {"qty": 4}}}
encode = msgspec.json.Encoder().encode


def event(world: World, at: int, type_: str, number: int, **data: object) -> None:
    record = {"id": f"e{number}", "source": "s", "type": type_, "channel": "web", "data": data}
    nodes = world.program.identity.identifiers(data)
    world.arrive("channel.web", node_key("default", nodes[0]), encode(record), at)


def life(world: World, seed: int, customers: int = 30) -> None:
    """Visitors who look around, become known, fill carts and order, in any order."""
    dice, at = random.Random(seed), world.now
    for number in range(customers * 8):
        at += dice.randrange(1, 10 * 60_000)
        who = dice.randrange(customers)
        known = {"email": f"u{who}@example.com"} if dice.random() < 0.5 else {"anonymous_id": f"a{who}"}
        if dice.random() < 0.15:
            known = {"email": f"u{who}@example.com", "anonymous_id": f"a{who}"}
        type_ = dice.choice(["page_viewed", "cart_item_added", "cart_item_added", "order_placed"])
        event(world, at, type_, number, sku="x1", qty=1, cart="c1", page="/a", order=f"o{number}", **known)
    world.advance(at + 100 * HOUR)


def actions(world: World) -> list[tuple[str, int, str, str]]:
    sent = [(one.at, one.effect) for one in world.record.actions()]
    return [(action.id, at, action.content, action.address) for at, action in sent if isinstance(action, Action)]


def test_the_clock_jumps_to_what_is_due(shop: Callable[..., Bundle]) -> None:
    program = build_program(shop())
    program.draw = lambda *_: 49.9  # not in the holdout, and the first variant
    world = World(program, START, facts=FACTS)
    assert world.next_tick() == NEVER
    event(world, START, "order_placed", 0, email="amy@example.com", order="o1")
    event(world, START, "cart_item_added", 1, email="amy@example.com", sku="x1", qty=1, cart="c1")
    world.advance(START + HOUR - 1)
    assert [content for _, _, content, _ in actions(world)] == ["em.thanks"]
    world.advance(START + 400 * HOUR)
    assert [(at, content) for _, at, content, _ in actions(world)] == [(START, "em.thanks"), (START + HOUR, "em.cart")]
    assert world.now == START + 400 * HOUR


@pytest.mark.parametrize("seed", range(3))
def test_the_same_life_gives_the_same_actions_whatever_the_number_of_partitions(
    shop: Callable[..., Bundle], seed: int
) -> None:
    program = build_program(shop())
    found = []
    for partitions in (1, 1, 2, 7):
        world = World(program, START, partitions, FACTS)
        life(world, seed)
        found.append(sorted(actions(world)))
    assert found[0], f"seed {seed}: a life without actions shows nothing"
    assert all(one == found[0] for one in found), f"seed {seed}"


BACK = """
scenario: back
entry: {on: page_viewed}
steps:
  - {id: there_again, wait_until: {when: 'stock("x1") > 0', timeout: 30d}}
  - {id: tell, send: {content: em.thanks, channel: email}}
"""


def test_a_row_is_told_at_once_to_more_customers_than_one_tick_looks_at(
    shop: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.stream.lane.ticks.MOST_AT_ONCE", 2)
    bundle = shop(BACK)
    world = World(build_program(bundle), START, 1, {**FACTS, "stock": {"x1/web": {"qty": 0}}})
    for number in range(7):
        event(world, START, "page_viewed", number, email=f"u{number}@example.com", page="/a")
    assert actions(world) == []
    level = {"id": "l", "source": "s", "type": "level_changed", "channel": "stock"}
    world.arrive("channel.stock", None, encode({**level, "data": {"sku": "x1", "place": "web", "qty": 1}}), START + 1)
    assert sorted((at, to) for _, at, _, to in actions(world)) == [
        (START + 1, f"u{number}@example.com") for number in range(7)
    ]


def test_identifiers_become_one_customer_across_partitions(shop: Callable[..., Bundle]) -> None:
    world = World(build_program(shop()), START, partitions=8)
    event(world, START, "page_viewed", 0, anonymous_id="a1", page="/a")
    event(world, START + 1, "page_viewed", 1, email="amy@example.com", page="/b")
    assert world.root("anonymous_id:a1")[0] == "anonymous_id:a1"
    event(world, START + 2, "page_viewed", 2, email="amy@example.com", anonymous_id="a1", page="/c")
    root, customer = world.root("anonymous_id:a1")
    assert root == "email:amy@example.com"
    assert customer is not None
    assert [node for node, _ in world.customers()] == ["email:amy@example.com"]


def test_a_record_that_cannot_be_taken_in_is_kept_with_its_reason(shop: Callable[..., Bundle]) -> None:
    world = World(build_program(shop()), START)
    world.arrive("channel.web", b"default/email:amy@example.com", b"{", START)
    assert [(one.event, one.reason) for one in world.record.refusals] == [("", "undecodable")]
