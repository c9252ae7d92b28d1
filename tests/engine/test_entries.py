"""Who enters a scenario, when, under which key, and why somebody does not."""

from typing import Any

import pytest
from play import D, H, M, Play, program_of

from orchestrator.engine.program.build import MOST_REMEMBERED
from orchestrator.model.customer import Instance

SPENT = "traits: t\ndefine: {spent: {sum: event.total, on: [bought, returned]}}"


def tale(entry: str, rest: str = "", name: str = "tale", steps: str = "[{id: wait, delay: {for: 10h}}]") -> str:
    return f"scenario: {name}\nentry: {entry}\n{rest}\nsteps: {steps}\n"


def live(play: Any, who: str = "user_id:amy") -> list[Instance]:
    found: list[Instance] = play.customer(who).instances
    return found


def test_where_decides_on_the_event() -> None:
    play = Play(tale("{on: seen, where: event.page == '/x'}"))
    play.comes("seen", page="/y")
    assert live(play) == []
    play.comes("seen", page="/x")
    assert [one.scenario for one in live(play)] == ["tale"]


@pytest.mark.parametrize("value", ["/x", ["/x"], {"a": 1}, 7, None])
def test_an_equality_is_found_by_value_and_other_values_are_no_fault(value: Any) -> None:
    """The index over equalities must give what the condition itself would; lists cannot be looked up in it."""
    play = Play(tale("{on: renamed, where: event.to == '/x'}"))
    play.comes("renamed", to=value)
    assert len(live(play)) == (value == "/x")


def test_several_conditions_on_one_event_are_each_looked_at() -> None:
    both = "event.page in ['/x', '/y'] && event.seconds > 5.0"
    one = tale("{on: seen, where: event.page == '/x'}", name="a")
    play = Play(one, tale(f'{{on: seen, where: "{both}"}}', name="b"), tale("{on: seen}", name="c"))
    play.comes("seen", page="/x", seconds=9.0)
    assert [one.scenario for one in live(play)] == ["a", "b", "c"]


def test_a_type_on_one_channel_may_be_named_with_it() -> None:
    play = Play(tale("{on: email.delivered}"))
    play.comes("delivered", channel="push")
    assert live(play) == []
    play.comes("delivered", channel="email")
    assert len(live(play)) == 1


def test_one_instance_lives_for_each_key() -> None:
    play = Play(tale("{on: bought, key: event.order}"))
    for order in ("o1", "o2", "o1"):
        play.comes("bought", order=order, total=1.0)
    assert [one.key for one in live(play)] == ["o1", "o2"]


def test_each_element_enters_under_its_own_key() -> None:
    steps = "[{id: hi, emit: {event: opened, with: {i: entry.item}}}]"
    play = Play(tale("{on: bought, each: event.items, key: item, where: item != 'B'}", steps=steps))
    play.comes("bought", order="o1", total=1.0, items=["A", "B", "C"])
    assert [one.data["i"] for one in play.emitted] == ["A", "C"]


@pytest.mark.parametrize("items", [None, []])
def test_nothing_enters_where_there_is_no_element(items: Any) -> None:
    play = Play(tale("{on: bought, each: event.items, key: item}"))
    play.comes("bought", order="o1", total=1.0, items=items)
    assert live(play) == []


def test_if_live_ignores_by_default_and_restarts_where_it_says_so() -> None:
    play = Play(tale("{on: seen}"))
    play.comes("seen")
    play.comes("seen", 1 * H)
    assert [one.ordinal for one in live(play)] == [1]
    play = Play(tale("{on: seen, if_live: restart}"))
    play.comes("seen")
    play.comes("seen", 1 * H)
    assert ([one.ordinal for one in live(play)], play.ended()) == ([2], [("lost", "restarted")])


@pytest.mark.parametrize(("re_entry", "entered"), [("always", 3), ("never", 1), ("{after: 3h}", 2)])
def test_re_entry(re_entry: str, entered: int) -> None:
    """`after` counts from the entry before, not from its end."""
    play = Play(tale(f"{{on: seen, re_entry: {re_entry}}}", steps="[{id: hi, delay: {for: 1h}}]"))
    for hour in (0, 2, 4):
        play.comes("seen", hour * H)
    assert len(play.notes("entered")) == entered
    assert set(play.reasons("not_entered")) == ({"re_entry"} if entered < 3 else set())


