"""Figures over recorded events: the bundle is played over them on the production engine."""

from datetime import UTC, datetime
from typing import Any

import orjson

from orchestrator.engine.program.build import build_program
from orchestrator.kpis.figures import Figure
from orchestrator.rehearsal.asking import ask
from orchestrator.rehearsal.counting import Counted, count, play
from orchestrator.rehearsal.recorded import Recorded
from orchestrator.rehearsal.world import World
from tests.kpis.house import DAY, START, load

HOUR = 3_600_000
MORE = """
---
traits: all
define: {orders: {count: true, on: order_placed}}
---
segment: buyers
where: profile.orders > 1
---
policy: contact
preferred_order: [email]
---
content: em.c
class: marketing
campaign: autumn
variants: {email: {name: mail.c, subject: C, body: C}}
---
scenario: offered
entry: {on: order_placed, key: event.order}
steps: [{id: c, send: {content: em.c}}]
---
scenario: third
entry: {on: feedback_given}
goal: {on: order_placed}
holdout: 100%
steps: [{id: a, send: {content: em.a}}]
---
scenario: asked
entry: {on: order_returned, key: event.order}
steps:
  - {id: care, task: {queue: care, due: 1h, close_on: [{on: feedback_given}]}}
"""


def recorded(type_: str, at: int, channel: str = "web", late: int = 0, **data: object) -> Recorded:
    """An event that happened `at` and arrived `late` ms after."""
    event = {
        "id": f"{type_}-{at}-{sorted(data.items())}", "source": "shop", "type": type_, "channel": channel,
        "time": datetime.fromtimestamp((START + at) / 1000, UTC).isoformat(), "data": data,
    }  # fmt: skip
    return Recorded(START + at + late, f"channel.{channel}", orjson.dumps(event), dict(data))


def counted(kpi: str, events: list[Recorded], since: int = 0, onward: int = 0) -> Counted:
    bundle = load(f"kpi: it\n{kpi}{MORE}")
    ordered = sorted(events, key=lambda one: one.at)
    return count(["it"], bundle, play(bundle, build_program(bundle), ordered, START, since=since, onward=onward))


def values(kpi: str, events: list[Recorded], since: int = 0, onward: int = 0) -> dict[str, float]:
    (found,) = counted(kpi, events, since, onward).figures
    assert isinstance(found, Figure)
    return {"/".join(row.group): row.of for row in found.rows}


AMY: dict[str, Any] = {"user_id": "amy", "email": "amy@example.com"}
BEN: dict[str, Any] = {"user_id": "ben", "email": "ben@example.com"}


def test_a_duplicate_counts_once_and_two_names_are_one_person() -> None:
    events = [
        recorded("order_placed", 0, order="o1", **AMY),
        recorded("order_placed", 0, late=HOUR, order="o1", **AMY),
        recorded("order_placed", HOUR, order="o2", email="amy@example.com"),
        recorded("order_placed", 2 * HOUR, order="o3", **BEN),
    ]
    assert values("of: {count: events, on: order_placed}", events) == {"": 3}
    assert values("of: {count: persons, on: order_placed}", events) == {"": 2}


def test_names_that_become_one_later_were_one_person_all_along() -> None:
    events = [
        recorded("order_placed", 0, order="o1", user_id="amy"),
        recorded("order_placed", HOUR, order="o2", email="amy@example.com"),
        recorded("feedback_given", 2 * HOUR, score=9, **AMY),
    ]
    assert values("of: {count: persons, on: order_placed}", events[:2]) == {"": 2}
    assert values("of: {count: persons, on: order_placed}", events) == {"": 1}


def test_what_the_engine_sends_and_what_becomes_of_it() -> None:
    order = recorded("order_placed", 0, order="o1", **AMY)
    opened = recorded("opened", HOUR, "email", email="amy@example.com", message="em.a")
    kpi = "of: {count: persons, on: email.opened, within: 7d}\nover: {count: persons, on: contact_sent}\nby: [campaign]"
    assert values(kpi, [order, opened]) == {"autumn": 0, "spring": 1}
    other = recorded("delivered", HOUR, "email", email="amy@example.com", message="of-another-release")
    assert counted(kpi, [order, other]).strangers == 1
    assert counted(kpi, [order, opened]).strangers == 0


def test_what_was_held_back_is_counted_with_its_reason() -> None:
    events = [recorded("order_placed", hour * HOUR, order=f"o{hour}", **AMY) for hour in range(3)]
    kpi = 'of: {count: events, on: contact_suppressed, where: event.reason == "no_consent"}\nby: [content, campaign]'
    assert values(kpi, events) == {"em.c/autumn": 3}


