"""Traits as a bundle declares them: what events make of them, and what conditions read."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from play import D, H, M, Play, S, program_of

TRAITS = """
traits: all
define:
  city: {last: event.value, on: told, where: 'event.word == "city"'}
  mood: {last: event.value, on: told, where: 'event.word == "mood"', keep_for: 1h}
  source: {first: [{on: told, where: 'event.word == "declared"', value: event.value, label: sure},
                   {on: seen, value: event.page, label: guessed}]}
  views: {count: "true", on: seen}
  lately: {count: "true", on: seen, window: 10m}
  spent: {sum: event.total, on: bought}
  skus:
    {set: item, on: bought, each: event.items, remove: [{on: told, where: 'event.word == "gone"', value: event.value}]}
  pages: {list: '{"page": event.page}', on: seen, keep: 3}
  favourite: {most: event.page, on: seen, share: 50%}
  longest: {best: event.page, by: event.seconds, on: seen}
  here: {flag: {on: seen, off: logged_out, longest: 30m}}
  interest:
    per: event.page
    keys_kept: 3
    score: [{on: seen, add: 10, once_per: 30m}, {on: seen, where: event.seconds >= 60.0, add: 5}]
  tagged: {each: event.tags, score: [{on: seen, add: 1}]}
  warmth: {half_life: 1h, score: [{on: seen, add: 8}]}
  visits: {reset_after: 1h, score: [{on: seen, add: 1}]}
  cart: {basket: {id: event.cart, add: put, remove: taken, empty: emptied}}
  points:
    ledger:
      - {on: bought, amount: event.total, ref: event.order}
      - {on: bought, where: event.total > 100.0, amount: 50, ref: event.order}
      - {on: returned, where: has(event.share), reverse: event.order, share: event.share}
      - {on: returned, where: '!has(event.share)', reverse: event.order}
  stage: {choose: [{when: 'profile.views > 2', is: warm}, {when: profile.here, is: new}], else: cold}
  double_views: {compute: profile.views * 2}
  per_page: {per: key_of(interest), choose: [{when: 'profile.interest[key] >= 15.0', is: hot}], else: mild}
"""
PROGRAM = program_of(TRAITS)


@pytest.fixture
def play() -> Any:
    return Play(PROGRAM, facts={"price": {"A": {"price": 10.0}, "B": {"price": 2.5}}})


def test_nothing_known_reads_as_the_defaults(play: Any) -> None:
    play.comes("delivered", channel="email")
    found = {name: play.profile(name) for name in ("city", "views", "skus", "here", "points", "stage", "double_views")}
    assert found == {
        "city": "",
        "views": 0,
        "skus": [],
        "here": False,
        "points": 0.0,
        "stage": "cold",
        "double_views": 0,
    }
    assert play.profile("cart")["lines"] == []
    assert dict(play.profile("interest")) == {}
    assert play.profile("interest")["/never"] == 0.0


def test_a_value_is_the_newest_by_event_time_not_by_arrival(play: Any) -> None:
    play.comes("told", 5 * M, word="city", value="Lyon")
    play.comes("told", 6 * M, happened=1 * M, word="city", value="Paris")
    assert play.profile("city") == "Lyon"


def test_a_tie_of_two_events_goes_to_the_larger_id(play: Any) -> None:
    play.comes("told", 1 * M, id_="e2", word="city", value="Lyon")
    play.comes("told", 1 * M, id_="e1", word="city", value="Paris")
    assert play.profile("city") == "Lyon"


def test_keep_for_puts_a_value_back_to_its_default(play: Any) -> None:
    play.comes("told", 0, word="mood", value="sunny")
    play.passes(59 * M)
    assert play.profile("mood") == "sunny"
    play.passes(60 * M)
    assert play.profile("mood") == ""


def test_each_key_says_which_line_its_value_is_from() -> None:
    lines = "[{on: bought, value: event.order, label: bought}, {on: seen, value: event.page, label: seen}]"
    play = Play(program_of(f"traits: more\ndefine: {{last_word: {{per: event.meta.source, last: {lines}}}}}"))
    play.comes("seen", 0, page="/a")
    assert (play.profile("last_word")["shop"], play.profile("last_word_label")["shop"]) == ("/a", "seen")
    assert play.profile("last_word_label")["elsewhere"] == ""


FADING = """
traits: more
define:
  came_by: {first: [{on: seen, value: event.page, label: shown}], keep_for: 1h}
  peak: {best: event.page, by: event.seconds, on: seen, keep_for: 1h}
  mood: {stored: string, keep_for: 1h}
  cart: {basket: {id: event.cart, add: put}, keep_for: 1h}
