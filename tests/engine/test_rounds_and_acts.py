"""Rounds, engine events, tasks, awards, unknown conditions, scenarios that raise, erasure, and what merges end."""

from functools import partial
from typing import Any

import pytest
from play import START, D, H, M, Play, program_of

from orchestrator.engine import candidates
from orchestrator.engine.steps.words import WORDS
from orchestrator.model.ids import node_key
from orchestrator.model.message import Erase, encode_message

AMY = "user_id:amy email:amy@example.com"
HELLO = "content: em.hello\nclass: service\nvariants: {email: {subject: hi, body: hello}}\n"
SPENT = "traits: t\ndefine: {spent: {sum: event.total, on: bought}}"


def tale(steps: str, entry: str = "{on: seen}", rest: str = "", name: str = "tale") -> str:
    return f"scenario: {name}\nentry: {entry}\n{rest}\nsteps:\n{steps}\n"


EMIT = "  - {id: say, emit: {event: opened}}"
MAIL = "  - {id: mail, send: {content: em.hello, channel: email}}"
WAIT = "  - {id: wait, delay: {for: 10h}}"


# Rounds.


def test_what_the_engine_does_is_an_event_that_others_may_start_from() -> None:
    follower = tale(EMIT, "{on: contact_sent, where: event.content == 'em.hello'}", name="follower")
    play = Play(HELLO, tale(MAIL), follower)
    play.comes("seen", who=AMY)
    assert (len(play.actions), len(play.emitted)) == (1, 1)
    assert play.told("entered") == [("entered", "tale", ""), ("entered", "follower", "")]


def test_steps_after_a_send_run_in_the_same_moment() -> None:
    play = Play(HELLO, tale(f"{MAIL}\n{EMIT}"))
    play.comes("seen", who=AMY)
    assert play.emitted[0].time == play.actions[0].at


def test_scenarios_that_feed_each_other_stop_after_eight_rounds() -> None:
    ping = tale(EMIT, "{on: [seen, exited], where: event.meta.type == 'seen' || event.scenario == 'pong'}", name="ping")
    pong = tale(EMIT, "{on: exited, where: event.scenario == 'ping'}", name="pong")
    play = Play(ping, pong)
    play.comes("seen")
    assert play.told("stopped") == [("stopped", "", "too_deep")]
    assert len(play.emitted) == 1 + 8, "one in its own moment, then one in each round"
    play.comes("told", 1 * M)  # and the customer goes on


def test_a_story_that_never_stands_is_stopped() -> None:
    steps = f"{EMIT}\n  - {{id: again, go_to: {{step: say, limit: 100000}}}}"
    play = Play(tale(steps))
    play.comes("seen")
    assert ("lost", "too_deep") in play.ended()


def test_go_to_goes_back_so_many_times_and_each_visit_is_another_action() -> None:
    play = Play(HELLO, tale(f"{MAIL}\n  - {{id: again, go_to: {{step: mail, limit: 2}}}}"))
    play.comes("seen", who=AMY)
    assert len({action.id for action in play.actions}) == len(play.actions) == 3


def test_split_takes_the_first_true_branch_and_else_otherwise() -> None:
    steps = """
  - id: which
    split:
      - {when: entry.page == "a", then: [{id: a, emit: {event: opened, with: {b: '"a"'}}}]}
      - {when: entry.page == "a" || entry.page == "b", then: [{id: b, emit: {event: opened, with: {b: '"b"'}}}]}
    else: [{id: c, emit: {event: opened, with: {b: '"c"'}}}]
"""
    for page, branch in (("a", "a"), ("b", "b"), ("x", "c")):
        play = Play(tale(steps))
        play.comes("seen", page=page)
        assert [one.data["b"] for one in play.emitted] == [branch]


def drawn(ticket: float, _tenant: str, salt: str, _person: str) -> float:
    return ticket if salt == "tale/test" else 99.99


