"""What cannot be taken in goes to dead-letter with its bytes, the reason and its place; nothing else is harmed."""

from typing import Any

import msgspec
import pytest

from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer
from orchestrator.model.lines import lines_of
from orchestrator.model.message import Shown, encode_message
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Batch, Record

START = 1_772_442_000_000
HOUSE = b"""
channels: all
define: {web: {sends: pull}, stock: {sends: "no"}}
---
events: all
define: {seen: {channel: [web]}, began: {channel: [web]}, level: {channel: [stock], for: brand}}
---
facts: stock
key: event.sku
on: [level]
set: {qty: event.qty}
---
traits: all
define: {views: {count: "true", on: seen}, tags: {set: item, each: event.tags, on: seen}}
---
scenario: watches_what_is_seen
entry: {on: began}
goal: {on: seen, where: event.n == 7}
steps: [{id: rest, delay: {for: 1d}}]
"""
SCHEMAS = EventSchemas.from_topics([
    {"topic": "channel.web", "events": {"seen": {"properties": {
        "page": {"type": "string"}, "seconds": {"type": "number"}, "n": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
    }}, "began": {"properties": {"page": {"type": "string"}}, "required": ["page"]}}},
    {"topic": "channel.stock", "events": {"level": {"properties": {
        "sku": {"type": "string"}, "qty": {"type": "integer"},
    }}}},
])  # fmt: skip
GOOD = {"id": "good", "source": "shop", "type": "seen", "data": {"user_id": "amy", "page": "/x"}}
KEY = b"default/user_id:amy"


@pytest.fixture(scope="module")
def program() -> Program:
    bundle = load_bundle({"house.yaml": HOUSE}, SCHEMAS).bundle
    assert bundle is not None
    return build_program(bundle)


class Lane:
    """One partition, by hand."""

    def __init__(self, program: Program) -> None:
        self.table: dict[bytes, bytes] = {}
        self.core = CustomerCore(program, Facts(program.base_facts), ("channel.web", "channel.stock"), 1)
        self.take(self.core.assigned(0, self.table, {}, START))
        self.offset = 100

    def take(self, batch: Batch) -> Batch:
        for key, value in batch.changelog:
            assert value is not None
            self.table[key] = value
        return batch

    def record(self, value: bytes | None, key: bytes | None = KEY, topic: str = "channel.web") -> Record:
        self.offset += 1
        return Record(topic, 0, self.offset, START, key, value)

    def come(self, *records: Record) -> Batch:
        return self.take(self.core.process(0, records, START + 7))

    def views(self, name: bytes = KEY) -> int:
        value = self.table.get(name)
        body = decode_node(value).body if value is not None else None
        return len(lines_of(body.timeline)) if isinstance(body, Customer) else 0


@pytest.fixture
def lane(program: Program) -> Lane:
    return Lane(program)


def event(**changes: Any) -> bytes:
    return msgspec.json.encode({**GOOD, **changes})


def data(**properties: Any) -> bytes:
    return event(data={"user_id": "amy", **properties})


