"""One customer's record stays bounded, whatever and however often somebody does something."""

from typing import Any

from play import H, Play, program_of

from orchestrator.engine.conversation import MOST_SAID, THREADS_KEPT
from orchestrator.engine.identity.merge import TIMELINE_KEPT
from orchestrator.engine.intake import LONGEST_LINE
from orchestrator.model.codec import encode_node
from orchestrator.model.customer import Node
from orchestrator.model.lines import lines_of

KINDS = {
    "first": "{first: event.page, on: seen}",
    "last": "{last: event.page, on: seen}",
    "last of lines": "{last: [{on: seen, value: event.page, label: a}, {on: told, value: event.value, label: b}]}",
    "best": "{best: event.page, by: event.seconds, on: seen}",
    "count": "{count: 'true', on: seen}",
    "windowed count": "{count: 'true', on: seen, window: 1d}",
    "sum": "{sum: event.seconds, on: seen}",
    "windowed sum": "{sum: event.seconds, on: seen, window: 1d}",
    "set": "{set: event.page, on: seen}",
    "list": "{list: '{\"page\": event.page}', on: seen, keep: 20}",
    "score": "{score: [{on: seen, add: 1, once_per: 30m}]}",
    "score that halves": "{half_life: 1d, score: [{on: seen, add: 1}]}",
    "score that resets": "{reset_after: 1d, score: [{on: seen, add: 1}]}",
    "most": "{most: event.page, on: seen, share: 10%}",
    "flag": "{flag: {on: seen, off: logged_out}}",
    "basket": "{basket: {id: event.cart, add: put, empty: emptied}}",
    "ledger": "{ledger: [{on: bought, amount: event.total, ref: event.order}]}",
    "keyed": "{per: event.page, count: 'true', on: seen}",
    "keyed score": "{per: event.page, score: [{on: seen, add: 1}]}",
}
TIMES = 600


def lives(play: Any, begin: int) -> None:
    """Every hour something that never was before."""
    for number in range(begin, begin + TIMES):
        play.comes("seen", number * H, page=f"/{number:06}", seconds=1.0)
        play.comes("bought", number * H + 1, order=f"o-{number:06}", total=10.0)
        play.comes("put", number * H + 2, sku=f"sku-{number:06}", cart="c")


def sizes(play: Any) -> dict[str, int]:
    """Bytes of each trait, and of the whole record."""
    customer = play.customer()
    kept = {name: len(state) for name, state in customer.traits.items()}
    return {**kept, "the record": len(encode_node(Node(body=customer), 0, 0))}


def test_what_is_kept_of_one_customer_is_bounded() -> None:
    """What grew with the events would be twice as large after twice as many."""
    named = {kind.replace(" ", "_"): definition for kind, definition in KINDS.items()}
    play = Play(program_of("traits: t\ndefine:\n" + "".join(f"  t_{name}: {one}\n" for name, one in named.items())))
    lives(play, 0)
    before = sizes(play)
    assert len(before) == len(KINDS) + 1
    lives(play, TIMES)
    assert {name: size for name, size in sizes(play).items() if size > 1.5 * before[name] + 50} == {}


TALK = "conversation: all\nturns: [{on: asked, by: customer, text: event.text}]\nthread: [event.thread]\nkeep: 5"
ASKING = "scenario: s\nentry: {on: asked}\nsteps: [{id: say, emit: {event: opened}}]"


def test_of_conversations_the_newest_threads_are_kept_and_of_a_turn_its_beginning() -> None:
    play = Play(TALK, ASKING)
    for number in range(THREADS_KEPT + 10):
        play.comes("asked", number * H, thread=f"q-{number:02}", text=f"{number} " + "x" * 50_000)
    threads = play.profile("threads")
    assert sorted(threads) == [f"q-{number:02}" for number in range(10, THREADS_KEPT + 10)]
    assert {len(thread["last"]["text"]) for thread in threads.values()} == {MOST_SAID}
    assert threads["q-59"]["last"]["text"].startswith("59 x")


def test_a_thread_that_goes_on_stays_though_it_began_first() -> None:
    play = Play(TALK, ASKING)
    for number in range(THREADS_KEPT + 10):
        play.comes("asked", number * H, thread=f"q-{number:02}", text="a")
        play.comes("asked", number * H + 1, thread="first", text="b")
    assert play.profile("threads")["first"]["turns"] == THREADS_KEPT + 10


def test_the_largest_events_leave_their_properties_on_the_timeline_no_more_than_small_ones_do() -> None:
    play = Play("scenario: s\nentry: {on: asked}\ngoal: {on: seen}\nsteps: [{id: say, emit: {event: opened}}]")
    for number in range(TIMELINE_KEPT):
        play.comes("seen", number * H, page="x" * (60_000 if number % 2 else 100))
    timeline = play.customer().timeline
    assert len(timeline) < TIMELINE_KEPT * LONGEST_LINE
    assert [line.data is None for line in lines_of(timeline)] == [bool(n % 2) for n in range(TIMELINE_KEPT)]
