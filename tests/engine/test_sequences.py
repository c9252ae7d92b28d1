"""Entry by sequence: ordered by event time, once per last event, whatever the order of arrival."""

from itertools import permutations

import pytest
from play import START, D, H, M, Play, S

from orchestrator.rehearsal.explain import explain

EVENTS = """
---
events: told_outside
define: {torn: {channel: [web]}, left: {channel: [web]}, got: {channel: [web]}}
"""

ABA = (
    """
scenario: torn
entry:
  sequence:
    - {as: first, on: seen}
    - {as: other, on: seen, where: event.page != first.page && event.n == first.n}
    - {as: again, on: seen, where: event.page == first.page}
  within: 10m
  key: first.page + "/" + other.page
steps:
  - {id: tell, emit: {event: torn, with: {first: entry.first.page, other: entry.other.page, last: entry.page}}}
"""
    + EVENTS
)

LEFT = (
    """
scenario: left
entry:
  sequence:
    - {as: cart, on: put}
    - {on: told, where: event.word == "checkout"}
    - {absent: bought, where: event.order == cart.cart, for: 1h}
  within: 30m
steps:
  - {id: still, silence: {of: [seen], for: 10m}}
  - {id: tell, emit: {event: left, with: {sku: entry.cart.sku, word: entry.word}}}
"""
    + EVENTS
)


def torn(play: Play) -> list[tuple[str, str]]:
    return [(emitted.data["first"], emitted.data["other"]) for emitted in play.emitted]


def entered(play: Play) -> list[str]:
    return [note.detail["key"] for note in play.notes("entered")]


def test_three_events_in_order_complete_it_and_others_may_lie_between() -> None:
    play = Play(ABA)
    play.comes("seen", 0, page="a", n=1)
    play.comes("told", 1 * S, word="x")
    play.comes("seen", 2 * S, page="b", n=1)
    play.comes("seen", 3 * S, page="c", n=2)
    assert entered(play) == []
    play.comes("seen", 4 * S, page="a", n=1)
    assert entered(play) == ["a/b"]
    assert torn(play) == [("a", "b")]
    assert play.emitted[0].data["last"] == "a"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_arrival_does_not_matter(order: tuple[int, ...]) -> None:
    play = Play(ABA)
    pages = ("a", "b", "a")
    for arrival, number in enumerate(order):
        play.comes("seen", M + arrival * S, happened=number * S, id_=f"e-{number}", page=pages[number], n=1)
    assert entered(play) == ["a/b"]
    assert play.customer().ordinals["torn\na/b"][0] == 1


def test_a_duplicate_completes_nothing_even_when_the_dedupe_window_has_forgotten_it() -> None:
    play = Play(ABA)
    for number, page in enumerate("aba"):
        play.comes("seen", number * S, id_=f"e-{number}", page=page, n=1)
    play.customer().window.clear()
    play.comes("seen", 10 * S, happened=2 * S, id_="e-2", page="a", n=1)
    assert entered(play) == ["a/b"]


def test_one_last_event_completes_once_and_the_next_one_again() -> None:
    play = Play(ABA)
    for number, page in enumerate("abab"):
        play.comes("seen", number * S, page=page, n=1)
    assert entered(play) == ["a/b", "b/a"]


def test_first_to_last_lie_within_the_span() -> None:
    play = Play(ABA)
    play.comes("seen", 0, page="a", n=1)
    play.comes("seen", 9 * M, page="b", n=1)
    play.comes("seen", 10 * M + 1, page="a", n=1)
    assert entered(play) == []
    play.comes("seen", 12 * M, page="b", n=1)
    assert entered(play) == ["b/a"]


def test_a_late_event_is_no_element() -> None:
    play = Play(ABA)
    play.comes("seen", 3 * D, page="a", n=1)
    play.comes("seen", 3 * D + 1, happened=-2 * D, page="a", n=1)
    play.comes("seen", 3 * D + 2, happened=-2 * D + 1, page="b", n=1)
    assert play.told("not_entered") == [("not_entered", "torn", "late_event")] * 2
    assert entered(play) == []


def test_what_is_kept_is_bounded_and_only_what_is_read() -> None:
    play = Play(ABA)
    for number in range(80):
        play.comes("seen", number, page="a", n=number, seconds=1.0, tags=["x"])
    assert len(play.customer().matching["torn"][1]) < 50 * 140
    play.comes("told", 100, word="x")
    assert list(play.customer().matching) == ["torn"]