def test_who_is_held_out_and_how_their_story_ends() -> None:
    events = [recorded("feedback_given", 0, score=9, **AMY), recorded("order_placed", HOUR, order="o1", **AMY)]
    entered = "of: {count: persons, on: order_placed, within: 7d}\nover: {count: persons, on: entered}\n"
    assert values(f"{entered}by: [scenario]\nversus: holdout", events)["third/holdout"] == 1
    assert values('of: {count: instances, on: exited, where: event.outcome == "won"}\nby: [scenario]', events) == {
        "third": 1,
    }  # fmt: skip


def test_tasks_and_how_long_they_took() -> None:
    events = [
        recorded("order_returned", 0, order="o1", **AMY),
        recorded("feedback_given", 30 * 60_000, score=9, **AMY),
        recorded("order_returned", DAY, order="o2", **BEN),
        recorded("feedback_given", DAY + 2 * HOUR, score=9, **BEN),
    ]
    assert values("of: {count: events, on: task_opened}\nby: [scenario]", events) == {"asked": 2}
    assert values("of: {count: events, on: task_overdue}", events) == {"": 1}
    assert values("of: {time: {from: task_opened, to: task_closed}}", events) == {"": 2.5 * HOUR}


def test_the_clock_runs_on_after_the_last_event() -> None:
    events = [recorded("order_returned", 0, order="o1", **AMY)]
    assert values("of: {count: events, on: task_overdue}", events) == {"": 0}
    assert values("of: {count: events, on: task_overdue}", events, onward=DAY) == {"": 1}


def test_what_was_before_is_played_and_not_counted() -> None:
    events = [
        recorded("order_placed", 0, order="o1", **AMY),
        recorded("opened", 2 * DAY, "email", email="amy@example.com", message="em.a"),
    ]
    kpi = "of: {count: events, on: [contact_sent, email.opened]}\nby: [campaign]"
    assert values(kpi, events, since=START + DAY) == {"spring": 1}


def test_segments_are_those_of_the_end() -> None:
    events = [recorded("order_placed", hour * HOUR, order=f"o{hour}", **AMY) for hour in range(2)]
    events.append(recorded("order_placed", 0, order="o9", **BEN))
    assert values("of: {count: customers}\nby: [segment]", events) == {"buyers": 1, "good": 2}
    assert values("of: {count: events, on: order_placed}\nby: [segment]", events) == {"buyers": 2, "good": 3}


def test_what_cannot_be_taken_in_is_told() -> None:
    nobodys = recorded("order_placed", 0, order="o1")
    found = counted("of: {count: events, on: order_placed}", [nobodys, recorded("order_placed", 0, order="o2", **AMY)])
    assert (found.events, found.refused) == (2, 1)
    assert found.figures[0].rows[0].of == 1


CARDS = """
---
events: clicks
define: {slot_clicked: {channel: [web]}}
---
slot: web.home
candidates: []
default: none
---
content: ct.card
class: service
variants: {web: {title: Card}}
---
scenario: carded
entry: {on: feedback_given, key: string(event.score)}
steps: [{id: card, show: {slots: [web.home], content: ct.card, for: 2d}}]
"""


def test_what_scenarios_place_in_slots_and_the_clicks_that_name_it() -> None:
    placing = [recorded("feedback_given", score * HOUR, score=float(score), **AMY) for score in (1, 2)]
    placed = "of: {count: placements}\nby: [scenario, content]" + CARDS
    assert values(placed, placing) == {"carded/ct.card": 2}
    bundle = load(f"kpi: it\n{placed}{MORE}")
    world = World(build_program(bundle), START)
    for one in placing:
        world.arrive(one.topic, world.key_of(one.data), one.value, one.at)
    asked = ask(world, "web.home", ["user_id:amy"], {"channel": "web"}, on_record=False)
    click = recorded("slot_clicked", 3 * HOUR, placement=asked["placement"], slot="web.home", content="ct.card", **AMY)
    stray = recorded("slot_clicked", 4 * HOUR, slot="web.home", content="ct.other", **AMY)
    clicked = "of: {count: events, on: slot_clicked}\nover: {count: placements}\nby: [scenario]" + CARDS
    (found,) = counted(clicked, [*placing, click, stray]).figures
    assert isinstance(found, Figure)
    assert [("/".join(row.group), row.of, row.over) for row in found.rows] == [("(none)", 1, 0), ("carded", 1, 2)]
