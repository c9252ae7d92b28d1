"""Whose a signed link is, where customers live: it binds one browser, by the tenant's own key, while its time lasts."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
import pytest

from orchestrator.engine.facts import Facts
from orchestrator.engine.identity.merge import TOKENS_KEPT
from orchestrator.engine.program.build import build_program
from orchestrator.engine.traits.states import unpack
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer
from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import node_key
from orchestrator.model.partition import partition_of
from orchestrator.model.tokens import Claims, sign
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Record
from orchestrator.stream.tokens import SignedTokens

KEY, OLD_KEY, FOREIGN_KEY = b"k" * 32, b"o" * 32, b"f" * 32
START, HOUR = 1_772_442_000_000, 3_600_000
PARTITIONS = 4
BUNDLE = b"""
bundle: links
---
channels: all
define: {web: {sends: pull}, email: {sends: push, address: email}}
---
events: all
define: {page_viewed: {channel: web}}
---
identity: all
namespaces: {email: unique, anonymous_id: shared}
---
traits: all
define: {pages: {count: true, on: page_viewed}}
"""


class Lane:
    """One worker with all partitions, and a broker that acknowledges at once."""

    def __init__(self) -> None:
        bundle = load_bundle({"bundle.yaml": BUNDLE}, EventSchemas()).bundle
        assert bundle is not None
        self.redeem_once = True
        tokens = SignedTokens((KEY, OLD_KEY), "default", lambda: self.redeem_once)
        self.core = CustomerCore(build_program(bundle), Facts(), ("channel.web",), PARTITIONS, tokens)
        self.tables: list[dict[bytes, bytes]] = [{} for _ in range(PARTITIONS)]
        self.letters: list[bytes] = []
        self.views = 0
        self.offset = 0
        for index in range(PARTITIONS):
            self.core.assigned(index, self.tables[index], {}, START)

    def view(self, who: str, token: str = "", now: int = START) -> None:
        """A page view, and everything that follows from it."""
        self.views += 1
        name, _, value = who.partition(":")
        data = {name: value} if who else {}
        event: dict[str, Any] = {
            "id": f"e{self.views}", "source": "site", "type": "page_viewed",
            "data": {**data, **({"token": token} if token else {})},
        }  # fmt: skip
        self._read(("channel.web", node_key("default", who or "web:x"), msgspec.json.encode(event)), now)

    def _read(self, first: tuple[str, bytes, bytes], now: int) -> None:
        travelling = deque([first])
        while travelling:
            topic, key, value = travelling.popleft()
            index = partition_of(key, PARTITIONS)
            self.offset += 1
            assert self.offset < 1_000, "a record goes round in circles"
            batch = self.core.process(index, [Record(topic, index, self.offset, now, key, value)], now)
            self.tables[index].update({at: held for at, held in batch.changelog if held is not None})
            travelling.extend((sent.topic, sent.key or b"", sent.value) for sent in batch.sends if sent.topic == INPUTS)
            self.letters += [sent.value for sent in batch.sends if sent.topic == "dead-letter"]

    def root(self, who: str) -> str:
        """The identifier at which a customer's record lives."""
        key = node_key("default", who)
        value = self.tables[partition_of(key, PARTITIONS)].get(key)
        to = decode_node(value).to if value is not None else None
        return self.root(to) if to is not None else who

    def customer(self, who: str) -> Customer | None:
        key = node_key("default", self.root(who))
        value = self.tables[partition_of(key, PARTITIONS)].get(key)
        body = decode_node(value).body if value is not None else None
        return body if isinstance(body, Customer) else None

    def pages(self, who: str) -> int:
        found = self.customer(who)
        return 0 if found is None or "pages" not in found.traits else int(unpack(found.traits["pages"]))

    def are_one(self, one: str, other: str) -> bool:
        """Whether two identifiers are the same customer's."""
        return self.root(one) == self.root(other)


@pytest.fixture
def lane() -> Lane:
    lane = Lane()
    lane.view("email:amy@example.com")
    return lane


AMY, BROWSER, OTHER = "email:amy@example.com", "anonymous_id:a2", "anonymous_id:a10"


OURS = Claims(f"default/{AMY}", START, START + 72 * HOUR, "t1")


def link(key: bytes = KEY, **given: Any) -> str:
    return sign(msgspec.structs.replace(OURS, **given), key)


@pytest.mark.parametrize("key", [KEY, OLD_KEY], ids=["the current key", "the one that it replaced"])
def test_who_opens_a_link_of_ours_is_its_customer(lane: Lane, key: bytes) -> None:
    lane.view(BROWSER, link(key=key))
    assert lane.are_one(AMY, BROWSER)
    assert lane.pages(AMY) == 2


@pytest.mark.parametrize(
    ("token", "now"),
    [
        (link(key=FOREIGN_KEY), START),
        (link()[:-2] + "AA", START),
        ("t1.made-up", START),
        (link(), START + 72 * HOUR),
        (link(node=f"another/{AMY}"), START),
        (link(use="unsubscribe"), START),
    ],
    ids=["another's key", "changed", "made up", "its time is over", "another tenant's", "meant to unsubscribe"],
)
def test_a_token_that_counts_for_nothing_joins_nobody_and_costs_no_event(lane: Lane, token: str, now: int) -> None:
    lane.view(BROWSER, token, now)
    assert not lane.are_one(AMY, BROWSER)
    assert (lane.pages(AMY), lane.pages(BROWSER)) == (1, 1)
    assert lane.letters == []


def test_a_link_that_was_forwarded_does_not_make_the_reader_its_customer(lane: Lane) -> None:
    token = link()
    lane.view(BROWSER, token)
    lane.view(OTHER, token, START + HOUR)
    assert lane.are_one(AMY, BROWSER)
    assert not lane.are_one(AMY, OTHER)
    assert (lane.pages(AMY), lane.pages(OTHER)) == (2, 1), "what the other one reads is the other one's"


def test_the_browser_that_opened_it_first_may_open_it_again(lane: Lane) -> None:
    token = link()
    for hour in range(3):
        lane.view(BROWSER, token, START + hour * HOUR)
    assert lane.are_one(AMY, BROWSER)
    assert lane.pages(AMY) == 4


def test_where_the_bundle_says_so_every_browser_that_opens_it_is_its_customers(lane: Lane) -> None:
    lane.redeem_once = False
    token = link()
    lane.view(BROWSER, token)
    lane.view(OTHER, token)
    assert lane.are_one(AMY, BROWSER)
    assert lane.are_one(AMY, OTHER)


def test_a_token_alone_says_who_it_is(lane: Lane) -> None:
    lane.view("", link())
    assert lane.pages(AMY) == 2


def test_of_the_links_that_were_opened_the_newest_are_remembered(lane: Lane) -> None:
    for number in range(TOKENS_KEPT + 5):
        lane.view(BROWSER, link(token_id=f"t{number}"))
    amy = lane.customer(AMY)
    assert amy is not None
    assert list(amy.tokens) == [f"t{number}" for number in range(5, TOKENS_KEPT + 5)]
