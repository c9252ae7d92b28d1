"""`show`: what a scenario places in slots, who may see it, how long it stands, and what becomes of the story."""

from typing import Any

import pytest
from play import START, D, H, M, Play
from test_releases import Releases

from orchestrator.engine.slots import shown_by
from orchestrator.engine.timers import earliest_due
from orchestrator.rehearsal.asking import ask, context

CARDS = """
content: card.hello
class: service
with: {page: entry.page}
variants: {web: {title: Hello}, email: {subject: hi, body: hello}}
---
content: card.offer
about: [audio]
requires: stock("A") > 0
instead: card.other
variants: {web: {title: Offer}}
---
content: card.other
variants: {web: {title: Other}}
---
content: card.house
class: service
variants: {web: {title: House}}
---
slot: web.home
also: [app.home]
candidates: [{content: card.house}]
default: none
---
slot: web.side
candidates: []
default: none
"""
STOCK = {"stock": {"A/web": {"qty": 1}}}


def tale(steps: str, rest: str = "", name: str = "tale", entry: str = "{on: seen, key: event.page}") -> str:
    return f"scenario: {name}\nentry: {entry}\n{rest}\nsteps:\n{steps}\n"


def show(content: str = "card.hello", slots: str = "web.home", id_: str = "card", **more: object) -> str:
    fields = "".join(f", {name.rstrip('_')}: {value}" for name, value in more.items())
    return f"  - {{id: {id_}, show: {{slots: [{slots}], content: {content}{fields}}}}}\n"


WAIT = "  - {id: wait, delay: {for: 3h}}\n"
LONG = "  - {id: long, delay: {for: 60d}}\n"


def play_of(*documents: str, **more: Any) -> Play:
    return Play(CARDS, *documents, facts=STOCK, **more)


def entered(*documents: str, page: str = "p", **more: Any) -> Play:
    play = play_of(*documents, **more)
    play.comes("seen", who="user_id:amy email:amy@example.com", page=page)
    return play


