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
namespaces: {email: unique, anonymous_id: shared}
---
traits: here
define: {pages: {count: true, on: page_viewed}}
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
        travelling = deque([("channel.web", node_key("default", strongest), orjson.dumps(event))])
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


def browser_elsewhere(than: str) -> str:
    """A browser whose node lives on another partition."""
    home = partition_of(node_key("default", than), PARTITIONS)
    names = (f"b{number}" for number in range(100))
    return next(n for n in names if partition_of(node_key("default", f"anonymous_id:{n}"), PARTITIONS) != home)


def test_a_linked_browsers_next_event_arrives_at_its_customer() -> None:
    lane = Lane()
    browser = browser_elsewhere("email:amy@example.com")
    lane.view(1_000, email="amy@example.com", anonymous_id=browser)
    lane.view(2_000, anonymous_id=browser)
    customer = lane.customer("email:amy@example.com")
    assert f"anonymous_id:{browser}" in customer.family
    assert Context(customer, lane.core.current, lane.core.facts, 3_000).profile["pages"] == 2