def test_an_experiment_draws_once_per_person_and_keeps_to_it() -> None:
    steps = """
  - id: test
    experiment:
      variants:
        - {name: a, weight: 30%, then: [{id: sa, emit: {event: opened, with: {v: steps.test.variant}}}]}
        - {name: b, weight: 70%, then: [{id: sb, emit: {event: opened, with: {v: steps.test.variant}}}]}
"""
    program = program_of(tale(steps, "{on: seen, key: event.page}"))
    for ticket, variant in ((0.0, "a"), (29.99, "a"), (30.0, "b"), (99.99, "b")):
        program.draw = partial(drawn, ticket)
        play = Play(program)
        play.comes("seen", page="1")
        play.comes("seen", page="2")
        assert [one.data["v"] for one in play.emitted] == [variant, variant]


def test_a_message_does_not_outlive_its_instance_within_a_moment() -> None:
    """One track has reached a send that nobody has judged yet, the other ends the story."""
    tracks = f"[{{name: a, steps: [{MAIL.strip(' -')}]}}, {{name: b, steps: [{{id: out, end: {{}}}}]}}]"
    play = Play(HELLO, tale(f"  - {{id: both, parallel: {tracks}}}"))
    play.comes("seen", who=AMY)
    assert (play.actions, play.ended()) == ([], [("done", "finished")])


def test_what_a_step_sets_by_time_alone_makes_a_new_version_of_the_profile() -> None:
    later = "  - {id: wait, delay: {for: 1h}}\n  - {id: keep, set: {profile: {note: entry.page}}}"
    play = Play("traits: t\ndefine: {note: {stored: string}}", tale(later))
    play.comes("seen", page="a")
    before = play.profile("version")
    play.passes(2 * H)
    assert (play.profile("note"), play.profile("version")) == ("a", before + 1)


def test_set_keeps_variables_for_the_instance_and_stored_traits_for_the_customer() -> None:
    steps = """
  - {id: keep, set: {vars: {n: size(entry.page)}, profile: {note: entry.page}}}
  - {id: say, emit: {event: opened, with: {n: vars.n, note: profile.note}}}
"""
    play = Play("traits: t\ndefine: {note: {stored: string}}", tale(steps))
    play.comes("seen", page="/abc")
    assert play.emitted[0].data == {"n": 4, "note": "/abc"}


# Tasks.

ASK = """
  - id: call
    task:
      queue: care
      key: entry.page
      due: 1h
      on_exit: withdraw
      with: {page: entry.page, n: entry.n + 1}
      close_on: [{on: told, where: event.word == entry.page}]
"""


def states(play: Any) -> list[tuple[str, str, int]]:
    return [(task.state, task.key, task.due - START) for task in play.tasks]


def test_a_task_opens_with_what_is_known_and_an_unknown_value_is_left_empty() -> None:
    play = Play(tale(ASK + WAIT))
    play.comes("seen", page="a")
    [task] = play.tasks
    assert (task.state, task.queue, task.key, task.due, task.with_) == (
        "open",
        "care",
        "a",
        START + 1 * H,
        {"page": "a", "n": None},
    )
    assert (task.scenario, task.step, task.node) == ("tale", "call", "default/user_id:amy")


def test_one_task_is_open_for_a_queue_and_key_and_a_second_adds_to_it() -> None:
    asked = ASK.replace("entry.page", "entry.text").replace("n: entry.n + 1", "more: size(entry.text)")
    play = Play(tale(ASK + WAIT), tale(asked + WAIT, "{on: asked, key: event.text}", name="other"))
    play.comes("seen", page="a")
    play.comes("asked", 1 * M, text="a")
    [task] = play.customer().tasks
    assert (task.id, task.with_) == (play.tasks[0].id, {"page": "a", "n": None, "more": 1})
    assert play.tasks[-1].with_ == task.with_
    play.comes("asked", 2 * M, text="b")
    assert [task.key for task in play.customer().tasks] == ["a", "b"]


def test_a_task_is_overdue_once_at_its_due_time() -> None:
    play = Play(tale(ASK + WAIT), tale(EMIT, "{on: task_overdue}", name="watch"))
    play.comes("seen", page="a")
    play.passes(3 * H)
    assert [task.state for task in play.tasks] == ["open", "overdue"]
    assert [one.time - START for one in play.emitted] == [1 * H]


