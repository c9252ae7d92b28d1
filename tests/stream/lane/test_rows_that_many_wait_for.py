"""A row that many customers wait for: each is looked at once it has changed, some at a tick, also across owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrator.engine.engine import Engine
from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.codec import encode_node
from orchestrator.model.customer import IN, Customer, Member, Node
from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import node_key
from orchestrator.stream.lane import ticks
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Record

if TYPE_CHECKING:
    from orchestrator.engine.identity.work import Work

START = 1_772_442_000_000
PEOPLE = [f"user_id:u{number}" for number in range(8)]


class Lane:
    """One partition whose customers wait for rows, and a worker that can be replaced by another."""

    def __init__(self, waiting: dict[str, str]) -> None:
        self.table = {}
        for name, fact in waiting.items():
            body = Customer(person=name, born=START, now=START, family={name: Member(0, IN, START)})
            self.table[node_key("default", name)] = encode_node(Node(body=body), 1, 0, fact)
        self.offset = 0
        self.replace()

    def replace(self) -> None:
        loaded = load_bundle({"all.yaml": b"bundle: house\n"}, EventSchemas.from_topics([]))
        assert loaded.bundle is not None
        self.core = CustomerCore(build_program(loaded.bundle), Facts(), (), 1)
        self.core.assigned(0, self.table, {}, START)

    def tick(self) -> bool:
        """One tick; whether one is wanted."""
        wanted = self.core.tick(0, START)
        if wanted is None:
            return False
        self.core.process(0, (Record(INPUTS, 0, self.offset, START, wanted.key, wanted.value),), START)
        self.offset += 1
        return True

    def all_ticks(self) -> None:
        while self.tick():
            pass


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was looked at because a row had changed."""
    names: list[str] = []

    def facts_changed(_engine: Engine, work: Work, _customer: Customer) -> None:
        names.append(work.name)

    monkeypatch.setattr(Engine, "facts_changed", facts_changed)
    monkeypatch.setattr(ticks, "MOST_AT_ONCE", 3)
    return names


def test_all_who_wait_are_looked_at_and_a_tick_stays_short(looked: list[str]) -> None:
    """After every start, that is all who wait for any row; in one tick they kept the loop for a minute and more."""
    lane = Lane(dict.fromkeys(PEOPLE, "stock"))
    for most in (3, 6, 8):
        assert lane.tick()
        assert looked == PEOPLE[:most]
    assert not lane.tick()


def test_who_waits_for_another_row_that_changes_meanwhile_comes_behind_them_and_nobody_twice(
    looked: list[str],
) -> None:
    lane = Lane({name: "place" if name.endswith(("0", "7")) else "stock" for name in PEOPLE})
    lane.all_ticks()
    looked.clear()
    lane.core.fact_row("stock", "lumo-1/paris", {"qty": 1})
    lane.tick()
    lane.core.fact_row("place", "paris", {"lat": 48.9})
    lane.core.fact_row("stock", "lumo-1/paris", {"qty": 0})
    lane.all_ticks()
    assert looked[:3] == PEOPLE[1:4]
    assert looked[3:6] == PEOPLE[4:7]
    assert sorted(looked[6:]) == sorted([PEOPLE[0], PEOPLE[7], *PEOPLE[1:4]]), "with the rows as they are now"


def test_a_new_owner_begins_with_everybody_again(looked: list[str]) -> None:
    lane = Lane(dict.fromkeys(PEOPLE, "stock"))
    lane.tick()
    lane.replace()
    looked.clear()
    lane.all_ticks()
    assert looked == PEOPLE


def test_a_row_that_nobody_waits_for_makes_no_tick(looked: list[str]) -> None:
    lane = Lane(dict.fromkeys(PEOPLE, "stock"))
    lane.all_ticks()
    lane.core.fact_row("price", "lumo-1", {"amount": 1})
    assert not lane.tick()
    assert looked == PEOPLE
