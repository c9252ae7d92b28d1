"""Two customers become one: every part of both records, and what was under way in either half."""

from typing import Any

import msgspec
import pytest
from play import START, D, H, M, Play, S

from orchestrator.engine.identity.merge import TOKENS_KEPT, join_customers
from orchestrator.engine.identity.references import REFERENCES_KEPT
from orchestrator.model import ring
from orchestrator.model.customer import (
    IN,
    NOTHING_SENT,
    Contact,
    Customer,
    Instance,
    Member,
    Reference,
    Standing,
    Task,
    Thread,
    Waiting,
    packed,
)
from orchestrator.model.ids import node_key
from orchestrator.model.message import Erase, encode_message

HELLO = "content: hello\nclass: marketing\npurpose: product\nvariants: {email: {subject: hi, body: hello}}\n"
MAIL = """  - {id: mail, send: {content: hello, channel: email, to: '"a@example.com"'}}"""
BROWSER = "anonymous_id:a1"


class NoTraits:
    """Traits whose joining is tested elsewhere."""

    @staticmethod
    def join(one: dict[str, bytes], other: dict[str, bytes]) -> dict[str, bytes]:
        return {**other, **one}


def tale(steps: str, entry: str = "{on: seen}", name: str = "tale") -> str:
    return f"scenario: {name}\nentry: {entry}\nsteps:\n{steps}\n"


def meet(play: Play, at: int) -> None:
    play.comes("quiet_word", at, f"user_id:amy {BROWSER}")


FULL: dict[str, Any] = {
    "person": "p1", "born": 5, "now": 6, "version": 7,
    "family": {"email:e1": Member(1, IN, 3)}, "window": {"email:e1": b"12345678"},
    "wiped": {"email:e1": 2}, "rivals": {"email:e2": 9}, "persons": ["p0"], "traits": {"spent": b"x"},
    "consents": {"email/product": (4, True, "")}, "ordinals": {"tale\n": (1, 4)}, "history": {"seen": [1]},
    "instances": [Instance("tale", 1, "", 1, "p1", 4, 4, msgspec.Raw(b"\x80"), [Standing("wait", 4, 90)])],
    "packed_contacts": packed((Contact(4, "c1", "hello", "email", "service", "", "", "tale", person="p1"),)),
    "threads": {"q1": Thread("q1", 2)}, "tasks": [Task("t1", "care", "a", 4, 90, "tale", "", 1, "call")],
    "timeline": ring.pack([(4, b"line")], 5), "waiting": [Waiting(9, ["email:e3"], {})],
    "levels": {"tale": True}, "used": {"email": 4}, "matching": {"tale": (9, 1, 1)},
    "offers": {"o": {"state": "shown"}}, "pauses": {"open": 4}, "refs": {"order:1": 4}, "tokens": {"token": BROWSER},
    "decisions": ring.pack([(4, b"decision")], 5), "steps": ring.pack([(4, b"step")], 5), "erasing": {"email:e1": "x"},
}  # fmt: skip
"""A record in which nothing is left out."""


def test_the_full_record_has_every_part() -> None:
    assert set(FULL) == set(Customer.__struct_fields__), "a new part needs a rule for merges, and a value here"


@pytest.mark.parametrize("part", FULL)
def test_no_part_of_the_half_that_moves_in_is_lost(part: str) -> None:
    winner = Customer()
    came, _ = join_customers(winner, Customer(**FULL), NoTraits)
    assert came == FULL["instances"]
    found = getattr(winner, part)
    assert found == (FULL[part] + 1 if part == "version" else FULL[part])


@pytest.mark.parametrize("part", FULL)
def test_no_part_of_the_half_that_was_here_is_lost(part: str) -> None:
    winner = Customer(**FULL)
    join_customers(winner, Customer(), NoTraits)
    assert getattr(winner, part) == (FULL[part] + 1 if part == "version" else FULL[part])


def newest(time: int, id_: str, page: str) -> list[Any]:
    return [[time, id_, {"data": {"page": page}, "meta": {}}]]


def test_of_the_newest_events_of_two_halves_the_newer_one_is_kept_and_nothing_beside_it() -> None:
    for mine, theirs in ((4, 9), (9, 4)):
        winner = Customer(history={"last:seen": newest(mine, "e1", "a")})
        join_customers(winner, Customer(history={"last:seen": newest(theirs, "e2", "b")}), NoTraits)
        assert [entry[0] for entry in winner.history["last:seen"]] == [9]


def test_events_of_one_id_and_time_from_two_sources_do_not_keep_two_halves_apart() -> None:
    winner = Customer(history={"last:seen": newest(4, "e1", "a")})
    join_customers(winner, Customer(history={"last:seen": newest(4, "e1", "b")}), NoTraits)
    assert len(winner.history["last:seen"]) == 1


def test_redeemed_links_stay_bounded() -> None:
    winner = Customer(tokens={f"t{n}": BROWSER for n in range(TOKENS_KEPT)}, packed_contacts=NOTHING_SENT)
    join_customers(winner, Customer(tokens={"new": BROWSER}), NoTraits)
    assert len(winner.tokens) == TOKENS_KEPT


def test_of_a_reference_used_by_both_halves_the_first_use_counts() -> None:
    winner = Customer(refs={"order:7": 5}, packed_contacts=NOTHING_SENT)
    join_customers(winner, Customer(refs={"order:new": 9, "order:7": 1}), NoTraits)
    assert winner.refs == {"order:7": 1, "order:new": 9}