def test_close_on_closes_the_task_that_its_condition_fits() -> None:
    play = Play(tale(ASK + WAIT, "{on: seen, key: event.page}"))
    play.comes("seen", page="a")
    play.comes("seen", page="b")
    play.comes("told", 1 * M, word="b")
    assert [(state, key) for state, key, _ in states(play)] == [("open", "a"), ("open", "b"), ("closed", "b")]
    assert [task.key for task in play.customer().tasks] == ["a"]


def test_a_task_goes_with_its_instance_where_it_says_so_and_stays_else() -> None:
    for on_exit, expected in (("withdraw", ["open", "withdrawn"]), ("keep", ["open"])):
        play = Play(tale(ASK.replace("withdraw", on_exit) + WAIT, rest="exit: [{on: bought, reason: bought}]"))
        play.comes("seen", page="a")
        play.comes("bought", 1 * M, order="o", total=1.0)
        assert [task.state for task in play.tasks] == expected


def test_a_channel_says_within_what_time_it_answers() -> None:
    play = Play(tale("  - {id: call, task: {queue: care}}\n" + WAIT))
    play.comes("seen")
    assert play.tasks[0].due == START + 2 * H


TALK = """
conversation: all
turns: [{on: asked, by: customer, text: event.text}, {on: told, by: agent, text: event.value}]
thread: [event.thread]
open_for: 1h
"""


def test_turns_of_a_thread_are_appended_to_its_task() -> None:
    call = "  - {id: call, task: {queue: care, key: entry.meta.thread}}\n"
    play = Play(TALK, tale(call + WAIT, "{on: asked}"))
    play.comes("asked", id_="q1", text="Is it blue?")
    play.comes("asked", 1 * M, text="Or green?")
    play.comes("told", 2 * M, value="Green.", word="x")
    assert [turn["text"] for turn in play.tasks[-1].conversation["recent"]] == ["Is it blue?", "Or green?", "Green."]
    assert play.profile("threads")["q1"]["asked"] == 0
    play.comes("asked", 3 * M, text="Sure?")
    assert (play.profile("threads")["q1"]["asked"], play.profile("open_questions")) == (1, 1)


def test_a_thread_takes_turns_without_a_name_only_for_a_while() -> None:
    play = Play(TALK, tale(WAIT, "{on: asked, key: event.meta.thread}"))
    play.comes("asked", id_="q1", text="a")
    play.comes("asked", 59 * M, id_="q2", text="b")
    play.comes("asked", 2 * H, id_="q3", text="c")
    assert {name: thread["turns"] for name, thread in play.profile("threads").items()} == {"q1": 2, "q3": 1}


# Award.


def test_an_award_enters_a_ref_once_however_often_it_runs() -> None:
    points = "traits: t\ndefine: {points: {ledger: [{on: bought, amount: event.total, ref: event.order}]}}"
    steps = "  - {id: gift, award: {ledger: points, amount: 50.0, ref: entry.page}}\n"
    steps += "  - {id: say, emit: {event: opened, with: {entered: steps.gift.entered}}}"
    play = Play(points, tale(steps, "{on: seen, key: event.page}"))
    for page in ("a", "a", "b"):
        play.comes("seen", page=page)
    assert [one.data["entered"] for one in play.emitted] == [True, False, True]
    assert play.profile("points") == 100.0


# Unknown: it never sends and never ends anything.

UNKNOWN = "entry.n + 1 > 0"


