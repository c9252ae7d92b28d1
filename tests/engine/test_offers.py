"""Offers: who may have one, at which terms, how long these hold on every channel, and what closes it."""

from typing import Any

import pytest
from play import START, D, H, M, Play

from orchestrator.engine.offers.states import OFFERS_KEPT
from orchestrator.engine.timers import earliest_due
from orchestrator.model.customer import Offered
from orchestrator.rehearsal.asking import ask, context

OFFERS = """
offer: off.ten
about: [A]
when: '!("vip" in profile.tags)'
terms: {price: price("A") * 0.5, label: '"half price"'}
valid_for: 2d
requires: stock("A") > 0
instead: off.other
redeemed: [{on: bought, where: '"A" in event.items'}]
refused: [{on: told, where: 'event.word == "no offer"'}]
cool_down: 10d
---
offer: off.other
about: [B]
terms: {price: price("B")}
redeemed: [{on: bought, where: '"B" in event.items'}]
---
traits: all
define:
  tags: {set: event.page, on: [seen]}
---
content: em.offer
class: service
offer: off.ten
with: {says: 'string(offer.price) + " " + offer.terms.label'}
variants: {email: {subject: "{{ price }}", body: "{{ says }}"}, web: {title: "{{ label }}: {{ price }}"}}
---
content: card.house
class: service
variants: {web: {title: House}}
---
slot: web.cart
candidates: [{offer: off.ten}, {content: card.house, priority: 10}]
default: none
---
slot: app.cart
candidates: [{content: em.offer}]
default: none
"""
FACTS: dict[str, dict[str, dict[str, Any]]] = {
    "stock": {"A/web": {"qty": 1}, "B/web": {"qty": 1}},
    "price": {"A": {"price": 100.0}, "B": {"price": 30.0}},
}
AMY = "user_id:amy email:amy@example.com"


def play_of(*documents: str, offers: str = OFFERS, **more: Any) -> Play:
    play = Play(offers, *documents, facts=FACTS, **more)
    play.comes("seen", who=AMY, page="p")
    return play


def asked(play: Play, slot: str = "web.cart", channel: str = "web", record: bool = True) -> dict[str, Any]:
    """A slot asked as a channel does: what it shows goes on record."""
    found: dict[str, Any] = ask(play.world, slot, ["user_id:amy"], {"channel": channel}, on_record=record)
    return found


def offered(play: Play, slot: str = "web.cart") -> str:
    """Looked at without anybody being shown it."""
    return str(asked(play, slot, record=False).get("offer", ""))


def price(play: Play, slot: str = "web.cart", record: bool = True) -> Any:
    return asked(play, slot, record=record)["values"].get("price")


def costs(play: Play, at: int, amount: float) -> None:
    """The price of A changes, as it does when a brand event has set a fact."""
    play.passes(at)
    play.world.facts.set("price", "A", {"price": amount})


def state(play: Play, offer: str = "off.ten") -> str:
    known = {one["offer"]: one for one in context(play.world, "user_id:amy")["offers"]}
    return known[offer]["state"] if offer in known else "none"


def sends(*steps: str, rest: str = "", entry: str = "{on: put}") -> str:
    lines = "".join(f"  - {step}\n" for step in steps)
    return f"scenario: tale\nentry: {entry}\n{rest}\nsteps:\n{lines}"


MAIL = "{id: mail, send: {content: em.offer, channel: email}}"
WAIT = "{id: wait, delay: {for: 60d}}"


# At which terms.


def test_an_offer_by_itself_is_its_name_and_its_terms() -> None:
    answer = asked(play_of())
    assert (answer["content"], answer["offer"]) == ("", "off.ten")
    assert answer["terms"] == answer["values"] == {"price": 50.0, "label": "half price"}
    assert answer["until"] == START + 2 * D


def test_terms_are_those_of_the_first_time_on_every_channel_until_they_end() -> None:
    play = play_of(sends(MAIL))
    assert price(play) == 50.0
    costs(play, H, 300.0)
    assert (price(play), price(play, "app.cart")) == (50.0, 50.0)
    play.comes("put", 2 * H, who=AMY, sku="x")
    assert [action.values for action in play.actions] == [
        {"price": 50.0, "label": "half price", "says": "50 half price"}
    ]


