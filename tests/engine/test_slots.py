"""Slots: one question, one answer; who is eligible, in which order, and what is answered where nothing is."""

from typing import Any

import pytest
from play import M, Play, program_of

from orchestrator.rehearsal.asking import ask, context

CONTENTS = """
content: web.hello
class: service
kind: article
about: [audio]
variants: {web: {title: {en: Hello, fr: Bonjour}, name: hello-card}}
---
content: web.offer
suits: profile.views > 1
requires: stock("A") > 0
with: {views: profile.views}
variants: {web: {title: Offer}}
---
content: web.seen
once: profile.views > 2
kind: article
variants: {web: {title: Guide}}
---
content: em.only
variants: {email: {subject: hi, body: hello}}
"""
TRAITS = "traits: t\ndefine: {views: {count: 'true', on: seen}, language: {last: event.value, on: told}}"
STOCK = {"stock": {"A/web": {"qty": 1}}}


def slot(candidates: str, rest: str = "default: none") -> str:
    return f"slot: web.home\ncandidates:\n{candidates}\n{rest}\n"


def answered(play: Any, who: str = "user_id:amy", **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = ask(
        play.world, "web.home", [who] if who else [], {"channel": "web", **given}, on_record=False
    )
    return found


def play_of(*documents: str, views: int = 0) -> Any:
    play = Play(CONTENTS, TRAITS, *documents, facts=STOCK)
    for number in range(views):
        play.comes("seen", number * M)
    return play


BOTH = "  - {content: web.offer, priority: 80}\n  - {content: web.hello}"


def test_the_best_eligible_candidate_is_the_answer() -> None:
    assert answered(play_of(slot(BOTH), views=1))["content"] == "web.hello"
    answer = answered(play_of(slot(BOTH), views=2))
    assert (answer["content"], answer["values"], answer["fields"]) == ("web.offer", {"views": 2}, {"title": "Offer"})


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        ("{content: web.hello, when: profile.views > 9}", "its condition is false"),
        ("{content: em.only}", "it has no variant for the channel that asks"),
        ("{content: web.seen}", "they know it already"),
        ("{content: web.offer, when: size(ask.nothing) > 0}", "its condition is unknown"),
    ],
)
def test_who_is_not_eligible(candidate: str, why: str) -> None:
    answer = answered(play_of(slot(f"  - {candidate}"), views=3))
    assert (answer["content"], answer["reason"]) == ("", "fallback"), why


def test_facts_are_looked_at_now() -> None:
    play = play_of(slot(BOTH), views=2)
    play.comes("level", 5 * M, "", channel="stock", sku="A", place="web", qty=0)
    assert answered(play)["content"] == "web.hello"


def test_order_is_priority_then_rank_then_the_file() -> None:
    candidates = "  - {content: web.hello, rank: 1.0}\n  - {content: web.offer, rank: 2.0}"
    assert answered(play_of(slot(candidates), views=2))["content"] == "web.offer"
    candidates = "  - {content: web.hello}\n  - {content: web.offer}"
    assert answered(play_of(slot(candidates), views=2))["content"] == "web.hello"


def test_candidates_from_all_contents() -> None:
    found = '  - {from: content, where: item.kind == "article", rank: \'"audio" in item.about ? 1.0 : 2.0\'}'
    assert answered(play_of(slot(found)))["content"] == "web.seen"
    assert answered(play_of(slot(found), views=3))["content"] == "web.hello"


def test_a_slot_of_several_items_lists_them_best_first() -> None:
    answer = answered(play_of(slot(BOTH, "items: 2\ndefault: none"), views=2))
    assert [item["content"] for item in answer["items"]] == ["web.offer", "web.hello"]


def test_only_closes_a_slot_to_who_is_not_linked() -> None:
    play = play_of(slot(BOTH, "only: ask.linked\ndefault: none"), views=2)
    assert answered(play)["content"] == "web.offer"
    assert answered(play, "anonymous_id:a1")["reason"] == "only"


def test_nobody_known_gets_the_answer_of_all_defaults_and_nothing_is_stored() -> None:
    play = play_of(slot(BOTH))
    assert answered(play, "")["content"] == "web.hello"
    assert play.world.customers() == []


def test_a_default_may_be_a_content() -> None:
    answer = answered(play_of(slot("  - {content: web.offer}", "default: web.hello")))
    assert (answer["content"], answer["reason"], answer["name"]) == ("web.hello", "fallback", "hello-card")


def test_texts_come_in_the_customers_language() -> None:
    play = play_of(slot("  - {content: web.hello}"))
    assert answered(play)["fields"]["title"] == "Hello"
    for tag in ("fr", "fr-CH", "fr_FR"):
        play.comes("told", value=tag)
        assert answered(play)["fields"]["title"] == "Bonjour", tag


def test_other_slots_may_be_included_in_an_answer() -> None:
    other = "slot: side\ncandidates: [{content: web.hello}]\ndefault: none"
    answer = answered(play_of(slot("  - {content: web.offer}", "include: {side: side}\ndefault: none"), other, views=2))
    assert answer["include"]["side"]["content"] == "web.hello"


