"""A customer's record: the parts that stand in it as bytes read like any other."""

import msgspec
import pytest

from orchestrator.model.codec import decode_node, encode_node
from orchestrator.model.customer import Contact, Customer, Instance, Node, packed
from orchestrator.model.message import Absorb, Link, decode_message, encode_message

SENT = tuple(Contact(at, f"a{at}", "em.hello", "email", "service", "", "em.hello", "hello") for at in (1, 2, 3))
ENTRY = {"data": {"page": "/lumo", "sizes": [1, 2]}, "meta": {"id": "e1", "time": 5}}


def customer() -> Customer:
    made = Customer(instances=[Instance("hello", 1, "", 1, "p1", 5, 5, packed(ENTRY), [])])
    made.contacts = SENT
    return made


def test_messages_sent_and_entries_read_as_they_were_set() -> None:
    assert Customer().contacts == ()
    assert customer().contacts == SENT
    assert customer().instances[0].entry == ENTRY


def test_they_are_the_same_after_a_journey_through_the_changelog_and_through_a_parcel() -> None:
    read = decode_node(encode_node(Node(body=customer()), 1, 0)).body
    moved = decode_message(encode_message(Absorb("b", "a", 1, customer(), Link("b", "a", "a", False, 1))))
    assert isinstance(moved, Absorb)
    for one in (read, moved.customer):
        assert isinstance(one, Customer)
        assert (one.contacts, one.instances[0].entry) == (SENT, ENTRY)


def test_two_customers_read_in_turn_are_not_mixed_up() -> None:
    one, other = customer(), customer()
    other.contacts = SENT[:1]
    assert [one.contacts, other.contacts, one.contacts] == [SENT, SENT[:1], SENT]


def test_a_message_is_changed_by_its_id_and_the_others_are_not() -> None:
    changed = customer()
    changed.change_contact("a2", settled="delivered")
    changed.change_contact("nobody's", settled="bounced")
    assert [one.settled for one in changed.contacts] == ["", "delivered", ""]
    assert [one.settled for one in SENT] == ["", "", ""]


def test_a_message_cannot_be_changed_where_the_change_would_be_lost() -> None:
    with pytest.raises(AttributeError):
        customer().contacts[0].settled = "delivered"  # type: ignore[misc]


def test_a_part_that_is_kept_does_not_keep_the_bytes_that_it_was_read_from() -> None:
    value = bytearray(msgspec.msgpack.encode(customer()))
    read = msgspec.msgpack.decode(value, type=Customer)
    read.detach()
    value[:] = bytes(len(value))
    assert (read.contacts, read.instances[0].entry) == (SENT, ENTRY)