def test_without_sequences_nothing_is_kept() -> None:
    play = Play("scenario: a\nentry: {on: seen}\nsteps: [{id: stop, end: {}}]\n")
    play.comes("seen", page="a")
    assert play.customer().matching == {}


def test_absent_completes_when_the_time_has_passed_after_the_element_before() -> None:
    play = Play(LEFT)
    play.comes("put", 0, sku="x", cart="c1")
    play.comes("told", 5 * M, word="checkout")
    play.passes(65 * M - 1)
    assert play.told("entered") == []
    play.passes(65 * M)
    assert play.told("entered") == [("entered", "left", "")]
    play.passes(75 * M)
    assert play.emitted[0].data == {"sku": "x", "word": "checkout"}


def test_what_must_be_absent_ends_the_wait_and_another_order_does_not() -> None:
    play = Play(LEFT)
    play.comes("put", 0, sku="x", cart="c1")
    play.comes("told", 5 * M, word="checkout")
    play.comes("bought", 6 * M, order="other")
    play.passes(64 * M)
    play.comes("bought", 64 * M, order="c1")
    play.passes(3 * H)
    assert play.told("entered") == []


def test_what_must_be_absent_may_arrive_before_the_element_before_it() -> None:
    play = Play(LEFT)
    play.comes("bought", 0, happened=-5 * M, order="c1")
    play.comes("put", 1 * S, happened=-20 * M, sku="x", cart="c1")
    play.comes("told", 2 * S, happened=-10 * M, word="checkout")
    play.passes(3 * H)
    assert play.told("entered") == []


def test_what_happened_before_the_element_is_not_what_must_be_absent() -> None:
    play = Play(LEFT)
    play.comes("bought", 0, order="c1")
    play.comes("put", 1 * M, sku="x", cart="c1")
    play.comes("told", 5 * M, word="checkout")
    play.passes(2 * H)
    assert play.told("entered") == [("entered", "left", "")]


def test_an_absence_that_is_over_when_its_element_arrives_completes_at_once() -> None:
    play = Play(LEFT.replace("for: 1h", "for: 5m"))
    play.comes("put", 0, happened=-9 * M, sku="x", cart="c1")
    play.comes("told", 1 * S, happened=-6 * M, word="checkout")
    assert play.told("entered") == [("entered", "left", "")]


def test_each_enters_once_per_element_of_the_last_event() -> None:
    play = Play(
        """
scenario: both
entry:
  sequence:
    - {as: first, on: seen}
    - {on: bought}
  within: 1h
  each: event.items
  key: item + first.page
steps: [{id: tell, emit: {event: got, with: {item: entry.item, page: entry.first.page}}}]
"""
        + EVENTS
    )
    play.comes("seen", 0, page="p")
    play.comes("bought", 1 * S, items=["x", "y"])
    assert entered(play) == ["xp", "yp"]
    assert [emitted.data for emitted in play.emitted] == [{"item": "x", "page": "p"}, {"item": "y", "page": "p"}]


def test_two_halves_complete_together_what_neither_completed_alone() -> None:
    play = Play(ABA, partitions=4)
    play.comes("seen", 0, "anonymous_id:a1", page="a", n=1)
    play.comes("seen", 1 * S, "user_id:amy", page="b", n=1)
    play.comes("seen", 2 * S, "anonymous_id:a1", page="a", n=1)
    assert entered(play) == []
    play.comes("told", 3 * S, "user_id:amy anonymous_id:a1", word="login")
    play.passes(10 * S)
    assert entered(play) == ["a/b"]
    play.comes("seen", 5 * M, "user_id:amy", page="c", n=1)
    assert entered(play) == ["a/b"]


def test_the_last_event_may_be_the_one_that_links() -> None:
    play = Play(ABA, partitions=4)
    play.comes("seen", 0, "anonymous_id:a1", page="a", n=1)
    play.comes("seen", 1 * S, "user_id:amy", page="b", n=1)
    play.comes("seen", 2 * S, "user_id:amy anonymous_id:a1", page="a", n=1)
    play.passes(10 * S)
    assert entered(play) == ["a/b"]


def test_explain_says_what_would_end_the_wait() -> None:
    play = Play(LEFT)
    play.comes("put", 0, sku="x", cart="c1")
    play.comes("told", 5 * M, word="checkout")
    (account,) = explain(play.world, ["user_id:amy"], play.world.record.happenings).scenarios
    assert [(one.at - START, one.what) for one in account.next] == [
        (65 * M, "its sequence is complete, unless bought comes before")
    ]