def order(play: Play, number: int, at: int, who: str = "user_id:amy") -> None:
    play.comes("bought", at, who, order=f"o{number}", total=1.0)


def owner_of(play: Play, number: int) -> str:
    body = play.world.node(f"order:o{number}").body
    assert isinstance(body, Reference)
    return body.owner


def test_a_reference_that_a_record_no_longer_knows_is_nobodys_so_that_an_erasure_reaches_all_there_are() -> None:
    play = Play()
    for number in range(REFERENCES_KEPT + 2):
        order(play, number, number * S)
    assert len(play.customer().refs) == REFERENCES_KEPT
    assert [owner_of(play, number) for number in (0, 1, 2)] == ["", "", "user_id:amy"]
    order(play, 0, 300 * S)
    assert [owner_of(play, number) for number in (0, 2)] == ["user_id:amy", ""], "used anew, it is theirs again"


def test_of_two_halves_the_newest_references_stay() -> None:
    play = Play()
    for number in range(REFERENCES_KEPT):
        order(play, number, number * S, (BROWSER if number % 2 else "user_id:amy"))
    order(play, REFERENCES_KEPT, 300 * S)
    meet(play, 301 * S)
    assert len(play.customer().refs) == REFERENCES_KEPT
    assert [owner_of(play, number) for number in (0, 1)] == ["", BROWSER]


def test_an_erasure_reaches_what_a_half_used_before_it_moved_in() -> None:
    play = Play(partitions=4)
    play.comes("bought", 0, BROWSER, order="o1", total=1.0)
    play.comes("seen", 1 * M)
    meet(play, 2 * M)
    erase = encode_message(Erase("user_id:amy", START + 3 * M, "5a" * 16))
    play.world.arrive("customer.inputs", node_key("default", "user_id:amy"), erase, START + 3 * M)
    assert not play.world.node("order:o1").body.owner  # type: ignore[union-attr]


def test_a_conversation_that_both_halves_took_part_in_has_each_turn_once() -> None:
    talk = (
        "conversation: all\nturns: [{on: asked, by: customer, text: event.text}]\nthread: [event.thread]\nopen_for: 1h"
    )
    play = Play(talk, tale("  - {id: say, emit: {event: opened}}", "{on: asked}"), partitions=4)
    play.comes("asked", 0, BROWSER, thread="q1", text="a")
    play.comes("asked", 1 * M, thread="q1", text="b")
    meet(play, 2 * M)
    play.comes("asked", 3 * M, BROWSER, thread="q1", text="c")
    thread = play.profile("threads")["q1"]
    assert (thread["turns"], [turn["text"] for turn in thread["recent"]]) == (3, ["a", "b", "c"])


def test_a_message_that_is_held_moves_along_and_leaves_once_when_its_time_has_come() -> None:
    quiet = 'policy: p\npreferred_order: [email]\nquiet_hours: [{from: "09:00", to: "11:30"}]'
    play = Play(HELLO.replace("marketing", "service"), quiet, tale(MAIL), partitions=4)
    play.comes("seen", 0, BROWSER)
    assert play.reasons("held") == ["quiet_hours"]
    meet(play, 1 * M)
    assert play.sent == []
    play.passes(3 * H)
    assert play.sent == [("hello", 90 * M)]
    assert [contact.id for contact in play.customer().contacts] == [play.actions[0].id]


def test_what_one_half_was_told_the_other_is_not_told_again() -> None:
    policy = "policy: p\npreferred_order: [email]\nredundancy: {per: topic, for: 7d, channels: [email], except: []}"
    play = Play(HELLO + "topic: news\n", policy, tale(MAIL), partitions=4)
    play.comes("told", 0, f"user_id:amy {BROWSER}", word="yes", value="email")
    play.comes("logged_out", 1 * M, BROWSER)
    play.comes("told", 2 * M, BROWSER, word="yes", value="email")
    play.comes("seen", 3 * M, BROWSER)
    assert len(play.sent) == 1
    meet(play, 4 * M)
    play.comes("seen", 5 * M)
    assert (len(play.sent), play.reasons("suppressed")) == (1, ["redundant"])


@pytest.mark.parametrize(("days", "home", "counted"), [(394, "user_id:amy", 3), (396, BROWSER, 1)])
def test_a_browser_not_seen_with_its_owner_for_13_months_is_anybodys(days: int, home: str, counted: int) -> None:
    play = Play("traits: t\ndefine: {seen: {count: 'true', on: seen}}", partitions=4)
    play.comes("seen", 0, f"user_id:amy {BROWSER}")
    play.comes("seen", 1 * M, BROWSER)
    play.comes("seen", days * D, BROWSER)
    assert play.world.root(BROWSER)[0] == home
    assert play.profile("seen", BROWSER) == counted
    play.comes("seen", days * D + M, f"user_id:amy {BROWSER}")
    assert (play.world.root(BROWSER)[0], play.profile("seen")) == ("user_id:amy", 4), (
        "until they are seen together again"
    )


def test_a_timer_moves_along_and_acts_once_at_its_time() -> None:
    steps = "  - {id: wait, delay: {for: 1h}}\n  - {id: say, emit: {event: opened}}"
    play = Play(tale(steps), partitions=4)
    play.comes("seen", 0, BROWSER)
    meet(play, 30 * M)
    play.passes(5 * H)
    assert [one.time - START for one in play.emitted] == [1 * H]
