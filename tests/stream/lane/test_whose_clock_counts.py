"""The broker's clock moves a customer and no other does; and what a worker keeps decoded stays bounded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer
from orchestrator.model.effect import ACTIONS, INPUTS
from orchestrator.model.ids import node_key
from orchestrator.model.partition import partition_of
from orchestrator.stream.lane import partition as memory
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Outgoing, Record

START = 1_772_442_000_000
MINUTE = 60_000
PARTITIONS = 4
BUNDLE = b"""
bundle: clocks
lateness: 10m
---
channels: all
define: {email: {sends: push, address: email}, web: {sends: pull}, app: {sends: pull}}
---
events: all
define: {asked: {channel: [web, app]}}
---
identity: all
namespaces: {email: unique}
---
traits: all
define: {times: {count: true, on: asked}}
---
content: em.answer
class: service
variants: {email: {subject: hi, body: hello}}
---
scenario: answer
entry: {on: asked}
steps: [{id: wait, delay: {for: 1h}}, {id: mail, send: {content: em.answer, channel: email}}]
---
scenario: at_once
entry: {on: asked}
steps: [{id: mail, send: {content: em.answer, channel: email}}]
"""


class Worker:
    """One worker with all partitions; the broker acknowledges at once, and what is passed on can be read later."""

    def __init__(self) -> None:
        bundle = load_bundle({"bundle.yaml": BUNDLE}, EventSchemas()).bundle
        assert bundle is not None
        self.core = CustomerCore(build_program(bundle), Facts(), ("channel.web", "channel.app"), PARTITIONS)
        self.tables: list[dict[bytes, bytes]] = [{} for _ in range(PARTITIONS)]
        self.passed: list[Outgoing] = []
        self.actions: list[dict[str, Any]] = []
        self.offset = 0
        for index in range(PARTITIONS):
            self.core.assigned(index, self.tables[index], {}, START)

    def reads(self, at: int, topic: str, who: str, time: int | None = None, partition: int | None = None) -> None:
        """An event of a customer that the broker took in at a time of its own."""
        event = {"id": f"e{self.offset}", "source": "shop", "type": "asked", "data": {"email": who}}
        raw = msgspec.json.encode(event if time is None else {**event, "time": rfc3339(time)})
        self.takes(at, topic, node_key("default", f"email:{who}"), raw, partition)

    def takes(self, at: int, topic: str, key: bytes, value: bytes, partition: int | None = None) -> None:
        index = partition_of(key, PARTITIONS) if partition is None else partition
        self.offset += 1
        batch = self.core.process(index, [Record(topic, index, self.offset, at, key, value)], at)
        self.tables[index].update({key: held for key, held in batch.changelog if held is not None})
        self.passed += [sent for sent in batch.sends if sent.topic == INPUTS]
        self.actions += [msgspec.json.decode(sent.value) for sent in batch.sends if sent.topic == ACTIONS]

    def customer(self, who: str) -> Customer:
        key = node_key("default", f"email:{who}")
        body = decode_node(self.tables[partition_of(key, PARTITIONS)][key]).body
        assert isinstance(body, Customer)
        return body

    def mail_due(self, who: str) -> list[int]:
        """When each mail that waits is due, the earliest first."""
        return sorted(standing.due for each in self.customer(who).instances for standing in each.standing)


def rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_a_record_time_that_goes_back_does_not_take_the_customer_back(worker: Worker) -> None:
    worker.reads(START + 10 * MINUTE, "channel.web", "amy@example.com")
    worker.reads(START, "channel.app", "amy@example.com")
    assert worker.customer("amy@example.com").now == START + 10 * MINUTE
    assert worker.mail_due("amy@example.com") == [START + 70 * MINUTE]


@pytest.mark.parametrize("ahead", [4 * MINUTE, -8 * MINUTE], ids=["a clock that is fast", "a clock that is slow"])
def test_a_producers_clock_moves_nobody(worker: Worker, ahead: int) -> None:
    worker.reads(START, "channel.web", "amy@example.com", time=START + ahead)
    assert worker.customer("amy@example.com").now == START
    assert worker.mail_due("amy@example.com") == [START + 60 * MINUTE]
    assert worker.actions[0]["received"] == START


def test_what_is_passed_on_is_received_when_the_broker_first_took_it(worker: Worker) -> None:
    home = partition_of(node_key("default", "email:amy@example.com"), PARTITIONS)
    worker.reads(START, "channel.web", "amy@example.com", time=START - MINUTE, partition=(home + 1) % PARTITIONS)
    (hop,) = worker.passed
    assert hop.key is not None
    worker.takes(START + 700, INPUTS, hop.key, hop.value)
    (action,) = worker.actions
    assert (action["received"], action["at"]) == (START, START + 700)


def test_no_more_customers_stay_decoded_than_may(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_LIVE", 10)
    people = [f"p{number}@example.com" for number in range(200)]
    for turn in range(2):
        for person in people:
            worker.reads(START + turn, "channel.web", person)
    keys = [node_key("default", f"email:{person}") for person in people]
    owned = worker.core.all_owned()
    assert sum(each.is_live(key) for each in owned for key in keys) <= 10 * PARTITIONS
    assert {len(worker.customer(person).instances) for person in people} == {1}
    assert len(worker.actions) == 2 * len(people)
