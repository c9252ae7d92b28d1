"""A node as bytes: what recovery reads of it without decoding, and what later releases must still read."""

import msgspec
import pytest

from orchestrator.model import codec
from orchestrator.model.codec import (
    UnknownVersionError,
    decode_head,
    decode_node,
    decode_outbox,
    encode_node,
    writer_of,
)
from orchestrator.model.customer import (
    IN,
    Body,
    Customer,
    Entry,
    FactRow,
    Instance,
    Member,
    Node,
    PartitionState,
    Reference,
    Standing,
    packed,
)

AMY = Customer(
    person="p1",
    born=5,
    now=9,
    family={"email:amy@example.com": Member(0, IN, 5)},
    instances=[
        Instance("cart", 1, "", 1, "p1", 5, 5, packed({"data": {}, "meta": {}}), [Standing("wait", 5, 99)], ends_at=200)
    ],
)
ENTRY = Entry("channel.web", 7, "actions", b"p1", b"{}")


@pytest.mark.parametrize(
    "body",
    [
        None,
        AMY,
        FactRow({"qty": 4}, {"row": 5}),
        Reference("email:amy@example.com", [(5, b"raw")]),
        PartitionState(3, "r1"),
    ],
)
def test_a_node_comes_back_as_it_was(body: Body | None) -> None:
    node = Node("user_id:u-amy", 2, body, [ENTRY], {"channel.web": 7})
    value = encode_node(node, 3, 99, "stock/X1\nprice")
    assert decode_node(value) == node
    assert decode_outbox(value) == [ENTRY]


def test_the_head_says_what_recovery_needs() -> None:
    head = decode_head(
        encode_node(Node(body=AMY, outbox=[ENTRY]), 4_000_000_000, 1_772_000_000_000, "price\nstock/Käse")
    )
    assert head == codec.Head(4_000_000_000, 1_772_000_000_000, True, ("price", "stock/Käse"))
    assert decode_head(encode_node(Node(), 1, 0)) == codec.Head(1, 0, False, ())
    assert writer_of(encode_node(Node(), 4_000_000_000, 5)) == 4_000_000_000


def test_the_head_is_read_without_the_customer() -> None:
    value = encode_node(Node(body=AMY), 1, 99, "price")
    assert decode_head(value[: -len(value) // 2]).due == 99


def test_a_newer_value_is_refused_and_not_guessed_at() -> None:
    value = bytes([codec.VERSION + 1]) + encode_node(Node(body=AMY), 1, 0)[1:]
    with pytest.raises(UnknownVersionError, match="needs a newer worker"):
        decode_node(value)
    with pytest.raises(UnknownVersionError):
        decode_head(value)
    with pytest.raises(UnknownVersionError):
        decode_outbox(value)


def test_a_value_of_an_earlier_release_is_readable() -> None:
    """Fields that came later have their defaults: here a customer written with the first four fields only."""
    node = [None, 3, [1, "p1", 5, 9, 2]]
    value = encode_node(Node(), 1, 0)[:16] + msgspec.msgpack.encode(node)
    read = decode_node(value)
    assert isinstance(read.body, Customer)
    assert (read.epoch, read.body.person, read.body.version, read.body.traits, read.outbox) == (3, "p1", 2, {}, [])
    assert decode_outbox(value) == []


def test_a_value_of_today_stays_readable() -> None:
    """Pinned bytes: whoever moves a field or changes the head breaks what stands in every changelog."""
    pinned = bytes.fromhex(
        "01010000000700000000000000630005707269636595c000dc001c01a2703105090081b5656d61696c3a616d79406578"
        "616d706c652e636f6d9300010580808090808091dc0010a46361727401a001a27031050582a46461746180a46d657461"
        "809195a4776169740563c0a0a46c697665ccc880808000a08090808090c4009080808080808080c4009196ab6368616e"
        "6e656c2e77656207a7616374696f6e73c4027031c4027b7dc080"
    )
    assert decode_node(pinned) == Node(body=AMY, outbox=[ENTRY])
    assert decode_outbox(pinned) == [ENTRY]
    assert decode_head(pinned) == codec.Head(7, 99, True, ("price",))


def test_fields_are_added_at_the_end_with_a_default() -> None:
    """A field without a default could not be read from a value that was written before it came."""
    required = {field.name for field in msgspec.structs.fields(Customer) if field.required}
    assert required == set()
    assert [field.name for field in msgspec.structs.fields(Customer)][:6] == [
        "person",
        "born",
        "now",
        "version",
        "family",
        "window",
    ]