def test_a_message_promises_as_a_slot_does() -> None:
    play = play_of(sends(MAIL))
    play.comes("put", who=AMY, sku="x")
    costs(play, H, 300.0)
    assert price(play, record=False) == 50.0
    assert play.actions[0].offer == "off.ten"
    (told,) = context(play.world, "user_id:amy")["offers"]
    assert (told["state"], told["by"], told["until"]) == ("shown", "tale", START + 2 * D)


def test_what_is_only_looked_at_promises_nothing() -> None:
    play = play_of()
    assert price(play, record=False) == 50.0
    costs(play, H, 300.0)
    assert price(play, record=False) == 150.0
    assert state(play) == "none"


def test_without_valid_for_the_terms_are_those_of_now() -> None:
    play = play_of(offers=OFFERS.replace("valid_for: 2d\n", ""))
    assert price(play) == 50.0
    costs(play, H, 300.0)
    assert (price(play), state(play)) == (150.0, "shown")
    assert "until" not in asked(play)


def test_texts_and_values_of_a_content_know_the_terms() -> None:
    answer = asked(play_of(), "app.cart")
    assert answer["fields"]["title"] == "half price: 50.0"
    assert answer["values"]["says"] == "50 half price"
    assert answer["offer"] == "off.ten"


def test_a_term_that_is_unknown_closes_it() -> None:
    play = play_of(offers=OFFERS.replace('price("A") * 0.5', 'price("nothing")'), explain=True)
    assert asked(play)["content"] == "card.house"


def test_a_promised_price_is_known_to_conditions() -> None:
    told = "{id: say, emit: {event: told, with: {word: 'string(promised(\"A\"))', value: 'offer_state(\"off.ten\")'}}}"
    play = play_of(sends(told, entry="{on: put, re_entry: always}"))
    play.comes("put", who=AMY, sku="x")
    asked(play)
    costs(play, H, 300.0)
    play.comes("put", H, who=AMY, sku="x")
    costs(play, 2 * H, 20.0)
    play.comes("put", 2 * H, who=AMY, sku="x")
    assert [one.data for one in play.emitted] == [
        {"word": "100", "value": "none"}, {"word": "50", "value": "shown"}, {"word": "20", "value": "shown"},
    ]  # fmt: skip


# Who may have it.


def test_who_it_is_not_for_is_shown_something_else() -> None:
    play = play_of()
    play.comes("seen", who=AMY, page="vip")
    assert asked(play)["content"] == "card.house"


def test_a_promise_holds_also_for_who_could_not_have_it_any_more() -> None:
    play = play_of()
    asked(play)
    play.comes("seen", who=AMY, page="vip")
    assert offered(play) == "off.ten"


def test_what_lacks_a_fact_gives_way_to_the_offer_in_its_place_also_where_it_is_promised() -> None:
    play = play_of()
    asked(play)
    play.comes("level", M, "", channel="stock", sku="A", place="web", qty=0)
    answer = asked(play)
    assert (answer["offer"], answer["values"]) == ("off.other", {"price": 30.0})
    play.comes("level", H, "", channel="stock", sku="A", place="web", qty=3)
    assert offered(play) == "off.ten"


def test_what_is_granted_only_is_for_whom_a_scenario_has_sent_or_shown_it() -> None:
    play = play_of(sends(MAIL), offers=OFFERS.replace("valid_for: 2d", "valid_for: 2d\ngranted_only: true"))
    assert offered(play) == ""
    play.comes("put", who=AMY, sku="x")
    assert offered(play) == "off.ten"


def test_nothing_is_promised_to_nobody() -> None:
    play = play_of()
    found = ask(play.world, "web.cart", [], {"channel": "web"})
    assert found["content"] == "card.house"


