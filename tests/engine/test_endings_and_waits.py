"""A moment's order: goals and exits before waits, waits before entries; what a wait counts, and what it does not."""

from typing import Any

import pytest
from play import START, D, H, M, Play, S

HELLO = """
content: em.hello
class: service
variants: {email: {subject: hi, body: hello}}
"""
AMY = "user_id:amy email:amy@example.com"


def scenario(steps: str, rest: str = "", entry: str = "{on: seen}") -> str:
    return f"scenario: tale\nentry: {entry}\n{rest}\nsteps:\n{steps}\n"


WAIT = "  - {id: wait, delay: {for: 10h}}"


# Goals, exits, while.


def test_the_goal_comes_before_an_exit_on_the_same_event() -> None:
    play = Play(scenario(WAIT, "goal: {on: bought}\nexit: [{on: bought, reason: converted_elsewhere}]"))
    play.comes("seen")
    play.comes("bought", 1 * M, order="o1", total=1.0)
    assert play.ended() == [("won", "converted")]


def test_exits_are_looked_at_in_order_and_the_first_that_holds_ends_it() -> None:
    play = Play(
        scenario(WAIT, "exit: [{on: bought, where: event.total > 5.0, reason: big}, {on: bought, reason: small}]")
    )
    play.comes("seen")
    play.comes("bought", 1 * M, order="o1", total=1.0)
    assert play.ended() == [("lost", "small")]


def test_exits_come_before_while() -> None:
    play = Play(
        "traits: t\ndefine: {spent: {sum: event.total, on: bought}}",
        scenario(WAIT, 'while: profile.spent < 5.0\nexit: [{when: "profile.spent >= 5.0", reason: spent}]'),
    )
    play.comes("seen")
    play.comes("bought", 1 * M, order="o1", total=9.0)
    assert play.ended() == [("lost", "spent")]


def test_while_ends_the_instance_when_it_is_no_longer_true() -> None:
    play = Play(
        "traits: t\ndefine: {spent: {sum: event.total, on: bought}}", scenario(WAIT, "while: profile.spent < 5.0")
    )
    play.comes("seen")
    play.comes("bought", 1 * M, order="o1", total=4.0)
    assert play.standing() == ["wait"]
    play.comes("bought", 2 * M, order="o2", total=4.0)
    assert play.ended() == [("lost", "condition_no_longer_true")]


def test_an_end_comes_before_the_wait_that_the_same_event_would_move() -> None:
    steps = "  - {id: await, wait_until: {on: bought, timeout: 1d}}\n  - {id: hi, emit: {event: opened}}"
    play = Play(scenario(steps, "goal: {on: bought}"))
    play.comes("seen")
    play.comes("bought", 1 * M, order="o1", total=4.0)
    assert (play.ended(), play.emitted) == ([("won", "converted")], [])


def test_an_event_that_ended_an_instance_may_start_the_next() -> None:
    play = Play(scenario(WAIT, "exit: [{on: seen, where: event.page == 'again', reason: again}]"))
    play.comes("seen", page="first")
    play.comes("seen", 1 * M, page="again")
    assert play.told("entered", "ended") == [
        ("entered", "tale", ""),
        ("ended", "tale", "again"),
        ("entered", "tale", ""),
    ]
    assert play.customer().instances[0].ordinal == 2


def test_the_event_that_started_an_instance_neither_ends_it_nor_answers_its_first_wait() -> None:
    steps = "  - {id: await, wait_until: {on: seen, timeout: 1d}}"
    play = Play(scenario(steps, "exit: [{on: seen, reason: seen_again}]"))
    play.comes("seen")
    assert (play.standing(), play.ended()) == (["await"], [])


