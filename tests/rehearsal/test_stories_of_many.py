"""Stories of many customers at once: silos are joined, and a mixed stream decides alike however it is spread."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from orchestrator.engine.program.build import build_program
from orchestrator.model.customer import IN
from orchestrator.model.effect import Action
from orchestrator.model.ids import node_key
from orchestrator.rehearsal.folder import load_folder
from orchestrator.rehearsal.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestrator.engine.program.plan import Program

START = 1_772_442_000_000
SECOND, DAY = 1_000, 86_400_000
STRONG = ("user_id", "card_id", "email", "social_id")
"""Who has the same of one of these is the same person."""


class Told(NamedTuple):
    """An event: its channel and bytes, and the identifiers that it names."""

    channel: str
    raw: bytes
    data: dict[str, Any]


@cache
def program() -> Program:
    bundle = load_folder(Path("scenarios"), Path("topics")).result.bundle
    assert bundle is not None, "orchestrator lint scenarios"
    return build_program(bundle)


def told(id_: str, channel: str, type_: str, **data: Any) -> Told:
    return Told(channel, msgspec.json.encode({"id": id_, "source": channel, "type": type_, "data": data}), data)


def play(world: World, events: Iterable[Told], copies: Callable[[int], int] = lambda _: 1) -> None:
    """Let them arrive one after the other, a second apart; some in several copies."""
    for number, one in enumerate(events):
        nodes = world.program.identity.identifiers(one.data)
        key = node_key("default", nodes[0]) if nodes else None
        for _ in range(copies(number)):
            world.arrive(f"channel.{one.channel}", key, one.raw, START + number * SECOND)


def fragmentation(holders: Iterable[Iterable[str]]) -> float:
    """The share of records (or customers) that have a strong identifier in common with another one."""
    records = [[name for name in names if name.startswith(STRONG)] for names in holders]
    held = Counter(name for names in records for name in set(names))
    return sum(any(held[name] > 1 for name in names) for names in records) / len(records)


def identifiers(world: World) -> list[list[str]]:
    """What each customer is known by."""
    return [[name for name, one in body.family.items() if one.state == IN] for _, body in world.customers()]


def test_data_04_a_thousand_records_of_three_systems_are_as_many_customers_as_there_are_people() -> None:
    """DATA-04: of 1,000 imported records 370 share an address with another; a name in common joins nobody."""
    silos: list[dict[str, str]] = []
    for number in range(185):
        address = f"twin{number}@example.com"
        silos += [{"user_id": f"u{number}", "email": address}, {"card_id": f"c{number}", "email": address}]
    silos += [{"email": f"one{number}@example.com"} for number in range(630)]
    records = [
        told(f"r{number}", "crm", "customer_imported", source="shop", name="Kim", **names)
        for number, names in enumerate(silos)
    ]
    random.Random(4).shuffle(records)
    before = fragmentation([f"{name}:{value}" for name, value in record.data.items()] for record in records)
    world = World(program(), START, 8)
    play(world, records)
    assert (len(records), before) == (1_000, 0.37)
    assert fragmentation(identifiers(world)) == 0
    assert len(world.customers()) == 1_000 - 185, "nobody is joined by a name"


class Crowd:
    """People who come by every channel, under the names that each channel knows them by."""

    def __init__(self, people: int, seed: int) -> None:
        self.people = people
        self.random = random.Random(seed)

    def events(self, count: int) -> list[Told]:
        """A mixed stream."""
        stocked = told("stock", "stock", "level_changed", sku="lumo-1", location="web", qty=500)
        return [stocked, *(self._one(f"e{number}", self.random.randrange(self.people)) for number in range(count))]

    def _one(self, id_: str, who: int) -> Told:
        browser, user = {"anonymous_id": f"a{who}"}, {"user_id": f"u{who}"}
        mail, card = {"email": f"p{who}@example.com"}, {"card_id": f"k{who}"}
        sku = self.random.choice(["lumo-1", "sound-5", "latte"])
        return self.random.choice(
            [
                told(id_, "web", "page_viewed", **browser, page="/lp/lumo-1"),
                told(id_, "web", "page_read", **browser, page="/lp/lumo-1", seconds=90),
                told(id_, "web", "login", **browser, **user),
                told(id_, "web", "newsletter_subscribed", **browser, **mail),
                told(id_, "web", "cart_item_added", **user, sku=sku, qty=1, cart=f"ct{who}"),
                told(id_, "app", "product_viewed", **user, sku=sku),
                told(id_, "app", "card_linked", **user, **card),
                told(id_, "store", "visit_detected", **card, store="s-paris"),
                told(id_, "store", "purchase", **card, **mail, items=[sku], total=20.0, store="s-paris"),
                told(id_, "web", "order_placed", **user, **mail, order=id_, items=[sku], total=20.0),
                told(id_, "email", "received", **mail, text="Bonjour ?"),
                told(id_, "social", "mentioned", **mail, social_id=f"f{who}", network="facebook", sentiment="positive"),
            ]
        )


def decisions(world: World) -> list[tuple[str, str, str, int]]:
    """Every message: its id, what it says, where, and when it was decided."""
    effects = [one.effect for one in world.record.happenings]
    return sorted((one.id, one.content, one.channel, one.at) for one in effects if isinstance(one, Action))


def test_rt_02_a_mixed_stream_decides_the_same_on_one_partition_and_on_eight_and_with_copies() -> None:
    """RT-02: silos joined, data unified, each alone, in the moment; nothing lost, nothing twice."""
    stream = Crowd(people=300, seed=2).events(8_000)
    worlds = [World(program(), START, partitions) for partitions in (1, 8)]
    for world, copies in zip(worlds, (lambda _: 1, lambda number: 2 if number % 20 == 7 else 1), strict=True):
        play(world, stream, copies)
        world.advance(START + 3 * DAY)
    alone, spread = map(decisions, worlds)
    assert spread == alone
    assert len(alone) > 500
    assert len({decision[0] for decision in alone}) == len(alone), "no message twice"
    for world in worlds:
        assert world.record.refusals == []
        assert fragmentation(identifiers(world)) == 0