def test_the_row_with_the_highest_rank_is_picked_and_stays() -> None:
    rows = """
facts: catalog
key: event.sku
---
offer: off.row
from: catalog
where: item.family == "air"
rank: item.margin
terms: {sku: item.sku}
valid_for: 1d
requires: stock(item.sku) > 0
redeemed: [{on: bought}]
---
slot: web.row
candidates: [{offer: off.row}]
default: none
"""
    catalog: dict[str, dict[str, Any]] = {
        "a": {"sku": "A", "family": "air", "margin": 2.0},
        "b": {"sku": "B", "family": "air", "margin": 5.0},
        "c": {"sku": "C", "family": "water", "margin": 9.0},
    }
    play = Play(rows, facts={**FACTS, "catalog": catalog})
    play.comes("seen", who=AMY, page="p")
    assert asked(play, "web.row")["values"] == {"sku": "B"}
    play.world.facts.set("catalog", "d", {"sku": "D", "family": "air", "margin": 7.0})
    assert asked(play, "web.row")["values"] == {"sku": "B"}
    play.comes("level", M, "", channel="stock", sku="B", place="web", qty=0)
    assert asked(play, "web.row")["content"] == ""


# What closes it.


def test_once_redeemed_it_is_closed_everywhere() -> None:
    play = play_of(sends(MAIL))
    asked(play)
    play.comes("bought", H, who=AMY, order="o", items=["A"])
    assert (state(play), offered(play), asked(play, "app.cart")["content"]) == ("redeemed", "", "")
    play.comes("put", 2 * H, who=AMY, sku="x")
    assert play.reasons("suppressed") == ["no_offer"]


def test_who_was_never_shown_it_may_redeem_it_too() -> None:
    play = play_of()
    play.comes("bought", H, who=AMY, order="o", items=["A"])
    assert (state(play), offered(play)) == ("redeemed", "")


def test_refused_it_is_closed_until_the_cool_down_is_over() -> None:
    play = play_of()
    asked(play)
    play.comes("told", H, who=AMY, word="no offer")
    assert (state(play), offered(play)) == ("refused", "")
    play.passes(10 * D)
    assert offered(play) == ""
    play.passes(10 * D + H)
    assert (state(play), offered(play)) == ("none", "off.ten")


def test_who_has_redeemed_it_does_not_refuse_it() -> None:
    play = play_of()
    play.comes("bought", who=AMY, order="o", items=["A"])
    play.comes("told", H, who=AMY, word="no offer")
    assert state(play) == "redeemed"


def test_what_has_expired_does_not_begin_again() -> None:
    play = play_of()
    asked(play)
    assert earliest_due(play.customer()) == START + 2 * D
    play.passes(2 * D)
    assert (state(play), offered(play)) == ("expired", "")
    assert earliest_due(play.customer()) == 0


def test_it_may_be_had_as_often_as_its_limit_says() -> None:
    limit = "valid_for: 2d\nlimit: {per_customer: {limit: 2, per: 30d}}"
    play = play_of(offers=OFFERS.replace("valid_for: 2d", limit))
    asked(play)
    play.passes(3 * D)
    costs(play, 4 * D, 40.0)
    assert price(play) == 20.0
    play.comes("bought", 5 * D, who=AMY, order="o", items=["A"])
    assert offered(play) == ""
    play.passes(31 * D)
    assert offered(play) == "off.ten"


def test_the_engine_tells_what_becomes_of_it() -> None:
    goal = 'goal: {on: offer_redeemed, where: event.offer == "off.ten" && event.was == "shown"}'
    play = play_of(sends(MAIL, WAIT, rest=goal))
    play.comes("put", who=AMY, sku="x")
    play.comes("bought", H, who=AMY, order="o", items=["A"])
    assert play.ended() == [("won", "converted")]


@pytest.mark.parametrize(
    ("how", "told"), [("no offer", "offer_refused"), ("", "offer_expired")], ids=["refused", "expired"]
)
def test_a_story_may_go_on_when_it_is_refused_or_over(how: str, told: str) -> None:
    wait = f"{{id: wait, wait_until: {{on: {told}, timeout: 30d}}}}"
    end = "{id: say, emit: {event: told, with: {word: steps.wait.matched}}}"
    play = play_of(sends(MAIL, wait, end))
    play.comes("put", who=AMY, sku="x")
    if how:
        play.comes("told", H, who=AMY, word=how)
    play.passes(2 * D)
    assert [one.data for one in play.emitted] == [{"word": told}]