def test_a_late_event_may_end_but_moves_no_wait_and_enters_nothing() -> None:
    steps = "  - {id: await, wait_until: {on: told, timeout: 1d}}"
    play = Play(scenario(steps, "exit: [{on: bought, reason: bought}]"))
    play.comes("seen", 0)
    play.comes("told", 30 * M, happened=19 * M)
    assert play.standing() == ["await"]
    play.comes("bought", 31 * M, happened=1 * M, order="o1", total=1.0)
    assert play.ended() == [("lost", "bought")]
    play.comes("seen", 32 * M, happened=2 * M)
    assert play.reasons("not_entered") == ["late_event"]


@pytest.mark.parametrize("ending", ["goal: {on: bought}", "exit: {on: bought, reason: bought}"])
@pytest.mark.parametrize(("happened", "ends"), [(9 * M, 0), (11 * M, 1)], ids=["before", "since"])
def test_what_happened_before_the_story_began_does_not_end_it_whenever_it_comes(
    ending: str, happened: int, ends: int
) -> None:
    for bought_at in (13 * M, 11 * M):
        play = Play(scenario(WAIT, ending))
        for at in sorted((bought_at, 12 * M)):
            if at == bought_at:
                play.comes("bought", at, happened=happened)
            else:
                play.comes("seen", at, happened=10 * M)
        assert len(play.ended()) == ends


def test_a_story_whose_event_is_dated_ahead_began_when_that_came() -> None:
    play = Play(scenario(WAIT, "goal: {on: bought}"))
    play.comes("seen", 1 * M, happened=4 * M)
    play.comes("bought", 2 * M)
    assert play.ended() == [("won", "converted")]


def test_an_instance_does_not_outlive_its_lives() -> None:
    play = Play(scenario("  - {id: left, silence: {of: [seen], for: 1h}}", "lives: 2h"))
    for minute in range(0, 150, 30):
        play.comes("seen", minute * M)
    assert play.ended() == [("lost", "too_old")]


def test_after_its_last_step_an_instance_rests_while_its_goal_is_watched() -> None:
    play = Play(scenario("  - {id: hi, emit: {event: opened}}", "goal: {on: bought, keep_watching: 2h}"))
    play.comes("seen")
    assert [instance.mode for instance in play.customer().instances] == ["rest"]
    play.comes("bought", 1 * H, order="o1", total=1.0)
    assert play.ended() == [("won", "converted")]
    play.comes("seen", 2 * H)
    play.passes(4 * H)
    assert play.ended() == [("won", "converted"), ("done", "finished")]


# Waits.


def test_one_event_moves_an_instance_by_at_most_one_wait() -> None:
    steps = "\n".join(f"  - {{id: {name}, wait_until: {{on: told, timeout: 1d}}}}" for name in ("one", "two"))
    play = Play(scenario(steps))
    play.comes("seen")
    play.comes("told", 1 * M)
    assert play.standing() == ["two"]


def test_each_parallel_branch_is_moved_by_at_most_one_wait() -> None:
    steps = """
  - id: both
    parallel:
      - name: left
        steps: [{id: l1, wait_until: {on: told, timeout: 1d}}, {id: l2, wait_until: {on: told, timeout: 1d}}]
      - {name: right, steps: [{id: r1, wait_until: {on: told, timeout: 1d}}]}
  - {id: after, delay: {for: 1h}}
"""
    play = Play(scenario(steps))
    play.comes("seen")
    play.comes("told", 1 * M)
    assert play.standing() == ["l2"]
    play.comes("told", 2 * M)
    assert play.standing() == ["after"], "it goes on when all branches are through"


def test_the_first_listed_of_several_awaited_events_that_matches_leads_on() -> None:
    steps = """
  - id: answer
    wait_until:
      any:
        - name: no
          on: told
          where: event.word == "no"
          then: [{id: sorry, emit: {event: opened, with: {w: '"sorry"'}}}]
        - {name: any, on: [told, bought], then: [{id: thanks, emit: {event: opened, with: {w: steps.answer.matched}}}]}
      timeout: 1h
    on_timeout: [{id: late, emit: {event: opened, with: {w: '"late"'}}}]
"""
    for word, expected in (("no", "sorry"), ("yes", "any"), ("", "late")):
        play = Play(scenario(steps))
        play.comes("seen")
        if word:
            play.comes("told", 1 * M, word=word)
        play.passes(2 * H)
        assert [one.data for one in play.emitted] == [{"w": expected}]


