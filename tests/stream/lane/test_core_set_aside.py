"""What is too much for one write is applied in parts; what fails alone is set aside; nothing else is harmed."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from orchestrator.engine.engine import Engine
from orchestrator.engine.facts import Facts
from orchestrator.engine.identity.work import Work
from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer
from orchestrator.model.effect import EMITTED, INPUTS
from orchestrator.model.event import Event
from orchestrator.model.ids import node_key
from orchestrator.model.message import Link, Tick, encode_message
from orchestrator.stream.lane.core import MOST_FAILED, CustomerCore, MissingReleaseError
from orchestrator.stream.lane.outbox import DEAD_LETTER
from orchestrator.stream.lane.partition import FULL, LARGEST
from orchestrator.stream.lane.records import Batch, Record

START = 1_772_442_000_000
WEB = "channel.web"
HOUSE = """
bundle: house
---
channels: all
define: {web: {sends: pull}, email: {sends: push, address: email}}
---
identity: all
namespaces: {user_id: {is: unique}, email: {is: unique}}
---
consent: all
rules: [{on: signed_up, grant: {channel: email, purpose: news}}]
---
events: all
define: {seen: {channel: [web]}, signed_up: {channel: [web]}, told: {channel: [web]}}
---
traits: all
define: {words: {set: event.word, on: seen}}
---
scenario: tale
entry: {on: seen, where: event.loud}
steps: [{id: tell, emit: {event: told, with: {text: entry.text}}}]
---
scenario: rest
entry: {on: seen, where: event.loud}
steps: [{id: rest, delay: {for: 5s}}]
"""
SCHEMAS = EventSchemas.from_topics([
    {"topic": WEB, "events": {
        "seen": {"properties": {"text": {"type": "string"}, "word": {"type": "string"}, "loud": {"type": "boolean"}}},
        "signed_up": {"properties": {}},
    }},
])  # fmt: skip


@pytest.fixture(scope="module")
def program() -> Program:
    loaded = load_bundle({"house.yaml": HOUSE.encode()}, SCHEMAS)
    assert loaded.bundle is not None, [str(one) for one in loaded.diagnostics]
    return build_program(loaded.bundle)


class Lane:
    """One partition, and a shell that commits what is done before it goes on with the rest."""

    def __init__(self, program: Program) -> None:
        self.table: dict[bytes, bytes] = {}
        self.core = CustomerCore(program, Facts(), (WEB,), 1)
        self.next = {WEB: 0, INPUTS: 0}
        self.committed: dict[str, int] = {}
        self.batches: list[Batch] = []
        self.take(self.core.assigned(0, self.table, {}, START))

    def take(self, batch: Batch) -> None:
        for key, value in batch.changelog:
            assert value is not None
            assert len(value) <= LARGEST
            self.table[key] = value
        self.batches.append(batch)
        self.committed.update(batch.offsets)
        self.core.committed(0, batch.offsets)

    def come(self, records: Sequence[Record]) -> list[Batch]:
        before = len(self.batches)
        self.take(self.core.process(0, records, START))
        while self.batches[-1].rest:
            self.take(self.core.process(0, (), START))
        return self.batches[before:]

    def event(self, who: str, name: str = "seen", **data: Any) -> Record:
        event = {"id": f"e{self.next[WEB]}", "source": "s", "type": name, "data": {"user_id": who, **data}}
        return self.record(WEB, f"user_id:{who}", msgspec.json.encode(event))

    def record(self, topic: str, name: str, value: bytes) -> Record:
        offset = self.next[topic]
        self.next[topic] += 1
        return Record(topic, 0, offset, START + sum(self.next.values()) * 100, node_key("default", name), value)

    def sent(self, topic: str) -> list[Any]:
        return [sent for batch in self.batches for sent in batch.sends if sent.topic == topic]

    def reasons(self) -> Counter[str]:
        return Counter(dict(sent.headers)["reason"].decode() for sent in self.sent(DEAD_LETTER))

    def customer(self, who: str) -> Customer:
        body = decode_node(self.table[node_key("default", f"user_id:{who}")]).body
        assert isinstance(body, Customer)
        return body


@pytest.fixture
def lane(program: Program) -> Lane:
    return Lane(program)


# Too much for one write.


def test_much_that_is_sent_at_once_is_written_in_parts_and_each_is_sent_once(lane: Lane) -> None:
    """Amy's own outbox would be larger than a broker takes; Ben's events lie between hers."""
    records = []
    for number in range(300):
        records += [lane.event("amy", text=f"{number} " + "x" * 10_000, loud=True), lane.event("ben", loud=False)]
    records[300:300] = [lane.record(INPUTS, "partition:0", encode_message(Tick(timers=True)))]
    batches = lane.come(records)
    assert len(batches) > 2, "nothing was too much"
    told = [msgspec.json.decode(sent.value)["data"]["text"].partition(" ")[0] for sent in lane.sent(EMITTED)]
    assert told == [str(number) for number in range(300)], "each once, in order"
    assert lane.committed == lane.next
    assert lane.reasons() == {}
    assert lane.customer("ben").version == 300


def test_what_was_taken_back_leaves_no_trace(program: Program) -> None:
    """The same events and ticks in one go and in parts: the same customers, journeys and counts."""
    found = []
    for size in (1, 30_000):
        lane = Lane(program)
        records = []
        for number in range(400):
            records.append(lane.event(f"u{number // 60}", text="x" * size, loud=True))
            if number % 60 == 55:
                records.append(lane.record(INPUTS, "partition:0", encode_message(Tick(timers=True))))
        lane.come(records)
        assert any(batch.rest for batch in lane.batches) == (size > 1)
        counts = lane.core.statistics.take()
        found.append([
            counts.events, counts.entered, counts.ended, counts.lateness,
            [lane.customer(f"u{n}").version for n in range(7)],
            [lane.customer(f"u{n}").ordinals for n in range(7)],
            [[stands.due for one in lane.customer(f"u{n}").instances for stands in one.standing] for n in range(7)],
        ])  # fmt: skip
    assert found[0] == found[1]
    assert found[0][3], "no timer acted"


def test_what_was_due_in_a_try_that_was_taken_back_is_due_still(lane: Lane) -> None:
    lane.come([lane.event("ben", text="", loud=True)])
    lane.next[INPUTS] += 100  # ten seconds later
    tick = lane.record(INPUTS, "partition:0", encode_message(Tick(timers=True)))
    lane.come([tick, *(lane.event("amy", text="x" * 30_000, loud=True) for _ in range(100))])
    assert any(batch.rest for batch in lane.batches)
    assert lane.customer("ben").instances == [], "his rest is over"


def test_the_rest_waits_until_all_before_is_committed(lane: Lane) -> None:
    """Records that come meanwhile are the shell's to hold back; those that are kept go first."""
    records = [lane.event("amy", text=f"{n}" + "x" * 10_000, loud=True) for n in range(300)]
    first = lane.core.process(0, records, START)
    assert 0 < first.rest < 300
    assert first.offsets == {WEB: 300 - first.rest}
    lane.take(first)
    rest = first.rest
    while rest:
        batch = lane.core.process(0, (), START)
        assert batch.rest < rest, "it goes on"
        rest = batch.rest
        lane.take(batch)
    assert lane.committed[WEB] == 300


