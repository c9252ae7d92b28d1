"""`stop_when`: too many messages of a scenario meet what they must not, and it stops for everybody."""

from __future__ import annotations

from play import D, H, M, Play, program_of

from orchestrator.engine import breaker
from orchestrator.model.customer import Breaker
from orchestrator.model.effect import Note
from orchestrator.model.ids import node_key
from orchestrator.model.message import Counted, Reopen, encode_message

STORY = """
scenario: promo
entry: {on: seen, re_entry: always}
exit: {on: returned, reason: returned}
stop_when: {on: told, over: 20%, in: 24h, at_least: 4}
steps:
  - {id: mail, send: {content: em.promo, channel: email}}
  - {id: wait, delay: {for: 2h}}
  - {id: second, send: {content: em.second, channel: email}}
---
content: em.promo
class: CLASS
variants: {email: {subject: Hello, body: Hello}}
---
content: em.second
class: service
variants: {email: {subject: Again, body: Again}}
"""
MARKETING = STORY.replace("CLASS", "marketing")


def play(story: str = MARKETING, partitions: int = 3) -> Play:
    return Play(story, partitions=partitions)


def greet(shop: Play, *numbers: int, at: int = 0) -> None:
    """Customers allow marketing and look around, and so are written to."""
    for number in numbers:
        who = f"email:c{number}@example.com"
        shop.comes("told", at, who, word="yes", value="email")
        shop.comes("seen", at, who)


def complain(shop: Play, *numbers: int, at: int) -> None:
    for number in numbers:
        shop.comes("told", at, f"email:c{number}@example.com")


def stopped(shop: Play) -> dict[str, object]:
    return shop.world.facts.row(breaker.FACT, "promo")


def reopen(shop: Play, at: int) -> None:
    node = breaker.breaker_node("promo")
    shop.world.arrive(
        "customer.inputs",
        node_key("default", node),
        encode_message(Reopen(node, shop.world.now + at)),
        shop.world.now + at,
    )


def test_too_many_complaints_close_entries_and_suppress_marketing_for_everybody() -> None:
    shop = play()
    greet(shop, 1, 2, 3, 4, 5)
    complain(shop, 1, at=M)
    assert not stopped(shop), "one of five is not more than 20%"
    complain(shop, 2, at=2 * M)
    assert stopped(shop) == {"at": shop.world.now, "sent": 5, "met": 2}
    before = len(shop.actions)
    greet(shop, 6, at=3 * M)
    assert len(shop.actions) == before
    assert ("not_entered", "promo", "stopped") in shop.told("not_entered")


def test_what_is_under_way_is_suppressed_where_it_is_marketing_and_goes_on_where_not() -> None:
    shop = play(MARKETING.replace("em.second\nclass: service", "em.second\nclass: marketing"))
    greet(shop, 1, 2, 3, 4)
    complain(shop, 1, at=M)
    shop.passes(3 * H)
    assert shop.reasons("suppressed") == ["stopped"] * 4
    assert {note.detail["met"] for note in shop.notes("suppressed")} == {1}
    assert shop.ended() == [("done", "finished")] * 4

    service = play()
    greet(service, 1, 2, 3, 4)
    complain(service, 1, at=M)
    service.passes(3 * H)
    assert [content for content, _ in service.sent].count("em.second") == 4


def test_few_messages_prove_nothing() -> None:
    shop = play()
    greet(shop, 1, 2, 3)
    complain(shop, 1, 2, 3, at=M)
    assert not stopped(shop)
    greet(shop, 4, at=2 * M)
    assert stopped(shop), "with the fourth message there are enough"


def test_a_message_counts_once_however_often_its_customer_complains() -> None:
    shop = play()
    greet(shop, *range(1, 11))
    complain(shop, *[1] * 5, at=M)
    assert not stopped(shop)


def test_messages_that_have_left_the_window_count_no_more() -> None:
    shop = play()
    greet(shop, 1, 2, 3, 4, 5)
    shop.passes(3 * H)
    complain(shop, 1, at=27 * H)
    complain(shop, 2, at=27 * H)
    assert not stopped(shop), "they complain about messages of the day before yesterday"


def test_an_event_that_names_its_message_is_about_that_message() -> None:
    story = (
        MARKETING
        + """
---
scenario: other
entry: {on: put}
steps: [{id: mail, send: {content: em.other, channel: email}}]
---
content: em.other
class: service
variants: {email: {subject: Other, body: Other}}
"""
    )
    shop = play(story.replace("on: told, over", "on: asked, over"))
    greet(shop, 1, 2, 3, 4)
    for number in (1, 2):
        shop.comes("put", M, f"email:c{number}@example.com", sku="x", qty=1, cart="c")
    shop.comes("asked", 2 * M, "email:c1@example.com", text="stop")
    assert not stopped(shop), "its newest message is another scenario's"
    shop.comes("asked", 3 * M, "email:c2@example.com", text="stop", message="em.promo")
    assert stopped(shop)


def test_a_person_reopens_it_and_counting_begins_anew() -> None:
    shop = play()
    greet(shop, 1, 2, 3, 4)
    complain(shop, 1, at=M)
    assert stopped(shop)
    reopen(shop, at=M)
    assert not stopped(shop)
    complain(shop, 2, 3, at=3 * M)
    greet(shop, 5, 6, 7, 8, at=4 * M)
    assert not stopped(shop), "complaints about messages from before do not count"
    assert [content for content, _ in shop.sent].count("em.promo") == 8


def test_no_stop_when_costs_no_message() -> None:
    without = play(MARKETING.replace("stop_when: {on: told, over: 20%, in: 24h, at_least: 4}\n", ""))
    greet(without, 1)
    assert without.program.event_plan("told", "web").stops == frozenset()
    node = without.world.node(breaker.breaker_node("promo"))
    assert node.body is None


def test_the_count_is_the_same_whatever_the_order_and_the_number_of_partitions() -> None:
    rule = program_of(MARKETING).scenarios["promo"].document.stop_when
    assert rule is not None
    told = [Counted("n", at, id=str(at)) for at in range(0, 2 * D, H)]
    told += [Counted("n", at, met=True, id=str(at)) for at in range(0, 2 * D, 5 * H)]
    one, other = Breaker(), Breaker()
    for counted in (*told, *told):
        breaker.count(one, counted, rule, 2 * D)
    for counted in reversed(told):
        breaker.count(other, counted, rule, 2 * D)
    assert one.parts == other.parts
    assert sum(sent for _, sent, _ in one.parts) in {23, 24}
    assert len(one.parts) <= breaker.PARTS + 1


def test_it_trips_once() -> None:
    rule = program_of(MARKETING).scenarios["promo"].document.stop_when
    assert rule is not None
    body, notes = Breaker(), list[Note]()
    rows = []
    for number, met in enumerate((False, False, False, False, True, True)):
        breaker.count(body, Counted("n", 5, met=met, id=str(number)), rule, 10)
        rows.append(breaker.trip(body, rule, "promo", "default", 10, notes))
    assert [row is not None for row in rows] == [False] * 4 + [True, False]
    assert [note.detail for note in notes] == [{"sent": 4, "met": 1}]