FRACTIONS = [0.1] * 9_000
"""Longer as MessagePack than it is as JSON, and than a line of the timeline may be."""
BEYOND = 1 << 64
DEEP = b'{"id":"e","source":"s","type":"seen","data":{"user_id":"amy","a":' + b"[" * 30_000 + b"]" * 30_000 + b"}}"
BAD = {
    "nothing at all": (b"", "undecodable"),
    "no value": (None, "undecodable"),
    "no json": (b"hello", "undecodable"),
    "no object": (b"[]", "undecodable"),
    "broken utf-8": (event().replace(b"/x", b"\xff\xfe"), "undecodable"),
    "NaN": (event().replace(b'"/x"', b"NaN"), "undecodable"),
    "infinity": (event().replace(b'"/x"', b"1e999"), "undecodable"),
    "deep nesting": (DEEP, "undecodable"),
    "one level of nesting too many": (data(a=[[[[[[[[[1]]]]]]]]]), "undecodable"),
    "an integer that 64 bits do not hold": (data(a=BEYOND), "undecodable"),
    "a long integer deep inside": (data(a=[{"b": [{"c": -BEYOND}]}]), "undecodable"),
    "no type": (event(type=None), "undecodable"),
    "an empty type": (event(type=""), "undecodable"),
    "no id": (msgspec.json.encode({k: v for k, v in GOOD.items() if k != "id"}), "undecodable"),
    "no data": (event(data=None), "undecodable"),
    "a time without a zone": (event(time="2026-03-02T08:15:00"), "undecodable"),
    "1 MB of properties": (data(page="x" * 1_000_000), "too_large"),
    "one byte too many": (data(page="x" * (65_537 - len(data(page="")))), "too_large"),
    "no identifier": (event(data={"page": "/x"}), "no_identifier"),
    "an empty identifier": (event(data={"user_id": ""}), "no_identifier"),
    "an identifier that is a list": (event(data={"user_id": ["amy"]}), "bad_property"),
    "an identifier that is true": (event(data={"user_id": True}), "bad_property"),
    "an identifier without end": (event(data={"user_id": "x" * 257}), "bad_property"),
    "a time in the future": (event(time="2026-03-02T09:05:00.001Z"), "future_time"),
    "a time before time began": (event(time="1969-12-31T23:59:59Z"), "bad_property"),
    "a text where a number belongs": (data(seconds="long"), "bad_property"),
    "a fraction where a whole number belongs": (data(n=1.5), "bad_property"),
    "true where a number belongs": (data(n=True), "bad_property"),
    "a number where a text belongs": (data(page=7), "bad_property"),
    "a text where a list belongs": (data(tags="a"), "bad_property"),
    "without what is required": (event(type="began", data={"user_id": "amy"}), "missing_property"),
    "null where a text is required": (event(type="began", data={"user_id": "amy", "page": None}), "missing_property"),
    "another tenant": (event(tenant="acme"), "unknown_tenant"),
    "an empty tenant": (event(tenant=""), "unknown_tenant"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_goes_to_dead_letter_with_its_bytes_reason_and_place(lane: Lane, case: str) -> None:
    raw, reason = BAD[case]
    record = lane.record(raw)
    batch = lane.come(record)
    [letter] = batch.sends
    assert (letter.topic, letter.key, letter.value) == ("dead-letter", KEY, raw or b"")
    assert dict(letter.headers) == {
        "reason": reason.encode(), "topic": b"channel.web", "partition": b"0", "offset": b"101",
        "at": str(START + 7).encode(),
    }  # fmt: skip
    assert (batch.changelog, batch.offsets) == ([], {"channel.web": record.offset + 1})
    assert lane.core.statistics.dead_letters == {reason: 1}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_harms_nothing_else_of_its_batch(lane: Lane, case: str) -> None:
    batch = lane.come(lane.record(event(id="a")), lane.record(BAD[case][0]), lane.record(event(id="b")))
    assert (lane.views(), len(batch.sends)) == (2, 1)


NO_FAULT = {
    "a null key": (event(), None),
    "the key of somebody else": (event(), b"default/user_id:ben"),
    "a key that is no text": (event(), b"\xff\xfe"),
    "a key of no shape": (event(), b"amy"),
    "no time": (event(), KEY),
    "a time five minutes ahead": (event(time="2026-03-02T09:05:00Z"), KEY),
    "the very first moment": (event(time="1970-01-01T00:00:00Z"), KEY),
    "a type that nobody declared": (event(type="never_heard_of"), KEY),
    "a property that nobody declared": (data(colour={"deep": [1, {"er": None}]}), KEY),
    "a declared property that is null": (data(seconds=None, tags=None), KEY),
    "a whole number where a fraction may be": (data(seconds=5), KEY),
    "a number as identifier": (event(data={"user_id": "amy", "anonymous_id": 7}), KEY),
    "an empty shared identifier": (data(anonymous_id=""), KEY),
    "as deeply nested as allowed": (data(a=[[[[[[[[1]]]]]]]]), KEY),
    "the longest integers": (data(a=[(1 << 63) - 1, -(1 << 63)]), KEY),
    "a list where a set of texts wants a text": (data(tags=[["a"], {"b": "c"}]), KEY),
    "more fractions than a line of the timeline holds": (data(a=FRACTIONS), KEY),
    "exactly as large as allowed": (data(page="x" * (65_536 - len(data(page="")))), KEY),
}


@pytest.mark.parametrize("case", NO_FAULT)
def test_what_is_no_fault(lane: Lane, case: str) -> None:
    raw, key = NO_FAULT[case]
    batch = lane.come(lane.record(raw, key))
    assert [send for send in batch.sends if send.topic == "dead-letter"] == []
    assert lane.views() == 1


SHOWN = encode_message(Shown("user_id:amy", START, {"slot": "HERE"}, "shown-1"))
DEEP_MESSAGE = SHOWN.replace(msgspec.msgpack.encode("HERE"), b"\x91" * 100_000 + b"\xc0")


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xc1", b"hello", msgspec.msgpack.encode(["link"]), msgspec.msgpack.encode(["no", 1]), DEEP_MESSAGE],
    ids=["nothing", "no value", "text", "half a message", "another", "deep nesting"],
)
def test_a_message_between_nodes_that_is_none_goes_to_dead_letter(lane: Lane, raw: bytes) -> None:
    batch = lane.come(lane.record(raw, topic="customer.inputs"), lane.record(event()))
    [letter] = batch.sends
    assert dict(letter.headers)["reason"] == b"undecodable"
    assert lane.views() == 1


STRANGERS = [
    (None, b"undecodable"),
    (b"amy", b"undecodable"),
    (b"\xff/a:b", b"undecodable"),
    (b"acme/user_id:amy", b"unknown_tenant"),
]


@pytest.mark.parametrize(("key", "reason"), STRANGERS)
def test_a_message_for_no_node_of_ours_goes_to_dead_letter(lane: Lane, key: bytes | None, reason: bytes) -> None:
    raw = msgspec.msgpack.encode(["home", "user_id:amy", 1, "user_id:amy"])
    batch = lane.come(lane.record(raw, key, "customer.inputs"))
    assert [dict(letter.headers)["reason"] for letter in batch.sends] == [reason]


def test_a_brand_event_that_does_not_say_which_row_goes_to_dead_letter(lane: Lane) -> None:
    bad = msgspec.json.encode({"id": "l1", "source": "erp", "type": "level", "data": {"qty": 3}})
    [letter] = lane.come(lane.record(bad, None, "channel.stock")).sends
    assert dict(letter.headers)["reason"] == b"bad_property"


def test_dead_letters_hold_no_text_of_ours_that_names_anybody(lane: Lane) -> None:
    [letter] = lane.come(lane.record(event(data={"user_id": ["amy@example.com"]}))).sends
    assert b"amy@example.com" not in b"".join(value for _, value in letter.headers)


def test_the_same_bad_record_again_is_the_same_dead_letter(program: Program) -> None:
    """After a crash: bytes, reason and place are the same, so whoever reads dead-letter can tell a repetition."""
    letters = [lane.come(lane.record(b"hello")).sends[0] for lane in (Lane(program), Lane(program))]
    assert letters[0] == letters[1]