def test_what_closes_it_is_judged_by_the_profile_that_the_event_has_made() -> None:
    when = "  - {on: seen, where: '\"vip\" in profile.tags'}\n"
    play = play_of(
        offers=OFFERS.replace("redeemed: [{on: bought, where: '\"A\" in event.items'}]", f"redeemed:\n{when}")
    )
    play.comes("seen", who=AMY, page="vip")
    assert state(play) == "redeemed"


def test_the_same_redemption_counts_once() -> None:
    play = play_of(sends("{id: say, emit: {event: told, with: {word: entry.was}}}", entry="{on: offer_redeemed}"))
    for number in range(2):
        play.comes("bought", H + number, who=AMY, order=f"o{number}", items=["A"])
    assert [one.data for one in play.emitted] == [{"word": "none"}]


def test_what_was_shown_before_and_is_told_after_it_was_redeemed_does_not_open_it_again() -> None:
    play = play_of()
    question = asked(play, record=False)
    play.comes("bought", who=AMY, order="o", items=["A"])
    told: dict[str, Any] = {"slot": "web.cart", "content": "", "offer": "off.ten", "promise": {
        "until": question["until"], "terms": question["terms"], "item": "", "by": "slot:web.cart",
    }}  # fmt: skip
    play.comes("slot_shown", M, who=AMY, channel="engine", happened=-M, **told)
    assert state(play) == "redeemed"


# In messages.


def test_a_message_whose_offer_is_not_open_gives_way_to_another() -> None:
    plain = "content: em.plain\nclass: service\nvariants: {email: {subject: hi, body: hello}}"
    offers = OFFERS.replace("offer: off.ten\nwith:", "offer: off.ten\ninstead: em.plain\nwith:")
    play = play_of(sends(MAIL), plain, offers=offers)
    play.comes("bought", who=AMY, order="o", items=["A"])
    play.comes("put", H, who=AMY, sku="x")
    assert [(action.content, action.offer) for action in play.actions] == [("em.plain", "")]


def test_a_step_may_name_the_offer() -> None:
    step = "{id: mail, send: {content: em.any, channel: email, offer: {is: entry.sku}}}"
    mail = (
        "content: em.any\nclass: service\nwith: {p: offer.price}\nvariants: {email: {subject: '{{ p }}', body: hello}}"
    )
    play = play_of(sends(step, entry="{on: put, re_entry: always}"), mail)
    for number, name in enumerate(("off.other", "", "off.nothing")):
        play.comes("put", number, who=AMY, sku=name)
    assert [action.values for action in play.actions] == [{"price": 30.0, "p": 30.0}]
    assert play.reasons("suppressed") == ["no_offer", "no_offer"]


def test_a_held_message_has_the_terms_of_when_it_is_sent() -> None:
    policy = "policy: contact\npreferred_order: [email]\nquiet_hours: [{from: '09:00', to: '12:00', on_hit: hold}]"
    play = play_of(sends(MAIL), policy)
    play.comes("put", who=AMY, sku="x")
    costs(play, H, 300.0)
    play.passes(3 * H)
    assert [action.values["price"] for action in play.actions] == [150.0]


def test_what_the_message_says_of_its_offer_is_known_later() -> None:
    goal = 'goal: {on: opened, where: message(event.message).offer == "off.ten"}'
    play = play_of(sends(MAIL, WAIT, rest=goal))
    play.comes("put", who=AMY, sku="x")
    play.comes("opened", H, who=AMY, channel="email", message=play.actions[0].id)
    assert play.ended() == [("won", "converted")]


# In slots.


def test_a_scenario_places_an_offer_by_itself() -> None:
    show = "{id: card, show: {slots: [web.side], offer: off.ten}}"
    side = "slot: web.side\ncandidates: []\ndefault: none"
    say = "{id: say, emit: {event: told, with: {word: steps.card.offer}}}"
    play = play_of(sends(show, say, WAIT), side)
    assert asked(play, "web.side")["content"] == ""
    play.comes("put", who=AMY, sku="x")
    answer = asked(play, "web.side")
    assert (answer["offer"], answer["scenario"], play.emitted[0].data) == ("off.ten", "tale", {"word": "off.ten"})
    assert context(play.world, "user_id:amy")["journeys"][0]["showing"][0]["content"] == "off.ten"
    play.comes("bought", H, who=AMY, order="o", items=["A"])
    assert asked(play, "web.side").get("offer", "") == ""