@pytest.mark.parametrize(
    ("where", "story"),
    [
        ("where of an entry", tale(EMIT, "{on: seen, where: event.n + 1 > 0}")),
        ("audience", tale(EMIT, rest='audience: since("bought") > duration("1d")')),
        ("key", tale(EMIT, "{on: seen, key: string(event.n + 1)}")),
        ("each", tale(EMIT, "{on: seen, each: 'event.n > 0 ? [1] : [2]', key: string(item)}")),
        (
            "when of a split",
            tale(f"  - {{id: s, split: [{{when: {UNKNOWN}, then: [{{id: say, emit: {{event: opened}}}}]}}]}}"),
        ),
        ("a value of an emit", tale("  - {id: say, emit: {event: opened, with: {n: entry.n + 1}}}")),
    ],
)
def test_what_is_unknown_does_not_act(where: str, story: str) -> None:
    play = Play(story)
    play.comes("seen")
    assert play.emitted == [], where
    assert play.notes("unknown"), "and the trace says so"


ENDINGS = (
    f"while: {UNKNOWN}",
    f"exit: [{{when: {UNKNOWN}, reason: out}}]",
    "exit: [{on: told, where: size(event.value) > 3, reason: out}]",
    f"goal: {{on: told, where: {UNKNOWN}}}",
)


@pytest.mark.parametrize("rest", ENDINGS)
def test_what_is_unknown_does_not_end(rest: str) -> None:
    play = Play(tale(WAIT, rest=rest))
    play.comes("seen")
    play.comes("told", 1 * M)
    assert (play.standing(), play.ended()) == (["wait"], [])


def test_a_step_whose_value_is_unknown_is_not_done_and_the_story_goes_on() -> None:
    say = "  - {id: say, emit: {event: opened, with: {o: steps.bad.outcome}}}"
    play = Play(tale(f"  - {{id: bad, set: {{vars: {{n: entry.n + 1}}}}}}\n{say}"))
    play.comes("seen")
    assert [one.data for one in play.emitted] == [{"o": "error"}]


# A scenario that raises.


class Broken:
    """A step word with a bug in it."""

    def __init__(self, when: str) -> None:
        self.when = when

    def enter(self, step: Any, journey: Any) -> Any:
        if self.when == "enter":
            raise RuntimeError("a bug")
        return journey.stand(step, journey.moment.now + 1 * H)

    def touched(self, *_: Any) -> Any:
        raise RuntimeError("a bug")

    look = due = touched


def broken_story(name: str, before: str = "") -> str:
    return tale(f"{before}\n  - {{id: set_it, set: {{vars: {{n: 1 + 1}}}}}}", name=name)


@pytest.mark.parametrize(
    "before", ["", MAIL, "  - {id: wait, delay: {for: 1h}}", f"  - {{id: wait, delay: {{for: 1h}}}}\n{MAIL}"]
)
def test_a_scenario_that_raises_costs_itself_and_nothing_else(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its entry, after a send, when a timer is due: the neighbours, the event and the customer go on."""
    monkeypatch.setitem(WORDS, "set", Broken("enter"))
    play = Play(
        HELLO, SPENT, broken_story("bad", before), tale(WAIT + "\n" + EMIT, name="zeta"), tale(EMIT, name="alpha")
    )
    play.comes("seen", who=AMY)
    play.comes("bought", 1 * M, order="o", total=5.0)
    play.passes(1 * D)
    [note] = play.notes("error")
    assert (note.scenario, note.detail["raised"]) == ("bad", "RuntimeError")
    assert len(play.emitted) == 2
    assert play.profile("spent") == 5.0


def test_what_a_raising_scenario_did_in_that_event_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORDS, "set", Broken("enter"))
    play = Play(tale(f"{EMIT}{ASK}  - {{id: set_it, set: {{vars: {{n: 1 + 1}}}}}}", "{on: seen, re_entry: never}"))
    play.comes("seen", page="a")
    customer = play.customer()
    assert (play.emitted, play.tasks, customer.instances, customer.tasks, customer.ordinals) == ([], [], [], [], {})
    monkeypatch.undo()
    play.comes("seen", 1 * M, page="a")
    assert len(play.emitted) == 1, "the bug is mended: it may be entered, though never again"


def test_a_message_whose_sending_raises_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in no cap, on no list of what was sent, and in no figure; another scenario's goes out in its place."""

    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(candidates, "_told", broken)
    play = Play(HELLO, tale(MAIL))
    play.comes("seen", who=AMY)
    customer = play.customer()
    assert (play.actions, customer.contacts, customer.used.get("email")) == ([], (), None)
    assert play.notes("sent") == []
    assert [note.scenario for note in play.notes("error")] == ["tale"]


def test_points_that_a_raising_scenario_gave_are_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORDS, "set", Broken("enter"))
    points = "traits: t\ndefine: {points: {ledger: [{on: bought, amount: event.total, ref: event.order}]}}"
    give = "  - {id: give, award: {ledger: points, amount: 5.0, ref: '\"gift\"'}}"
    play = Play(points, broken_story("bad", give))
    play.comes("seen")
    assert play.profile("points") == 0.0


