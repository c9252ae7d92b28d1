"""What identity commands make of nodes: a person, the conflicts, whom a split keeps apart, and how it is shown."""

from __future__ import annotations

import msgspec
import pytest
from rich.console import Console

from orchestrator.cli.people import Conflict, Person, apart_of, as_plain, conflicts_of, is_apart, person_of
from orchestrator.cli.people_report import conflict_table, person_tree
from orchestrator.engine.identity.marks import FOREVER
from orchestrator.engine.identity.rules import IdentityRules
from orchestrator.model import ring
from orchestrator.model.customer import IN, OUT, Customer, Member, Node
from orchestrator.model.lines import IdentityStep, step_bytes

RULES = IdentityRules(("user_id", "email"), ("anonymous_id",))
USER, EMAIL, BROWSER, OLD = "user_id:u1", "email:amy@example.com", "anonymous_id:[b1]", "anonymous_id:old"
NOW = 1_772_442_000_000
JOINED = IdentityStep("joined", (EMAIL, BROWSER), (EMAIL, USER), "seen", "order_placed", "e-7", NOW - 50)
LEFT = IdentityStep("left", (OLD,), (), "reset")
CONFLICT = IdentityStep("conflict", (EMAIL, "user_id:u2"), (), "user_id", "login", "e-9", NOW - 5)


def home() -> Node:
    customer = Customer(
        person="p-new", born=NOW - 900, persons=["p-old"], rivals={"user_id:u2": FOREVER, "email:x": NOW - 1}
    )
    customer.family = {
        BROWSER: Member(2, IN, NOW - 40), USER: Member(0, IN, 0), EMAIL: Member(1, IN, 0), OLD: Member(3, OUT, NOW - 8),
    }  # fmt: skip
    customer.window = {USER: b"12345678" * 3}
    steps = [(NOW - 45, JOINED), (NOW - 8, LEFT), (NOW - 4, CONFLICT)]
    customer.steps = ring.pack([(at, step_bytes(step)) for at, step in steps], 48)
    return Node(body=customer)


@pytest.fixture
def person() -> Person:
    known = {EMAIL: Node(to=USER, epoch=1), BROWSER: Node(to=USER, epoch=2, body=Customer())}
    found = person_of(USER, home(), known, RULES, NOW)
    assert found is not None
    return found


def shown(renderable: object) -> str:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(renderable)
    return console.export_text()


def test_every_identifier_is_told_with_its_place_and_the_evidence(person: Person) -> None:
    assert [(one.node, one.kind, one.place) for one in person.identifiers] == [
        (USER, "unique", "home"), (EMAIL, "unique", "settled"), (BROWSER, "shared", "moving"),
    ]  # fmt: skip
    user, email, _ = person.identifiers
    assert (email.joined_at, email.by, email.event, email.time) == (
        NOW - 45,
        (EMAIL, USER),
        "order_placed e-7",
        NOW - 50,
    )
    assert (user.joined_at, user.window) == (0, 3)


def test_who_left_who_is_kept_apart_and_what_was_refused(person: Person) -> None:
    assert person.gone == ((OLD, NOW - 8, "reset"),)
    assert person.rivals == (("user_id:u2", None),), "neither whose day is over, nor who is in"
    assert [step for _, step in person.conflicts] == [CONFLICT]
    assert person.earlier == ("p-old",)


def test_the_tree_and_the_json_tell_the_same_and_take_no_value_for_markup(person: Person) -> None:
    tree = shown(person_tree(person, BROWSER))
    for words in (
        BROWSER,
        "evidence: email:amy@example.com and user_id:u1 in order_placed e-7",
        "logged out, or replaced",
        "for good",
        "one person may not have so many user_id",
        "moving, still keeps its history ←",
    ):
        assert words in tree
    plain = msgspec.json.decode(msgspec.json.encode(as_plain(person)))
    assert [one["identifier"] for one in plain["identifiers"]] == [USER, EMAIL, BROWSER]
    assert (plain["rivals"], plain["moving_to"]) == ([{"identifier": "user_id:u2", "until": None}], None)


def test_no_conflict_is_said_in_words() -> None:
    assert shown(conflict_table([])).strip() == "No identifiers are kept apart."


def test_a_conflict_that_both_sides_remember_is_listed_once() -> None:
    other = Customer(steps=ring.pack([(NOW - 3, step_bytes(CONFLICT))], 48))
    forward = Node(to=USER)
    [found] = conflicts_of([(USER, home()), ("user_id:u2", Node(body=other)), (EMAIL, forward)])
    assert found == Conflict(NOW - 3, CONFLICT.nodes, "user_id", "login e-9", "user_id:u2")
    assert "so many user_id" in shown(conflict_table([found]))


def test_a_split_keeps_who_leaves_and_the_unique_names_of_who_stays_apart() -> None:
    assert apart_of(home(), RULES, [EMAIL]) == [EMAIL, USER]
    assert apart_of(home(), RULES, []) == [USER, EMAIL]


def test_an_identifier_is_apart_once_its_own_node_says_so() -> None:
    alone = Customer(family={EMAIL: Member(1, IN, 0), USER: Member(0, OUT, 0)})
    assert is_apart(EMAIL, Node(epoch=1, body=alone), USER)
    assert not is_apart(EMAIL, Node(to=USER, epoch=1), USER)
    assert not is_apart(EMAIL, None, USER)
    assert person_of(EMAIL, Node(to=USER), {}, RULES, NOW) is None