def test_a_new_entry_of_its_key_ends_what_only_rests() -> None:
    play = Play(tale("{on: seen}", "goal: {on: bought, keep_watching: 2d}", steps="[{id: hi, emit: {event: opened}}]"))
    play.comes("seen")
    play.comes("seen", 1 * H)
    assert (play.ended(), [one.ordinal for one in live(play)]) == ([("done", "finished")], [2])


def test_the_audience_is_checked_at_entry_only() -> None:
    play = Play(SPENT, tale("{on: seen}", "audience: profile.spent < 5.0"), explain=True)
    play.comes("seen")
    play.comes("bought", order="o1", total=9.0)
    assert len(live(play)) == 1
    play.comes("seen", 20 * H)
    assert "not_in_audience" in play.reasons("not_entered")


def test_nobody_enters_what_would_end_at_once() -> None:
    traits = "traits: t\ndefine: {spent: {sum: event.total, on: bought}}"
    for rest, reason in (
        ("while: profile.spent > 5.0", "condition_no_longer_true"),
        ("exit: [{when: profile.spent < 5.0, reason: poor}]", "poor"),
    ):
        play = Play(traits, tale("{on: seen}", rest))
        play.comes("seen")
        assert (live(play), play.reasons("not_entered")) == ([], [reason])


def test_closed_entries_let_nobody_in_and_live_instances_go_on() -> None:
    play = Play(tale("{on: seen}", "entries: closed"))
    play.comes("seen")
    assert (live(play), play.reasons("not_entered")) == ([], ["entries_closed"])


def test_who_is_held_out_lives_for_goal_and_exits_only() -> None:
    program = program_of(
        tale("{on: seen}", "holdout: 10%\ngoal: {on: bought}", steps="[{id: hi, emit: {event: opened}}]")
    )
    program.draw = lambda _tenant, salt, _person: 9.99 if salt == "tale" else 50.0
    play = Play(program)
    play.comes("seen")
    assert ([one.mode for one in live(play)], play.emitted) == (["holdout"], [])
    play.comes("bought", 1 * H, order="o1", total=1.0)
    assert play.ended() == [("won", "converted")]
    program.draw = lambda _tenant, _salt, _person: 10.0
    play = Play(program)
    play.comes("seen")
    assert [one.mode for one in live(play)] == ["rest"]


def test_a_key_that_is_unknown_enters_nobody() -> None:
    play = Play(tale("{on: seen, key: string(event.n + 1)}"))
    play.comes("seen")
    assert (live(play), len(play.notes("unknown"))) == ([], 1)


def test_entries_see_the_whole_person_where_an_event_names_a_new_identifier() -> None:
    """The order at the first login is judged with what the browser did before, not on an empty profile."""
    views = "traits: t\ndefine: {views: {count: 'true', on: seen}}"
    play = Play(views, tale("{on: bought, where: profile.views == 2}"), partitions=4)
    play.comes("seen", 0, "anonymous_id:a1")
    play.comes("seen", 1 * M, "anonymous_id:a1")
    play.comes("bought", 2 * M, "user_id:amy anonymous_id:a1", order="o1", total=1.0)
    assert [one.scenario for one in live(play)] == ["tale"]


def test_goals_do_not_wait_for_a_merge() -> None:
    play = Play(tale("{on: seen}", "goal: {on: bought}"), partitions=4)
    play.comes("seen", 0)
    play.comes("bought", 2 * M, "user_id:amy anonymous_id:a1", order="o1", total=1.0)
    assert play.ended() == [("won", "converted")]


def test_who_does_not_come_says_so_after_a_second_and_the_entry_waits_no_longer() -> None:
    """Two users are never one: the order names another's address, which stays where it is."""
    play = Play(tale("{on: bought}"), partitions=4)
    play.comes("seen", 0, "user_id:bob email:bob@example.com")
    play.comes("bought", 2 * M, "user_id:amy email:bob@example.com", order="o1", total=1.0)
    assert live(play) == []
    play.world.advance(play.world.now + 1299)
    assert live(play) == []
    play.world.advance(play.world.now + 1)
    assert [one.entered_at for one in live(play)] == [play.world.now]