def test_a_timer_that_raises_is_not_due_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORDS, "set", Broken("due"))
    play = Play(broken_story("bad"))
    play.comes("seen")
    play.passes(1 * D)
    assert [note.scenario for note in play.notes("error")] == ["bad"]


def test_a_gate_that_raises_costs_its_scenario_only() -> None:
    program = program_of(HELLO, tale(MAIL), tale(EMIT, name="zeta"))

    def broken(_candidate: Any, _moment: Any) -> Any:
        raise RuntimeError("a bug")

    program.gates = {**program.gates, "service": (broken,)}
    play = Play(program)
    play.comes("seen", who=AMY)
    assert [note.scenario for note in play.notes("error")] == ["tale"]
    assert len(play.emitted) == 1
    play.comes("told", 1 * M)


# Erasure, and merges.


def test_an_erasure_ends_everything_and_withdraws_what_is_on_its_way() -> None:
    play = Play(HELLO, tale(f"{MAIL}\n{ASK}{WAIT}"))
    play.comes("seen", who=AMY, page="a")
    person = play.customer().person
    [action] = play.actions
    play.world.arrive(
        "customer.inputs",
        node_key("default", "user_id:amy"),
        encode_message(Erase("user_id:amy", START + M)),
        START + M,
    )
    assert [(one.id, one.reason, one.person) for one in play.withdrawals] == [(action.id, "erased", person)]
    assert [task.state for task in play.tasks] == ["open", "withdrawn"]
    customer = play.customer()
    assert (customer.person, customer.instances, customer.tasks, customer.traits, customer.contacts) == (
        "",
        [],
        [],
        {},
        (),
    )
    assert customer.timeline == customer.decisions == b""
    play.passes(1 * D)
    assert len(play.tasks) == 2


def test_a_message_that_is_settled_is_not_withdrawn() -> None:
    play = Play(HELLO, tale(MAIL))
    play.comes("seen", who=AMY)
    play.comes("delivered", 1 * M, channel="email", message=play.actions[0].id)
    play.world.arrive(
        "customer.inputs",
        node_key("default", "user_id:amy"),
        encode_message(Erase("user_id:amy", START + H)),
        START + H,
    )
    assert play.withdrawals == []


def two_halves(*documents: str) -> Play:
    return Play(*documents, partitions=4)


def meet(play: Any, at: int) -> None:
    play.comes("quiet_word", at, "user_id:amy anonymous_id:a1")


def test_what_one_half_waited_for_may_be_on_the_others_timeline() -> None:
    """An order known to one half ends the reminder that runs in the other."""
    play = two_halves(tale(WAIT, rest="goal: {on: bought}"))
    play.comes("seen", 0, "anonymous_id:a1")
    play.comes("bought", 1 * M, order="o", total=1.0)
    meet(play, 2 * M)
    assert play.ended() == [("won", "converted")]


def test_what_the_other_half_did_before_a_story_began_does_not_end_it() -> None:
    play = two_halves(tale(WAIT, rest="goal: {on: bought}"))
    play.comes("bought", 0, order="o", total=1.0)
    play.comes("seen", 1 * M, "anonymous_id:a1")
    meet(play, 2 * M)
    assert play.standing() == ["wait"]