# A customer of whom too much is known.


def fill(lane: Lane, who: str) -> None:
    for number in range(30):
        lane.come([lane.event(who, word=f"{number} " + "x" * 50_000, loud=False)])


def test_a_full_customer_takes_nothing_more_in_and_nobody_else_is_harmed(lane: Lane) -> None:
    fill(lane, "amy")
    refused = lane.reasons()["record_full"]
    assert 0 < refused < 20
    assert len(lane.table[node_key("default", "user_id:amy")]) < FULL + 70_000
    lane.come([lane.event("ben", text="hello", loud=True), lane.event("amy", text="hello", loud=True)])
    assert len(lane.sent(EMITTED)) == 1
    assert lane.reasons() == {"record_full": refused + 1}


def test_a_full_customer_is_known_as_such_after_a_restart(lane: Lane, program: Program) -> None:
    fill(lane, "amy")
    again = Lane(program)
    again.table, again.next, again.committed = lane.table, lane.next, lane.committed
    again.take(again.core.assigned(0, again.table, again.committed, START))
    again.come([again.event("amy", text="hello", loud=True)])
    assert (again.reasons(), again.sent(EMITTED)) == ({"record_full": 1}, [])


def test_what_a_full_customer_took_in_before_is_a_duplicate_when_it_is_read_again(lane: Lane) -> None:
    first = lane.event("amy", text="0", loud=False)
    lane.come([first])
    fill(lane, "amy")
    before = lane.reasons()
    lane.come([Record(WEB, 0, lane.next[WEB], first.timestamp, first.key, first.value)])
    assert lane.reasons() == before