def asked(play: Play, slot: str = "web.home", channel: str = "web", record: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = ask(play.world, slot, ["user_id:amy"], {"channel": channel}, on_record=record)
    return found


def shown(play: Play, slot: str = "web.home", channel: str = "web") -> str:
    return str(asked(play, slot, channel)["content"])


# What is shown.


def test_what_a_scenario_places_is_shown_and_the_story_goes_on_at_once() -> None:
    play = entered(tale(show() + "  - {id: say, emit: {event: opened, with: {of: steps.card.content}}}\n" + WAIT))
    answer = asked(play)
    assert (answer["content"], answer["scenario"], answer["fields"]) == ("card.hello", "tale", {"title": "Hello"})
    assert play.emitted[0].data == {"of": "card.hello"}
    assert play.standing() == ["card", "wait"]


def test_a_placement_is_in_every_slot_that_it_names_by_any_name_of_it() -> None:
    play = entered(tale(show(slots="app.home, web.side") + WAIT))
    assert [shown(play, slot) for slot in ("web.home", "app.home", "web.side")] == ["card.hello"] * 3


@pytest.mark.parametrize(
    ("own", "story", "candidate", "found"),
    [
        ("", 50, 50, "card.hello"),
        ("", 40, 50, "card.house"),
        (60, 40, 50, "card.hello"),
        ("", 70, 60, "card.hello"),
        (10, 70, 60, "card.house"),
    ],
    ids=[
        "equal: placements first",
        "the scenario's is less",
        "its own counts",
        "the scenario's is more",
        "own is less",
    ],
)
def test_its_priority_is_its_own_or_the_scenarios(own: int | str, story: int, candidate: int, found: str) -> None:
    house = CARDS.replace("{content: card.house}", f"{{content: card.house, priority: {candidate}}}")
    step = show(priority=own) if own else show()
    play = Play(house, tale(step + WAIT, f"priority: {story}"), facts=STOCK)
    play.comes("seen", page="p")
    assert shown(play) == found


def test_a_candidate_of_the_same_priority_with_a_rank_comes_first() -> None:
    play = Play(CARDS.replace("{content: card.house}", "{content: card.house, rank: 0.5}"), tale(show() + WAIT))
    play.comes("seen", page="p")
    assert shown(play) == "card.house"


def test_of_two_placements_the_one_made_first_comes_first() -> None:
    several = CARDS.replace("candidates: []", "candidates: []\nitems: 3")
    play = Play(several, tale(show(slots="web.side") + WAIT))
    for number, page in enumerate(("b", "a", "c")):
        play.comes("seen", number * M, page=page)
    assert [item["values"]["page"] for item in asked(play, "web.side")["items"]] == ["b", "a", "c"]


def test_its_values_are_those_of_the_moment_in_which_it_is_asked_for() -> None:
    values = "{page: entry.page, level: stock('A'), before: vars.before}"
    keep = "  - {id: keep, set: {vars: {before: stock('A')}}}\n"
    play = entered(tale(keep + show(with_=values) + WAIT))
    play.comes("level", M, "", channel="stock", sku="A", place="web", qty=7)
    assert asked(play)["values"] == {"page": "p", "level": 7, "before": 1}


def test_an_offer_whose_product_has_sold_out_is_swapped() -> None:
    play = entered(tale(show("card.offer") + WAIT))
    assert shown(play) == "card.offer"
    play.comes("level", M, "", channel="stock", sku="A", place="web", qty=0)
    assert shown(play) == "card.other"


def test_a_candidate_of_a_slot_is_swapped_as_well() -> None:
    play = Play(CARDS.replace("{content: card.house}", "{content: card.offer}"), facts={"stock": {}})
    play.comes("seen", page="p")
    assert shown(play) == "card.other"


def test_what_is_not_valid_any_more_is_not_shown() -> None:
    until = CARDS.replace(
        "content: card.house\n", 'content: card.house\nvalid_until: timestamp("2026-03-02T10:00:00Z")\n'
    )
    play = Play(until)
    play.comes("seen", page="p")
    assert shown(play) == "card.house"
    play.passes(H)
    assert shown(play) == ""


def test_a_channel_without_a_variant_is_not_shown_it() -> None:
    play = entered(tale(show("card.offer", "web.side") + WAIT))
    assert [shown(play, "web.side", channel) for channel in ("web", "email", "")] == ["card.offer", "", "card.offer"]


# Whom marketing of a scenario is kept from.


def test_marketing_about_what_another_story_owns_is_kept_back_while_that_lives() -> None:
    owner = tale("  - {id: hour, delay: {for: 1h}}\n", "owns: [audio]", "care", "{on: asked}")
    play = entered(tale(show("card.offer", "web.side") + WAIT), owner)
    play.comes("asked", M)
    assert shown(play, "web.side") == ""
    play.passes(2 * H)
    assert shown(play, "web.side") == "card.offer"


def test_marketing_is_kept_from_the_global_control_group() -> None:
    policy = "policy: p\npreferred_order: [email]\nglobal_control_group: 10%\n"
    play = play_of(policy, tale(show("card.offer", "web.side") + show(slots="web.home", id_="service") + WAIT))
    play.program.draw = lambda _tenant, salt, _person: 1.0 if salt == "global_control_group" else 99.0
    play.comes("seen", page="p")
    assert (shown(play, "web.side"), shown(play)) == ("", "card.hello")


def test_marketing_of_a_scenario_that_has_stopped_itself_is_kept_back() -> None:
    step = "  - {id: mail, send: {content: mail.promo, channel: email}}\n"
    mail = "content: mail.promo\nvariants: {email: {subject: Hi, body: Hello}}\n"
    stop = "stop_when: {on: asked, over: 20%, in: 24h, at_least: 1}"
    play = play_of(mail, tale(show("card.offer", "web.side") + step + WAIT, stop))
    play.comes("told", 0, "user_id:amy email:amy@example.com", word="yes", value="email")
    play.comes("seen", M, page="p")
    assert shown(play, "web.side") == "card.offer"
    play.comes("asked", 2 * M)
    play.passes(3 * M)
    assert shown(play, "web.side") == ""


def test_holdouts_place_nothing() -> None:
    play = play_of(tale(show() + WAIT, "holdout: 50%"))
    play.program.draw = lambda _tenant, _salt, _person: 1.0
    play.comes("seen", page="p")
    assert shown(play) == "card.house"


# How long it stands.


def test_it_stands_for_its_time_and_not_a_moment_longer() -> None:
    play = entered(tale(show(for_="1h") + WAIT))
    play.world.advance(START + H - 1)
    assert shown(play) == "card.hello"
    play.world.advance(START + H)
    assert shown(play) == "card.house"
    play.passes(H)
    assert play.told("taken_down") == [("taken_down", "tale", "expired")]


@pytest.mark.parametrize(
    ("ending", "event"),
    [
        ("goal: {on: bought}", "bought"),
        ("exit: {on: asked, reason: asked}", "asked"),
        ("while: stock('A') > 0", "level"),
    ],
)
def test_it_goes_with_its_instance(ending: str, event: str) -> None:
    play = entered(tale(show() + WAIT, ending))
    assert shown(play) == "card.hello"
    if event == "level":
        play.comes("level", M, "", channel="stock", sku="A", place="web", qty=0)
    else:
        play.comes(event, M)
    assert shown(play) == "card.house"
    assert play.customer().instances == []


def test_without_a_time_it_stands_as_long_as_the_instance_may_live() -> None:
    play = entered(tale(show(), "lives: 2h"))
    assert play.customer().instances[0].mode == "rest"
    play.world.advance(START + 2 * H - 1)
    assert shown(play) == "card.hello"
    play.passes(2 * H)
    assert (shown(play), play.ended()) == ("card.house", [("done", "finished")])


def test_after_its_last_step_a_story_rests_until_its_last_placement_is_over() -> None:
    play = entered(tale(show(for_="1h") + show(slots="web.side", id_="side", for_="3h")))
    assert play.customer().instances[0].mode == "rest"
    play.passes(2 * H)
    assert (shown(play), shown(play, "web.side")) == ("card.house", "card.hello")
    play.passes(3 * H)
    assert (shown(play, "web.side"), play.ended()) == ("", [("done", "finished")])


def test_while_it_rests_its_goal_still_wins() -> None:
    play = entered(tale(show(for_="3h"), "goal: {on: bought, keep_watching: 1h}"))
    play.comes("bought", 2 * H)
    assert (shown(play), play.ended()) == ("card.house", [("won", "converted")])


def test_a_new_entry_of_its_key_takes_the_place_of_a_resting_story() -> None:
    play = entered(tale(show(with_="{at: string(entry.meta.time)}")))
    first = asked(play)["placement"]
    play.comes("seen", H, page="p")
    assert asked(play)["placement"] != first
    assert len(play.customer().instances) == 1


def test_the_same_show_again_takes_the_place_of_the_first() -> None:
    again = "  - {id: hour, delay: {for: 1h}}\n  - {id: back, go_to: {step: card, limit: 2}}\n"
    several = CARDS.replace("candidates: [{content: card.house}]", "candidates: []\nitems: 3")
    play = Play(several, tale(show() + again + WAIT))
    play.comes("seen", page="p")
    first = asked(play)["placement"]
    play.passes(H)
    (second,) = asked(play)["items"]
    assert second["placement"] != first


def test_a_message_that_is_still_held_keeps_the_story_alive_and_the_placement_up() -> None:
    mail = "  - {id: mail, send: {content: card.hello, channel: email, with: {page: entry.page}}}\n"
    quiet = 'quiet_hours: [{from: "09:00", to: "12:00", channels: [email], on_hit: hold}]'
    policy = f"policy: p\npreferred_order: [email]\n{quiet}\n"
    play = entered(policy, tale(show(for_="30m") + mail))
    assert play.customer().instances[0].mode == "live"
    play.passes(H)
    assert (shown(play), play.customer().instances[0].mode) == ("card.house", "live")


# What was shown, and what is clicked.


def test_after_so_many_showings_it_is_gone() -> None:
    play = entered(tale(show(limit=2) + WAIT))
    assert [asked(play, record=True)["content"] for _ in range(3)] == ["card.hello", "card.hello", "card.house"]
    (gone,) = play.notes("taken_down")
    assert (gone.step, gone.reason, gone.detail) == (
        "card", "shown_often_enough", {"content": "card.hello", "shown": 2},
    )  # fmt: skip


def test_each_item_and_each_included_slot_counts_as_shown() -> None:
    several = CARDS.replace("candidates: []", "candidates: []\nitems: 2")
    main = "slot: page\ncandidates: [{content: card.house}]\ndefault: none\ninclude: {side: web.side}\n"
    play = Play(several, main, tale(show(slots="web.side", limit=1) + WAIT))
    play.comes("seen", page="a")
    play.comes("seen", page="b")
    answer = asked(play, "page", record=True)
    said = list(shown_by(play.program, "page", answer))
    assert [(one["slot"], one["content"]) for one in said] == [
        ("page", "card.house"), ("web.side", "card.hello"), ("web.side", "card.hello"),
    ]  # fmt: skip
    assert {one["placement"] for one in said[1:]} == {one["placement"] for one in answer["include"]["side"]["items"]}
    assert shown(play, "web.side") == ""


def test_a_story_that_only_rested_for_it_is_over_with_the_last_showing() -> None:
    play = entered(tale(show(limit=1)))
    asked(play, record=True)
    assert play.ended() == [("done", "finished")]


@pytest.mark.parametrize(("watching", "rests"), [("10m", False), ("3h", True)], ids=["over by then", "goes on"])
def test_with_the_last_showing_a_story_rests_only_as_long_as_its_goal_is_watched(watching: str, *, rests: bool) -> None:
    play = entered(tale(show(limit=1), f"goal: {{on: bought, keep_watching: {watching}}}"))
    play.passes(H)
    asked(play, record=True)
    assert play.ended() == ([] if rests else [("done", "finished")])
    play.passes(4 * H)
    assert play.ended() == [("done", "finished")]


def test_one_that_was_shown_by_another_candidate_does_not_count() -> None:
    house = CARDS.replace("{content: card.house}", "{content: card.hello, priority: 90}")
    play = Play(house, tale(show(limit=1) + WAIT))
    play.comes("seen", page="p")
    assert "placement" not in asked(play, record=True)
    assert play.customer().instances[0].standing[0].data["shown"] == 0


@pytest.mark.parametrize(
    ("named", "moved"),
    [({"content": "card.hello"}, True), ({"content": "card.other"}, False), ({"placement": "x"}, False)],
)
def test_a_wait_may_be_about_a_placement(named: dict[str, str], moved: bool) -> None:
    wait = "  - {id: click, wait_until: {on: told, of: card, timeout: 1h}}\n"
    play = entered(tale(show() + wait + "  - {id: say, emit: {event: opened, with: {how: steps.click.outcome}}}\n"))
    play.comes("told", M, **named)  # type: ignore[arg-type]
    assert [one.data["how"] for one in play.emitted] == (["matched"] if moved else [])


def test_an_event_that_names_the_placement_is_about_it() -> None:
    wait = "  - {id: click, wait_until: {on: told, of: card, timeout: 1h}}\n"
    play = entered(tale(show() + wait + WAIT))
    play.comes("told", M, placement=asked(play)["placement"], content="whatever")
    assert play.standing() == ["card", "wait"]


def test_a_story_may_wait_until_it_was_shown() -> None:
    wait = "  - {id: seen, wait_until: {on: slot_shown, of: card, timeout: 1h}}\n"
    play = entered(tale(show() + wait + WAIT))
    asked(play, "web.side", record=True)
    assert play.standing() == ["card", "seen"]
    asked(play, record=True)
    assert play.standing() == ["card", "wait"]


# What it gives, and what is known of it.


def test_what_the_step_gives() -> None:
    given = "{o: steps.card.outcome, until: steps.card.until, slots: steps.card.slots, id: steps.card.placement}"
    play = entered(tale(show(for_="1h") + f"  - {{id: say, emit: {{event: opened, with: {given}}}}}\n" + WAIT))
    assert play.emitted[0].data == {
        "o": "placed", "until": "2026-03-02T10:00:00.000Z", "slots": ["web.home"], "id": asked(play)["placement"],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["{is: '\"card.\" + entry.page'}", "{is: string(1 / 0)}"])
def test_a_content_that_is_not_declared_or_not_known_places_nothing(name: str) -> None:
    play = entered(tale(show(name) + "  - {id: say, emit: {event: opened, with: {o: steps.card.outcome}}}\n" + WAIT))
    assert (shown(play), play.emitted[0].data) == ("card.house", {"o": "error"})
    assert "unknown" in {note.what for note in play.notes()}


def test_the_context_says_what_is_placed() -> None:
    play = entered(tale(show(for_="1h") + WAIT))
    (journey,) = context(play.world, "user_id:amy")["journeys"]
    assert journey["showing"] == [{"step": "card", "content": "card.hello", "slots": ["web.home"], "until": START + H}]
    assert [one["step"] for one in journey["standing"]] == ["wait"]


# Merges and releases.


def test_a_placement_of_who_was_anonymous_is_the_customers_after_they_are_known() -> None:
    play = play_of(tale(show() + WAIT), partitions=3)
    play.comes("seen", 0, "anonymous_id:a1", page="p")
    play.comes("quiet_word", M, "user_id:amy anonymous_id:a1")
    play.passes(2 * M)
    assert shown(play) == "card.hello"


def test_of_a_story_that_both_halves_were_in_the_younger_goes_with_its_placement() -> None:
    play = play_of(tale(show(with_="{n: entry.n}") + LONG), partitions=3)
    play.comes("seen", 0, "anonymous_id:a1", page="p", n=1)
    play.comes("seen", M, "user_id:amy", page="p", n=2)
    play.comes("quiet_word", 2 * M, "user_id:amy anonymous_id:a1")
    play.passes(3 * M)
    assert asked(play)["values"]["n"] == 1


FOLLOW = "in_flight: follow\n"


def two(first: str, second: str, rest: str = FOLLOW) -> Releases:
    releases = Releases(CARDS, tale(first, rest))
    releases.play.comes("seen", page="p")
    releases.publish(CARDS, tale(second, f"version: 2\n{rest}"), at=M)
    return releases


def test_a_release_that_is_followed_says_where_it_is_shown_from_now_on() -> None:
    releases = two(show() + WAIT, show("card.house", "web.side", for_="9h") + WAIT)
    releases.play.passes(2 * M)
    assert (shown(releases.play), shown(releases.play, "web.side")) == ("card.house", "card.hello")


def test_a_step_that_is_gone_takes_its_placement_along_and_nothing_else() -> None:
    releases = two(show() + WAIT, WAIT, FOLLOW + "moved: {card: wait}\n")
    releases.play.passes(2 * M)
    assert shown(releases.play) == "card.house"
    releases = two(show(id_="old") + WAIT, "  - {id: old, delay: {for: 1h}}\n" + WAIT)
    releases.play.passes(2 * M)
    assert (shown(releases.play), releases.play.standing()) == ("card.house", ["wait"])


def test_with_pin_it_stays_what_its_version_says() -> None:
    releases = two(show() + WAIT, show(slots="web.side") + WAIT, "in_flight: pin\n")
    releases.play.passes(2 * M)
    assert (shown(releases.play), shown(releases.play, "web.side")) == ("card.hello", "")


def test_its_end_is_a_timer_of_the_record() -> None:
    play = entered(tale(show(for_="1h") + LONG))
    assert earliest_due(play.customer()) == START + H
    play.passes(D)
    assert play.standing() == ["long"]
