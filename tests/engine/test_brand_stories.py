"""Stories of the brand: begun by events that are nobody's, one record for each key of the fact that they change."""

import pytest
from play import H, M, Play, program_of

from orchestrator.rehearsal.asking import context
from orchestrator.rehearsal.explain import explain
from orchestrator.rehearsal.gathering import Gathering

COVER = """
scenario: cover
for: brand
entry: {on: level, where: event.qty == 0, key: event.sku}
exit: {on: level, where: event.qty > 0, reason: back}
steps:
  - {id: tell, emit: {event: told, with: {word: '"sold out"', value: entry.sku}}}
  - {id: wait, wait_until: {on: level, where: event.qty < 0, timeout: 2h}}
  - {id: still, emit: {event: told, with: {word: steps.wait.matched, value: 'string(stock(entry.sku))'}}}
"""


def level(play: Play, at: int, sku: str, qty: int, place: str = "web", id_: str = "") -> None:
    play.comes("level", at, "", channel="stock", sku=sku, place=place, qty=qty, id_=id_)


def test_an_event_of_the_brand_begins_a_story_and_time_moves_it() -> None:
    play = Play(COVER)
    level(play, 0, "A", 0)
    play.passes(3 * H)
    assert [one.data for one in play.emitted] == [{"word": "sold out", "value": "A"}, {"word": "", "value": "0"}]


def test_each_key_of_the_fact_has_its_own_story() -> None:
    play = Play(COVER)
    level(play, 0, "A", 0)
    level(play, M, "B", 0)
    level(play, H, "A", 5)
    play.passes(3 * H)
    assert [one.data["value"] for one in play.emitted] == ["A", "B", "0"]
    assert play.ended() == [("lost", "back"), ("done", "finished")]


def test_the_same_event_twice_counts_once() -> None:
    play = Play(COVER)
    for at in (0, M):
        level(play, at, "A", 0, id_="same")
    assert len(play.emitted) == 1


@pytest.mark.parametrize("partitions", [1, 3])
def test_it_is_told_wherever_its_record_lives(partitions: int) -> None:
    play = Play(COVER, partitions=partitions)
    for number in range(6):
        level(play, number, f"S{number}", 0)
    play.passes(3 * H)
    assert sorted(one.data["value"] for one in play.emitted) == sorted([f"S{n}" for n in range(6)] + ["0"] * 6)


ECHO = """
scenario: echo
entry: {on: entered, where: event.scenario != "echo"}
steps: [{id: say, emit: {event: told, with: {word: entry.scenario}}}]
---
scenario: daily
audience: profile.version > 0
entry: {every: {days: [mon], time: "11:00"}}
steps: [{id: say, emit: {event: told, with: {word: '"daily"'}}}]
---
scenario: always
entry: {becomes: profile.version > 0}
steps: [{id: say, emit: {event: told, with: {word: '"becomes"'}}}]
---
scenario: looks
entry: {on: seen}
steps: [{id: wait, delay: {for: 3h}}]
"""


def test_stories_of_customers_begin_for_customers_only_and_those_of_the_brand_for_it_alone() -> None:
    play = Play(COVER, ECHO)
    level(play, 0, "A", 0)
    play.passes(H + M)
    assert [one.data["word"] for one in play.emitted] == ["sold out"]
    assert play.customer("brand:A/web").matching == {}, "a schedule of customers has a timer there"
    play.comes("seen", H + 2 * M, page="p")
    assert "looks" in [one.data["word"] for one in play.emitted]


def test_it_may_give_people_work() -> None:
    steps = "steps: [{id: buy, task: {queue: purchase}}]"
    play = Play(f"scenario: refill\nfor: brand\nentry: {{on: level, where: event.qty == 0}}\n{steps}")
    level(play, 0, "A", 0)
    assert [(task.queue, task.state) for task in play.tasks] == [("purchase", "open")]


def test_it_is_explained_by_its_node_and_no_customer_is_explained_by_it() -> None:
    play = Play(COVER, explain=True)
    level(play, 0, "A", 0)
    play.comes("seen", M, page="p")
    brands = explain(play.world, ["brand:A/web"], play.world.record.happenings)
    assert [(one.scenario, sorted(one.stands)) for one in brands.scenarios] == [("cover", ["wait"])]
    assert explain(play.world, ["user_id:amy"], play.world.record.happenings).scenarios == ()


def test_figures_count_no_customer_by_it() -> None:
    figure = "kpi: people\nof: {count: customers}"
    play = Play(COVER, figure)
    level(play, 0, "A", 0)
    play.comes("seen", M, page="p")
    gathering = Gathering({})
    gathering.take(play.world.record.happenings, [])
    assert list(gathering.history(play.world).people) == ["user_id:amy"]


def test_what_the_brand_does_is_known_of_no_customer() -> None:
    play = Play(COVER)
    level(play, 0, "A", 0)
    assert context(play.world, "user_id:amy")["journeys"] == []
    assert program_of(COVER).scenarios["cover"].document.for_ == "brand"