---
scenario: remember
entry: {on: seen}
steps: [{id: mood, set: {profile: {mood: '"sunny"'}}}]
"""


def test_keep_for_counts_from_the_event_that_gave_the_value_and_for_a_basket_from_the_last_touch() -> None:
    play = Play(program_of(FADING))
    play.comes("seen", 0, page="/a", seconds=9.0)
    play.comes("put", 0, sku="A", qty=1, cart="k1")
    play.comes("put", 30 * M, sku="B", qty=1, cart="k1")

    def known() -> list[Any]:
        kept = [play.profile(name) for name in ("came_by", "came_by_label", "peak", "mood")]
        return [*kept, *(line["sku"] for line in play.profile("cart")["lines"])]

    play.passes(59 * M)
    assert known() == ["/a", "shown", "/a", "sunny", "A", "B"]
    play.passes(60 * M)
    assert known() == ["", "", "", "", "A", "B"]
    play.passes(90 * M)
    assert known() == ["", "", "", ""]
    play.comes("put", 91 * M, sku="C", qty=1, cart="k2")
    assert known() == ["", "", "", "", "C"], "what was left is not there again"


def test_an_earlier_line_outranks_a_later_one_and_says_so(play: Any) -> None:
    play.comes("seen", 0, page="/a")
    assert (play.profile("source"), play.profile("source_label")) == ("/a", "guessed")
    play.comes("told", 1 * M, word="declared", value="a friend")
    assert (play.profile("source"), play.profile("source_label")) == ("a friend", "sure")


def test_a_rolling_count_forgets(play: Any) -> None:
    for minute in (0, 4, 8):
        play.comes("seen", minute * M, page="/a")
    assert (play.profile("views"), play.profile("lately")) == (3, 3)
    play.passes(10 * M)
    assert play.profile("lately") == 2  # the first has just left the window (now - 10m, now]
    play.passes(20 * M)
    assert (play.profile("views"), play.profile("lately")) == (3, 0)


def test_a_set_adds_each_element_and_the_later_word_wins(play: Any) -> None:
    play.comes("bought", 2 * M, order="o1", total=1.0, items=["A", "B"])
    play.comes("told", 3 * M, happened=1 * M, word="gone", value="B")
    assert sorted(play.profile("skus")) == ["A", "B"]  # B was removed before it was added
    play.comes("told", 4 * M, word="gone", value="A")
    assert play.profile("skus") == ["B"]


def test_a_list_is_newest_first_and_bounded(play: Any) -> None:
    for minute, page in ((1, "/a"), (3, "/c"), (4, "/d")):
        play.comes("seen", minute * M, page=page)
    play.comes("seen", 5 * M, happened=2 * M, page="/b")
    assert [entry["page"] for entry in play.profile("pages")] == ["/d", "/c", "/b"]


def test_most_needs_its_share(play: Any) -> None:
    for page in ("/a", "/b"):
        play.comes("seen", 0, page=page)
    assert play.profile("favourite") == "/a"  # half and half: ties go by name
    play.comes("seen", 0, page="/c")
    assert play.profile("favourite") == ""


def test_best_keeps_the_value_where_by_is_largest(play: Any) -> None:
    for page, seconds in (("/a", 5.0), ("/b", 90.0), ("/c", 90.0)):
        play.comes("seen", 0, page=page, seconds=seconds)
    assert play.profile("longest") == "/b"


def test_a_flag_stands_between_two_events_and_no_longer_than_longest(play: Any) -> None:
    play.comes("seen", 0, page="/a")
    assert play.profile("here") is True
    play.comes("logged_out", 1 * M)
    assert play.profile("here") is False
    play.comes("seen", 2 * M, page="/a")
    play.passes(32 * M)
    assert play.profile("here") is False


def test_once_per_counts_a_run_of_events_once(play: Any) -> None:
    for minute in (0, 20, 45, 74):  # gaps shorter than 30 minutes: one run, however long
        play.comes("seen", minute * M, page="/a", seconds=1.0)
    assert play.profile("interest")["/a"] == 10.0
    play.comes("seen", 104 * M, page="/a", seconds=1.0)
    assert play.profile("interest")["/a"] == 20.0


def test_once_per_runs_are_told_apart_by_line_and_key(play: Any) -> None:
    play.comes("seen", 0, page="/a", seconds=90.0)
    play.comes("seen", 1 * M, page="/a", seconds=90.0)
    play.comes("seen", 2 * M, page="/b", seconds=1.0)
    assert dict(play.profile("interest").items()) == {"/a": 20.0, "/b": 10.0}
    assert dict(play.profile("per_page").items()) == {"/a": "hot", "/b": "mild"}


def test_the_least_recently_changed_keys_go_first(play: Any) -> None:
    for minute, page in enumerate(("/a", "/b", "/c", "/a", "/d")):
        play.comes("seen", minute * H, page=page, seconds=1.0)
    assert sorted(play.profile("interest").keys()) == ["/a", "/c", "/d"]


def test_half_life_halves(play: Any) -> None:
    play.comes("seen", 0, page="/a")
    play.passes(1 * H - 300)
    assert play.profile("warmth") == pytest.approx(4.0)
    play.comes("seen", 1 * H, page="/a")
    assert play.profile("warmth") == pytest.approx(12.0)
    play.passes(3 * H - 300)
    assert play.profile("warmth") == pytest.approx(3.0)


def test_reset_after_begins_anew_after_so_long_without_any_of_its_events(play: Any) -> None:
    for minute in (0, 59, 118):
        play.comes("seen", minute * M, page="/a")
    assert play.profile("visits") == 3
    play.passes(178 * M)
    assert play.profile("visits") == 0
    play.comes("seen", 180 * M, page="/a")
    assert play.profile("visits") == 1


def test_a_basket_follows_what_is_put_in_and_taken_out(play: Any) -> None:
    play.comes("put", 0, sku="A", qty=2, cart="c1")
    play.comes("put", 1 * M, sku="B", cart="c1")
    assert play.profile("cart") | {"at": 0} == {
        "id": "c1", "lines": [{"sku": "A", "qty": 2}, {"sku": "B", "qty": 1}], "channel": "web", "at": 0, "total": 22.5,
    }  # fmt: skip
    play.comes("taken", 2 * M, sku="A", qty=1, cart="c1")
    play.comes("taken", 3 * M, sku="B", qty=1, cart="c1")
    assert play.profile("cart")["lines"] == [{"sku": "A", "qty": 1}]
    play.comes("emptied", 4 * M, cart="c1")
    assert (play.profile("cart")["lines"], play.profile("cart")["total"]) == ([], 0.0)


def test_a_ledger_enters_a_ref_once_and_takes_back_a_share(play: Any) -> None:
    play.comes("bought", 0, order="o1", total=200.0)
    assert play.profile("points") == 250.0  # both lines
    play.comes("bought", 1 * M, order="o1", total=200.0)  # the same order told again, under another event id
    play.comes("bought", 2 * M, order="o2", total=10.0)
    assert play.profile("points") == 260.0
    play.comes("returned", 3 * M, order="o1", share=0.5)
    assert play.profile("points") == 135.0
    play.comes("returned", 4 * M, order="o2")
    assert play.profile("points") == 125.0


def test_a_reversal_that_comes_before_its_entry_counts_as_well(play: Any) -> None:
    play.comes("returned", 5 * M, order="o9")
    play.comes("bought", 6 * M, happened=1 * M, order="o9", total=70.0)
    assert play.profile("points") == 0.0


def test_traits_read_traits(play: Any) -> None:
    for _ in range(3):
        play.comes("seen", 0, page="/a")
    assert (play.profile("stage"), play.profile("double_views")) == ("warm", 6)


def test_a_value_that_is_unknown_leaves_a_trait_as_it_was_and_is_traced(play: Any) -> None:
    """`seconds` is declared and absent: `>=` of nothing is an error, which costs that line alone."""
    play.comes("seen", 0, page="/a")
    assert play.profile("interest")["/a"] == 10.0
    assert [note.step for note in play.notes("unknown")] == ["traits.longest", "traits.interest", "traits.tagged"]


@pytest.mark.parametrize("items", [None, [], ["A", "A"]])
def test_each_of_nothing_and_of_twice_the_same(play: Any, items: list[str] | None) -> None:
    """An event may contribute more than once, and a list that is not there is no list."""
    play.comes("seen", 0, page="/a", tags=items)
    assert play.profile("tagged") == len(items or [])
    assert play.profile("views") == 1


def test_a_trait_that_raises_costs_that_trait_that_event_and_nothing_else() -> None:
    """No schema says what `amount` of this event is, so a producer may send anything."""
    play = Play("traits: t\ndefine: {owed: {sum: event.amount, on: renamed}, names: {count: 'true', on: renamed}}")
    play.comes("renamed", 0, amount=5)
    play.comes("renamed", 1 * M, amount="five")
    play.comes("renamed", 2 * M, amount=7)
    assert (play.profile("owed"), play.profile("names")) == (12, 3)


@pytest.mark.parametrize("total", [None, "five", [5], True])
@pytest.mark.parametrize(
    "kind",
    [
        "sum: event.amount, on: renamed",
        "sum: event.amount, window: 1h, on: renamed",
        "best: event.amount, by: event.amount, on: renamed",
        "score: [{on: renamed, add: event.amount}]",
        "ledger: [{on: renamed, amount: event.amount, ref: event.meta.id}]",
    ],
)
def test_what_is_no_number_is_not_kept_to_be_added_up_later(kind: str, total: Any) -> None:
    """The first event has no number, and no schema says that it must: it is left out, and the next one counts."""
    play = Play(f"traits: t\ndefine: {{owed: {{{kind}}}}}")
    play.comes("renamed", 0, amount=total)
    play.comes("renamed", 1 * M, amount=7)
    assert play.profile("owed") == 7


@pytest.mark.parametrize("line", [{"sku": "A", "qty": "two"}, {"sku": ["A"], "qty": 1}])
def test_a_basket_takes_in_only_what_it_can_count(line: dict[str, Any]) -> None:
    """No schema says what `sku` and `qty` of this event are."""
    play = Play("traits: t\ndefine: {cart: {basket: {id: event.cart, add: renamed}}}")
    play.comes("renamed", 0, cart="c1", **line)
    play.comes("renamed", 1 * M, cart="c1", sku="B", qty=2)
    assert play.profile("cart")["lines"] == [{"sku": "B", "qty": 2}]


EVENTS: st.SearchStrategy[list[tuple[int, tuple[str, dict[str, Any]]]]] = st.lists(
    st.tuples(
        st.integers(0, 8 * M),
        st.sampled_from(
            [
                ("seen", {"page": "/a", "seconds": 70.0, "tags": ["x", "y"]}),
                ("seen", {"page": "/b", "seconds": 5.0}),
                ("bought", {"order": "o1", "total": 120.0, "items": ["A"]}),
                ("bought", {"order": "o2", "total": 20.0, "items": ["B"]}),
                ("returned", {"order": "o1", "share": 0.5}),
                ("put", {"sku": "A", "qty": 2, "cart": "c1"}),
                ("taken", {"sku": "A", "qty": 1, "cart": "c1"}),
                ("emptied", {"cart": "c1"}),
                ("told", {"word": "city", "value": "Lyon"}),
                ("told", {"word": "declared", "value": "a friend"}),
                ("told", {"word": "gone", "value": "A"}),
                ("logged_out", {}),
            ]
        ),
    ),
    min_size=1,
    max_size=10,
)


def state(program: Any, events: list[tuple[int, str, dict[str, Any]]], order: list[int]) -> dict[str, Any]:
    play = Play(program)
    for number in order:
        time, type_, data = events[number]
        play.comes(type_, 10 * M, happened=time, id_=f"e{number:02}", **data)
    play.passes(1 * D)
    return profile_of(play, program)


def profile_of(play: Any, program: Any) -> dict[str, Any]:
    """Every trait as plain data; sets have no order."""
    found = {name: play.profile(name) for name in program.traits.by_name}
    plain = {name: dict(value.items()) if isinstance(value, dict) else value for name, value in found.items()}
    return {name: sorted(value, key=repr) if name == "skus" else value for name, value in plain.items()}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_events_of_a_customer_in_any_order_make_the_same_profile(data: st.DataObject) -> None:
    """All of them happened within the lateness, so their order of arrival shows in no trait."""
    events = [(time, type_, dict(properties)) for time, (type_, properties) in data.draw(EVENTS)]
    order = data.draw(st.permutations(range(len(events))))
    in_order = sorted(order, key=lambda number: (events[number][0], number))
    assert state(PROGRAM, events, order) == state(PROGRAM, events, in_order)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_two_visitors_who_turn_out_to_be_one_have_the_profile_of_one(data: st.DataObject) -> None:
    events = [(time, type_, dict(properties)) for time, (type_, properties) in data.draw(EVENTS)]
    whose = [data.draw(st.booleans()) for _ in events]
    halves, whole = Play(PROGRAM, partitions=4), Play(PROGRAM, partitions=4)
    for number, (time, type_, properties) in sorted(enumerate(events), key=lambda one: (one[1][0], one[0])):
        halves.comes(
            type_,
            10 * M,
            "email:amy@example.com" if whose[number] else "user_id:amy",
            happened=time,
            id_=f"e{number:02}",
            **properties,
        )
        whole.comes(type_, 10 * M, happened=time, id_=f"e{number:02}", **properties)
    halves.comes("delivered", 10 * M + S, "user_id:amy email:amy@example.com", id_="meet", channel="email")
    whole.comes("delivered", 10 * M + S, "user_id:amy email:amy@example.com", id_="meet", channel="email")
    assert profile_of(halves, PROGRAM) == profile_of(whole, PROGRAM)


def test_of_two_stored_values_the_newer_counts_after_a_merge() -> None:
    play = Play(
        "traits: t\ndefine: {note: {stored: string}}",
        "scenario: noting\nentry: {on: told}\nsteps: [{id: keep, set: {profile: {note: entry.value}}}]",
        partitions=4,
    )
    play.comes("told", 0, value="old")
    play.comes("told", 1 * M, "email:amy@example.com", value="new")
    play.comes("delivered", 2 * M, "user_id:amy email:amy@example.com", channel="email")
    assert play.profile("note") == "new"


def test_keys_kept_holds_after_a_merge_too() -> None:
    play = Play(PROGRAM, partitions=4)
    for minute, (who, page) in enumerate([("user_id:amy", "/a"), ("user_id:amy", "/b"), ("email:amy@example.com", "/c"),
                                          ("user_id:amy", "/d"), ("email:amy@example.com", "/e")]):  # fmt: skip
        play.comes("seen", minute * M, who, page=page, seconds=1.0)
    play.comes("delivered", 10 * M, "user_id:amy email:amy@example.com", channel="email")
    assert sorted(play.profile("interest").keys()) == ["/c", "/d", "/e"]