def test_an_event_does_not_end_the_wait_of_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an outage events of many seconds are read at once, before anybody could have answered the first."""
    play = Play("traits: t\ndefine: {views: {count: 'true', on: seen}}", tale("{on: bought, where: profile.views > 0}"))
    play.comes("seen", 0, "anonymous_id:a1")
    monkeypatch.setattr(play.world, "_settle", lambda: None)  # messages stay on their way
    play.comes("bought", 1 * M, "user_id:amy anonymous_id:a1", order="o1", total=1.0)
    monkeypatch.setattr(play.world, "next_tick", lambda: 1 << 62)  # and no tick is read
    play.comes("put", 2 * M)
    assert live(play) == []
    assert [(one.asked, one.nodes) for one in play.customer().waiting] == [(False, ["anonymous_id:a1"])]
    monkeypatch.undo()
    play.passes(3 * M)
    assert [one.scenario for one in live(play)] == ["tale"], "the browser has come, with what was seen there"


def test_an_entry_waits_no_longer_than_five_minutes_for_who_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other partition may be down: then the half that is here has to do."""
    play = Play(tale("{on: bought}"), partitions=4)
    play.comes("seen")
    monkeypatch.setattr(play.world, "_settle", lambda: None)  # messages stay on their way
    play.comes("bought", 2 * M, "user_id:amy anonymous_id:a1", order="o1", total=1.0)
    assert live(play) == []
    play.world.advance(play.world.now + 1_300 + 299_999)
    assert live(play) == []
    play.world.advance(play.world.now + 301)
    assert len(live(play)) == 1
    assert live(play)[0].entered_at == play.world.now - 300


def test_an_entry_that_waited_enters_once() -> None:
    play = Play(tale("{on: bought, re_entry: always}", steps="[{id: hi, emit: {event: opened}}]"), partitions=4)
    play.comes("bought", 0, "user_id:amy email:amy@example.com anonymous_id:a1", order="o1", total=1.0)
    play.passes(1 * D)
    assert len(play.emitted) == 1


# becomes


LOYAL = tale("{becomes: profile.spent >= 10.0}", steps="[{id: hi, emit: {event: opened}}]")


def test_becomes_enters_when_false_becomes_true() -> None:
    play = Play(SPENT, LOYAL)
    for number, total in enumerate((6.0, 6.0, 6.0, -10.0, 5.0)):
        play.comes("bought", number * M, order=f"o{number}", total=total)
    assert [round((one.time - play.emitted[0].time) / M) for one in play.emitted] == [0, 3]


def test_the_first_look_ever_compares_with_the_value_before_this_input() -> None:
    """Publishing a bundle floods nobody: who was loyal already does not become it."""
    play = Play(SPENT, LOYAL)
    play.comes("bought", order="o1", total=60.0)
    assert len(play.emitted) == 1
    old = play.customer()
    old.levels, old.instances, old.ordinals = {}, [], {}
    play.comes("bought", 1 * M, order="o2", total=1.0)
    assert len(play.emitted) == 1


def test_becomes_with_a_key_enters_at_each_other_key() -> None:
    play = Play(SPENT, tale("{becomes: profile.spent >= 10.0, key: string(int(profile.spent) / 10)}"))
    for number in range(5):
        play.comes("bought", number * M, order=f"o{number}", total=6.0)
    assert [note.detail["key"] for note in play.notes("entered")] == ["1", "2", "3"]


def test_a_level_that_a_late_event_passes_is_entered_for_there_will_be_no_other_time() -> None:
    play = Play(SPENT, tale("{becomes: profile.spent >= 100.0}"), tale("{on: bought}", name="by_event"))
    play.comes("bought", 5 * H, happened=1 * H, order="o1", total=120.0)
    assert [one.scenario for one in live(play)] == ["tale"]
    assert play.told("not_entered") == [("not_entered", "by_event", "late_event")]


def test_a_level_that_is_unknown_is_false() -> None:
    often = """{n: {compute: 'count("seen", "1d") / count("bought", "1d")'}}"""
    play = Play(f"traits: t\ndefine: {often}", tale("{becomes: profile.n > 1}"))
    play.comes("seen")
    assert live(play) == []
    play.comes("bought", 1 * M, order="o", total=1.0)
    play.comes("seen", 2 * M)
    assert len(live(play)) == 1


def test_names_that_producers_make_up_do_not_fill_the_memory() -> None:
    """Of types that nobody declares so many plans are remembered; a declared type's plan is, always."""
    program = program_of(tale("{on: seen}"))
    for number in range(MOST_REMEMBERED + 100):
        program.event_plan(f"made_up_{number}", "web")
    assert len(program.plans) == MOST_REMEMBERED
    assert program.event_plan("seen", "web").entries is not None
    assert len(program.plans) == MOST_REMEMBERED + 1
