"""An event of an identifier that has moved in with a customer on another partition reaches that customer, once."""

from collections import deque

import orjson

from orchestrator.engine.context import Context
from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer
from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import node_key
from orchestrator.model.lines import lines_of
from orchestrator.model.message import Shown, encode_message
from orchestrator.model.partition import partition_of
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Record

PARTITIONS = 8
MOST_RECORDS = 50
BUNDLE = b"""
bundle: tiny
---
channels: here
define: {web: {sends: pull}}
---
events: here
define: {page_viewed: {channel: web}}
---
identity: here
namespaces: {card_id: unique, email: unique, anonymous_id: shared}
---
traits: here
define:
  pages: {count: true, on: page_viewed}
  shown: {count: true, on: slot_shown}
---
slot: web.page
candidates: []
only: profile.pages > 0
default: none
"""


class Lane:
    """All partitions of one worker, with a broker that acknowledges at once."""

    def __init__(self) -> None:
        bundle = load_bundle({"bundle.yaml": BUNDLE}, EventSchemas()).bundle
        assert bundle is not None
        self.core = CustomerCore(build_program(bundle), Facts(), ("channel.web",), PARTITIONS)
        self.tables: list[dict[bytes, bytes]] = [{} for _ in range(PARTITIONS)]
        self.offset = 0
        self.records = 0
        for partition in range(PARTITIONS):
            self.core.assigned(partition, {}, {}, 0)

    def view(self, time: int, **identifiers: str) -> None:
        """A page view arrives, and everything that follows from it."""
        strongest = next(f"{name}:{value}" for name, value in identifiers.items())
        event = {"id": f"e{time}", "source": "test", "type": "page_viewed", "channel": "web", "data": identifiers}
        self.arrive("channel.web", strongest, orjson.dumps(event), time)

    def show(self, time: int, node: str) -> None:
        """A slot's answer was shown to who asked under this name, as the worker that answered tells it."""
        message = Shown(node, time, {"slot": "web.page", "content": "none", "offer": ""}, f"shown{time}")
        self.arrive(INPUTS, node, encode_message(message), time)

    def arrive(self, topic: str, node: str, value: bytes, time: int) -> None:
        """A record, and all records between nodes that follow from it."""
        travelling = deque([(topic, node_key("default", node), value)])
        while travelling:
            topic, key, value = travelling.popleft()
            self.records += 1
            assert self.records < MOST_RECORDS, "a record goes round in circles"
            partition = partition_of(key, PARTITIONS)
            self.offset += 1
            record = Record(topic, partition, self.offset, time, key, value)
            batch = self.core.process(partition, [record], time)
            self.tables[partition].update({at: held for at, held in batch.changelog if held is not None})
            travelling.extend((sent.topic, sent.key or b"", sent.value) for sent in batch.sends if sent.topic == INPUTS)

    def customer(self, name: str) -> Customer:
        key = node_key("default", name)
        body = decode_node(self.tables[partition_of(key, PARTITIONS)][key]).body
        assert isinstance(body, Customer)
        return body


def home_of(name: str) -> int:
    return partition_of(node_key("default", name), PARTITIONS)


def elsewhere(namespace: str, *than: str) -> str:
    """An identifier whose node lives on a partition of none of those."""
    taken = {home_of(name) for name in than}
    names = (f"b{number}" for number in range(100))
    return next(name for name in names if home_of(f"{namespace}:{name}") not in taken)


def browser_elsewhere(than: str) -> str:
    """A browser whose node lives on another partition."""
    return elsewhere("anonymous_id", than)


def test_a_linked_browsers_next_event_arrives_at_its_customer() -> None:
    lane = Lane()
    browser = browser_elsewhere("email:amy@example.com")
    lane.view(1_000, email="amy@example.com", anonymous_id=browser)
    lane.view(2_000, anonymous_id=browser)
    customer = lane.customer("email:amy@example.com")
    assert f"anonymous_id:{browser}" in customer.family
    assert Context(customer, lane.core.current, lane.core.facts, 3_000).profile["pages"] == 2


def times_shown(lane: Lane, name: str) -> object:
    return Context(lane.customer(name), lane.core.current, lane.core.facts, 9_000).profile["shown"]


def test_what_was_shown_to_a_linked_browser_is_counted_for_its_customer_once() -> None:
    lane = Lane()
    browser = browser_elsewhere("email:amy@example.com")
    lane.view(1_000, email="amy@example.com", anonymous_id=browser)
    lane.show(2_000, f"anonymous_id:{browser}")
    lane.show(2_000, f"anonymous_id:{browser}")
    assert times_shown(lane, "email:amy@example.com") == 1


def test_what_was_shown_follows_a_browser_whose_customer_has_moved_in_with_another() -> None:
    """Two hops, over three partitions."""
    lane = Lane()
    card = elsewhere("card_id", "email:amy@example.com")
    browser = elsewhere("anonymous_id", "email:amy@example.com", f"card_id:{card}")
    lane.view(1_000, email="amy@example.com", anonymous_id=browser)
    lane.view(2_000, card_id=card, email="amy@example.com")
    lane.show(3_000, f"anonymous_id:{browser}")
    assert times_shown(lane, f"card_id:{card}") == 1


def test_what_was_shown_is_not_on_the_timeline_of_what_the_customer_did() -> None:
    lane = Lane()
    lane.view(1_000, email="amy@example.com")
    lane.show(2_000, "email:amy@example.com")
    assert [line.type for line in lines_of(lane.customer("email:amy@example.com").timeline)] == ["page_viewed"]