def test_a_question_changes_nothing() -> None:
    play = play_of(slot(BOTH), views=2)
    before = play.world.node("user_id:amy")
    version = before.body.version
    for _ in range(3):
        answered(play)
        context(play.world, "user_id:amy")
    assert play.world.node("user_id:amy").body.version == version
    assert play.world.node("user_id:amy") == before


def test_a_step_may_ask_a_slot_as_a_channel_would() -> None:
    steps = "[{id: pick, decide: {slot: web.home}}, {id: say, emit: {event: opened, with: {c: steps.pick.content}}}]"
    play = play_of(slot(BOTH), f"scenario: tale\nentry: {{on: bought}}\nsteps: {steps}", views=2)
    play.comes("bought", 5 * M, order="o", total=1.0)
    assert play.emitted[0].data == {"c": "web.offer"}


def test_the_context_says_what_is_known_decided_and_said() -> None:
    program = program_of(
        CONTENTS,
        TRAITS,
        "scenario: tale\nentry: {on: seen}\nsteps: [{id: mail, send: {content: em.only, channel: email}}]",
    )
    play = Play(program)
    play.comes("seen", who="user_id:amy email:amy@example.com")
    known = context(play.world, "email:amy@example.com")
    assert known["identifiers"] == ["email:amy@example.com", "user_id:amy"]
    assert known["profile"]["views"] == 1
    assert [(one["what"], one["reason"]) for one in known["decisions"]] == [
        ("entered", ""),
        ("suppressed", "no_consent"),
        ("ended", "finished"),
    ]
    assert [line["type"] for line in known["timeline"]] == ["seen", "identity_joined"]


TOLD = """
content: web.told
with: {views: profile.views, word: 'profile.views > 1 ? "again" : null', day: now}
variants:
  web:
    title: {en: 'Seen {{ views }} times', fr: 'Vu {{ views }} fois, en {{ language }}'}
    text: 'Hello {{ word }}'
    link: '/p/{{ of | default: "all" }}?d={{ day | date: "%H:%M" }}'
"""


def test_texts_are_told_with_their_values_in_the_customers_language_and_zone() -> None:
    play = play_of(TOLD, slot("  - {content: web.told, with: {of: '\"lumo\"'}}"), views=2)
    assert answered(play)["fields"] == {"title": "Seen 2 times", "text": "Hello again", "link": "/p/lumo?d=10:01"}
    play.comes("told", 5 * M, value="fr-CH")
    assert answered(play)["fields"]["title"] == "Vu 2 fois, en fr-CH"


def test_half_a_sentence_is_not_shown() -> None:
    play = play_of(TOLD, slot("  - {content: web.told}"), views=1)
    assert answered(play)["fields"] == {"title": "Seen 1 times", "text": None, "link": "/p/all?d=10:00"}


def test_a_default_is_told_with_its_values_but_not_to_who_the_slot_is_kept_from() -> None:
    play = play_of(TOLD, slot("  - {content: em.only}", "only: ask.linked\ndefault: web.told"), views=2)
    assert answered(play)["fields"]["title"] == "Seen 2 times"
    kept = answered(play, "anonymous_id:a1")
    assert (kept["values"], kept["fields"]["title"]) == ({}, None)


# Rows of a fact.

PRODUCTS = """
facts: catalog
key: event.sku
---
slot: web.reco
candidates:
  - from: catalog
    where: item.family == "air" && stock(item.sku) > 0
    rank: item.margin
    with: {label: 'item.name + "!"', cost: price(item.sku)}
  - {content: web.hello, priority: 10}
items: 2
default: none
"""
ROWS: dict[str, dict[str, dict[str, Any]]] = {
    "catalog": {
        "a": {"sku": "A", "name": "Air", "family": "air", "margin": 1.0},
        "b": {"sku": "B", "name": "Breeze", "family": "air", "margin": 3.0},
        "c": {"sku": "C", "name": "Calm", "family": "air", "margin": 2.0},
        "w": {"sku": "W", "name": "Water", "family": "water", "margin": 9.0},
    },
    "stock": {f"{sku}/web": {"qty": 1} for sku in "ABW"},
}


def reco(play: Play, on_record: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = ask(play.world, "web.reco", ["user_id:amy"], {"channel": "web"}, on_record=on_record)
    return found


def test_rows_of_a_fact_are_shown_the_best_first_with_what_is_told_beside_them() -> None:
    play = Play(CONTENTS, TRAITS, PRODUCTS, facts=ROWS)
    play.comes("seen", page="p")
    answer = reco(play)
    assert [(item["name"], item["item"]["sku"]) for item in answer["items"]] == [("b", "B"), ("a", "A")]
    assert answer["items"][0]["values"] == {"label": "Breeze!", "cost": None}
    assert (answer["content"], answer["items"][0]["content"]) == ("", "")


def test_what_was_shown_of_them_is_told_by_their_keys() -> None:
    steps = "steps: [{id: say, emit: {event: told, with: {word: entry.item}}}]"
    say = f"scenario: told\nentry: {{on: slot_shown, key: event.item}}\n{steps}"
    play = Play(CONTENTS, TRAITS, PRODUCTS, say, facts=ROWS)
    play.comes("seen", page="p")
    reco(play, on_record=True)
    assert [one.data for one in play.emitted] == [{"word": "b"}, {"word": "a"}]