def test_a_timer_never_fires_early_and_waits_for_what_is_on_its_way() -> None:
    play = Play(scenario("  - {id: await, wait_until: {on: told, timeout: 1h}}", "goal: {on: bought}"))
    play.comes("seen")
    play.world.advance(START + 1 * H + 299)
    assert play.standing() == ["await"]
    play.world.advance(START + 1 * H + 300)
    assert play.standing() == []


def test_what_arrives_before_the_timer_counts_even_by_a_moment() -> None:
    steps = "  - {id: await, wait_until: {on: told, timeout: 1h}, then: [{id: yes, emit: {event: opened}}]}"
    play = Play(scenario(steps))
    play.comes("seen")
    play.comes("told", 1 * H - 1)
    assert len(play.emitted) == 1
    play = Play(scenario(steps))
    play.comes("seen")
    play.comes("told", 1 * H)  # the timer is due at this very moment, so it acts first
    assert play.emitted == []


def test_grace_lets_later_arrivals_count_that_happened_in_time() -> None:
    steps = "  - {id: await, wait_until: {on: told, timeout: 1h, grace: 30m}, then: [{id: yes, emit: {event: opened}}]}"
    for happened, at, expected in ((59 * M, 80 * M, 1), (61 * M, 80 * M, 0), (59 * M, 91 * M, 0)):
        play = Play(scenario(steps))
        play.comes("seen")
        play.comes("told", at, happened=happened)
        play.passes(3 * H)
        assert len(play.emitted) == expected, (happened, at)


def test_silence_passes_after_so_long_without_any_of_its_events() -> None:
    play = Play(scenario("  - {id: left, silence: {of: [seen, put], for: 1h}}\n  - {id: hi, emit: {event: opened}}"))
    play.comes("seen")
    play.comes("put", 50 * M, sku="A")
    play.comes("bought", 60 * M, order="o", total=1.0)
    play.passes(109 * M)
    assert play.emitted == []
    play.passes(110 * M)
    assert [one.time - START for one in play.emitted] == [110 * M]


def test_silence_counts_from_event_time_and_never_from_an_earlier_touch() -> None:
    play = Play(scenario("  - {id: left, silence: {of: [seen], for: 1h}}"))
    play.comes("seen", 0)
    play.comes("seen", 40 * M, happened=35 * M)
    play.comes("seen", 41 * M, happened=34 * M)
    play.passes(95 * M - 1)
    assert play.standing() == ["left"]
    play.passes(95 * M)
    assert play.standing() == []


def test_inactive_events_touch_no_silence() -> None:
    play = Play(scenario("  - {id: left, silence: {of: [quiet_word], for: 1h}}"))
    play.comes("seen")
    play.comes("quiet_word", 30 * M)
    play.passes(1 * H)
    assert play.standing() == []


def test_a_level_passes_at_once_when_it_is_true_already_and_else_when_it_becomes_so() -> None:
    traits = "traits: t\ndefine: {spent: {sum: event.total, on: bought}}"
    play = Play(traits, scenario("  - {id: rich, wait_until: {when: profile.spent > 5.0, timeout: 1d}}\n" + WAIT))
    play.comes("seen")
    assert play.standing() == ["rich"]
    play.comes("bought", 1 * M, order="o1", total=9.0)
    assert play.standing() == ["wait"]
    play = Play(traits, scenario("  - {id: rich, wait_until: {when: profile.spent > 5.0, timeout: 1d}}\n" + WAIT))
    play.comes("bought", order="o1", total=9.0)
    play.comes("seen", 1 * M)
    assert play.standing() == ["wait"]