def test_of_two_instances_of_one_scenario_and_key_the_older_goes_on() -> None:
    play = two_halves(tale(WAIT))
    play.comes("seen", 1 * M)
    play.comes("seen", 2 * M, "anonymous_id:a1")
    person = play.customer().person
    meet(play, 3 * M)
    assert play.ended() == [("lost", "merged")]
    assert [(one.person, one.entered_at - START) for one in play.customer().instances] == [(person, 1 * M)]


def test_two_tasks_of_a_queue_and_key_become_one_when_halves_meet() -> None:
    """Two people at the call centre must not both ring: the later task is added to the first, and goes."""
    asks = ASK.replace("on_exit: withdraw", "on_exit: keep")
    waits = "  - {id: done, wait_until: {on: task_closed, of: call, timeout: 9h}}\n" + EMIT
    play = two_halves(
        tale(asks + WAIT, "{on: seen, where: event.n == 1}"),
        tale(asks.replace("due: 1h", "due: 30m") + waits, "{on: seen, where: event.n == 2}", name="other"),
    )
    play.comes("seen", 0, "anonymous_id:a1", page="a", n=1)
    play.comes("seen", 1 * M, page="a", n=2)
    first, second = (task.id for task in play.tasks)
    meet(play, 2 * M)
    assert [(task.id, task.due - START) for task in play.customer().tasks] == [(first, 31 * M)], "the sooner is due"
    assert [(task.id, task.state) for task in play.tasks[2:]] == [(second, "withdrawn"), (first, "open")]
    play.comes("told", 3 * M, word="a")
    assert play.tasks[-1].state == "closed"
    assert len(play.emitted) == 1, "who waited for the second goes on with the first"


@pytest.mark.parametrize("on_exit", ["withdraw", "keep"])
def test_the_task_of_the_older_story_stays_when_its_twin_ends(on_exit: str) -> None:
    play = two_halves(tale(ASK.replace("withdraw", on_exit) + WAIT))
    play.comes("seen", 1 * M, page="a")
    play.comes("seen", 2 * M, "anonymous_id:a1", page="a")
    first, second = (task.id for task in play.tasks)
    meet(play, 3 * M)
    assert play.ended() == [("lost", "merged")]
    assert [task.id for task in play.customer().tasks] == [first]
    assert (second, "withdrawn") in [(task.id, task.state) for task in play.tasks]


def test_silence_counts_from_the_newest_activity_of_both_halves() -> None:
    play = two_halves(
        tale(
            "  - {id: left, silence: {of: [seen, put], for: 1h}}\n" + EMIT, "{on: seen, where: event.page == '/start'}"
        )
    )
    play.comes("seen", 0, "anonymous_id:a1", page="/start")
    play.comes("put", 30 * M, sku="A")
    meet(play, 40 * M)
    play.passes(2 * H)
    assert [one.time - START for one in play.emitted] == [90 * M]


def test_consents_join_to_the_stricter_of_both_sides() -> None:
    play = two_halves(HELLO)
    play.comes("told", 5 * M, word="yes", value="email")
    play.comes("told", 5 * M, "anonymous_id:a1", word="no", value="email")
    play.comes("told", 6 * M, "anonymous_id:a1", word="yes", value="push")
    meet(play, 7 * M)
    consent = play.profile("consent")
    assert (consent["email"]["product"], consent["push"]["product"]) == (False, True)


def test_caps_add_up_over_a_merge() -> None:
    policy = "policy: p\npreferred_order: [email]\nexempt: {service: [min_gap]}\ncaps: [{limit: 2, per: 1d}]"
    play = two_halves(HELLO, policy, tale(MAIL.replace("channel: email", "channel: email, to: '\"a@b.c\"'")))
    play.comes("seen", 0, "anonymous_id:a1")
    play.comes("seen", 1 * M)
    meet(play, 2 * M)
    play.comes("seen", 3 * M)
    assert (len(play.actions), play.reasons("suppressed")) == (2, ["capped"])


def test_merged_is_an_event_that_may_be_entered_by() -> None:
    play = two_halves(tale(EMIT, "{on: merged}"))
    play.comes("seen", 0, "anonymous_id:a1")
    meet(play, 2 * M)
    assert len(play.emitted) == 1