def test_consent_counts_for_a_full_customer_too(lane: Lane) -> None:
    fill(lane, "amy")
    before = lane.reasons()
    lane.come([lane.event("amy", "signed_up")])
    assert lane.customer("amy").consents
    assert lane.reasons() == before


# What raises.


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine has a defect: it raises where an event says `poison`, having changed the customer by half."""
    honest = Engine.event

    def event(self: Engine, work: Work, customer: Customer, event: Event, links: list[str]) -> None:
        honest(self, work, customer, event, links)
        if event.data.get("text") == "poison":
            raise ZeroDivisionError

    monkeypatch.setattr(Engine, "event", event)


@pytest.mark.usefixtures("poison")
@pytest.mark.parametrize("place", [0, 1, 150, 298, 299])
def test_an_event_that_raises_goes_to_dead_letter_and_the_others_count(lane: Lane, place: int) -> None:
    records = [lane.event(f"u{n % 9}", text=f"{n}", loud=True) for n in range(299)]
    tick = lane.record(INPUTS, "partition:0", encode_message(Tick(timers=True)))
    poisoned = lane.event("u1", text="poison", loud=True)
    records.insert(place, Record(WEB, 0, poisoned.offset, records[0].timestamp, poisoned.key, poisoned.value))
    lane.come([*records[:100], tick, *records[100:]])
    assert len(lane.sent(EMITTED)) == 299
    [letter] = lane.sent(DEAD_LETTER)
    assert (letter.key, letter.value) == (poisoned.key, poisoned.value)
    assert lane.reasons() == {"failed": 1}
    counts = lane.core.statistics.take()
    assert counts.events["seen", "applied"] == 299
    [failed] = counts.failed
    assert failed[:4] == (WEB, 0, poisoned.offset, "ZeroDivisionError")
    assert failed.place.startswith("test_core_set_aside.py:")
    assert sum(lane.customer(f"u{n}").version for n in range(9)) == 299


@pytest.mark.usefixtures("poison")
def test_many_that_raise_end_the_worker(lane: Lane) -> None:
    """A defect that strikes everybody is no reason to empty the topic: the worker ends, and the events wait."""
    records = [lane.event(f"u{n}", text="poison", loud=True) for n in range(MOST_FAILED + 1)]
    with pytest.raises(ZeroDivisionError):
        lane.come(records)
    assert lane.reasons() == {"failed": MOST_FAILED}
    assert lane.committed == {WEB: MOST_FAILED}


@pytest.mark.usefixtures("poison")
def test_few_among_thousands_do_not(lane: Lane) -> None:
    for _ in range(MOST_FAILED * 2):
        good = [lane.event(f"u{n % 50}", text="", loud=False) for n in range(1_000)]
        lane.come([*good, lane.event("u1", text="poison", loud=True)])
    assert lane.reasons() == {"failed": MOST_FAILED * 2}


def _raises(problem: type[Exception]) -> Callable[..., None]:
    def raises(*_: Any) -> None:
        raise problem

    return raises


def test_a_message_between_nodes_is_never_left_out(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be a customer in it."""
    monkeypatch.setattr("orchestrator.stream.lane.step.handle", _raises(ZeroDivisionError))
    link = Link("user_id:amy", "email:a", "email:a", strong=True, time=START, hops=0, members=[])
    message = lane.record(INPUTS, "user_id:amy", encode_message(link))
    with pytest.raises(ZeroDivisionError):
        lane.come([lane.event("amy", text="", loud=False), message])
    assert lane.reasons() == {}


@pytest.mark.parametrize("problem", [MissingReleaseError, MemoryError])
def test_what_is_wrong_with_the_worker_ends_it(
    lane: Lane, monkeypatch: pytest.MonkeyPatch, problem: type[Exception]
) -> None:
    monkeypatch.setattr(Engine, "event", _raises(problem))
    with pytest.raises(problem):
        lane.come([lane.event("amy", text="", loud=False)])