def test_offers_may_be_candidates_all_together() -> None:
    every = (
        'slot: web.all\ncandidates: [{from: offers, where: \'"B" in item.about || "A" in item.about\', '
        "rank: 'item.name == \"off.other\" ? 1.0 : 0.0'}]\nitems: 3\ndefault: none"
    )
    answer = asked(play_of(every), "web.all")
    assert [item["offer"] for item in answer["items"]] == ["off.other", "off.ten"]
    assert "promise" not in str(answer)


def test_a_decision_inside_a_story_promises_nothing() -> None:
    decide = "{id: pick, decide: {slot: web.cart}}"
    say = "{id: say, emit: {event: told, with: {word: steps.pick.offer}}}"
    play = play_of(sends(decide, say))
    play.comes("put", who=AMY, sku="x")
    assert (play.emitted[0].data, state(play)) == ({"word": "off.ten"}, "none")


def test_a_record_remembers_what_is_declared_and_the_newest_of_what_is_not() -> None:
    play = play_of()
    customer = play.customer()
    customer.offers = {f"old-{n}": Offered("redeemed", START - 300 + n) for n in range(OFFERS_KEPT)}
    play.comes("bought", who=AMY, order="o", items=["A"])
    kept = play.customer().offers
    assert len(kept) == OFFERS_KEPT
    assert ("off.ten" in kept, "old-0" in kept, "old-1" in kept) == (True, False, True)


# Two who are one.


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("shown", "redeemed", "redeemed"),
        ("refused", "shown", "refused"),
        ("shown", "expired", "shown"),
        ("refused", "redeemed", "redeemed"),
    ],
)
def test_of_two_halves_what_closes_it_counts_and_a_promise_holds(first: str, second: str, found: str) -> None:
    play = Play(OFFERS, facts=FACTS)
    for name, becomes in (("anonymous_id:x", first), ("user_id:amy", second)):
        begin = -4 * D if becomes == "expired" else 0
        play.comes("seen", begin, who=name, page="p")
        ask(play.world, "web.cart", [name], {"channel": "web"})
        if becomes == "redeemed":
            play.comes("bought", M, who=name, order="o", items=["A"])
        if becomes == "refused":
            play.comes("told", M, who=name, word="no offer")
    play.comes("seen", H, who="user_id:amy anonymous_id:x", page="p")
    play.passes(H + M)
    assert state(play) == found


def test_a_refusal_that_is_over_takes_no_promise_away() -> None:
    play = Play(OFFERS, facts=FACTS)
    play.comes("seen", who="anonymous_id:x", page="p")
    play.comes("told", M, who="anonymous_id:x", word="no offer")
    play.comes("seen", 11 * D, who=AMY, page="p")
    assert price(play) == 50.0
    play.comes("seen", 11 * D + H, who="user_id:amy anonymous_id:x", page="p")
    play.passes(11 * D + H + M)
    assert (state(play), offered(play)) == ("shown", "off.ten")


def test_what_a_release_begins_to_promise_is_promised_from_then_on() -> None:
    play = play_of(offers=OFFERS.replace("valid_for: 2d\n", ""))
    asked(play)
    later = play_of()
    later.customer().offers = play.customer().offers
    costs(later, H, 300.0)
    assert price(later) == 150.0
    costs(later, 2 * H, 500.0)
    assert price(later) == 150.0


def test_of_two_promises_the_one_made_first_stands() -> None:
    play = Play(OFFERS, facts=FACTS)
    play.comes("seen", who="anonymous_id:x", page="p")
    ask(play.world, "web.cart", ["anonymous_id:x"], {"channel": "web"})
    costs(play, H, 300.0)
    play.comes("seen", H, who=AMY, page="p")
    assert price(play) == 150.0
    play.comes("seen", 2 * H, who="user_id:amy anonymous_id:x", page="p")
    play.passes(2 * H + M)
    assert price(play) == 50.0