def test_a_level_on_a_fact_is_looked_at_when_the_row_changes() -> None:
    play = Play(
        scenario('  - {id: back, wait_until: {when: stock("A") > 0, timeout: 1d}}\n' + WAIT),
        facts={"stock": {"A/web": {"qty": 0}}},
    )
    play.comes("seen")
    assert play.standing() == ["back"]
    play.comes("level", 1 * M, "", channel="stock", sku="B", place="web", qty=5)
    assert play.standing() == ["back"]
    play.comes("level", 2 * M, "", channel="stock", sku="A", place="web", qty=5)
    assert play.standing() == ["wait"]


def test_an_exit_on_a_fact_ends_when_the_row_changes() -> None:
    play = Play(
        scenario(WAIT, "exit: [{when: stock('A') == 0, reason: sold_out}]"), facts={"stock": {"A/web": {"qty": 1}}}
    )
    play.comes("seen")
    play.comes("level", 2 * M, "", channel="stock", sku="A", place="web", qty=0)
    assert play.ended() == [("lost", "sold_out")]


OPENED = """
  - {id: mail, send: {content: em.hello, channel: email}}
  - {id: opened, wait_until: {on: opened, of: mail, timeout: 1d}, then: [{id: yes, emit: {event: opened}}]}
"""


def test_an_answer_about_a_message_is_told_by_its_id_and_else_by_content_and_channel() -> None:
    answers: list[tuple[dict[str, Any], int]] = [({"message": "other"}, 0), ({"message": "own"}, 1), ({}, 1)]
    for data, expected in answers:
        play = Play(HELLO, scenario(OPENED))
        play.comes("seen", who=AMY)
        [action] = play.actions
        named = {"message": action.id} if data.get("message") == "own" else data
        play.comes("opened", 1 * H, AMY, channel="email", **named)
        assert len(play.emitted) == expected, data


def test_a_wait_about_a_message_that_was_not_sent_times_out_at_once() -> None:
    play = Play(HELLO, scenario(OPENED + WAIT))
    play.comes("seen")  # nobody knows an address
    assert (play.reasons("suppressed"), play.standing()) == (["no_address"], ["wait"])


def test_timers_of_one_instant_are_one_moment_by_scenario_and_step() -> None:
    def tale(name: str) -> str:
        emit = f"{{id: hi, emit: {{event: opened, with: {{n: '\"{name}\"'}}}}}}"
        return f"scenario: {name}\nentry: {{on: seen}}\nsteps: [{{id: wait, delay: {{for: 1h}}}}, {emit}]\n"

    play = Play(tale("beta"), tale("alpha"))
    play.comes("seen")
    play.passes(2 * H)
    assert [one.data["n"] for one in play.emitted] == ["alpha", "beta"]
    assert len({one.time for one in play.emitted}) == 1


def test_after_an_outage_timers_act_in_order_each_at_its_own_due_time() -> None:
    steps = "\n".join(
        f"  - {{id: w{n}, delay: {{for: 1h}}}}\n  - {{id: e{n}, emit: {{event: opened}}}}" for n in range(3)
    )
    play = Play(scenario(steps))
    play.comes("seen")
    play.world.now = START + 2 * D  # nobody looked for two days
    play.comes("told", 2 * D + 1 * S)
    assert [one.time - START for one in play.emitted] == [1 * H, 2 * H, 3 * H]


def test_a_time_on_no_calendar_makes_a_condition_unknown_and_harms_nothing() -> None:
    play = Play(scenario(WAIT, "goal: {on: told, where: local(timestamp(event.value)).hour > 3}"))
    play.comes("seen")
    play.comes("told", 1 * M, word="w", value="9999-12-31T23:59:59Z")
    assert play.ended() == []
    play.comes("told", 2 * M, word="w", value="2026-03-02T08:00:00Z")
    assert play.ended() == [("won", "converted")]
