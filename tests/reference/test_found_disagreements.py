"""What the generated comparison has found, each as the smallest story that shows it: engine and reference agree."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference.comparison import loaded
from tests.reference.generated_events import STARTS, Arrival, H, M
from tests.reference.in_production import produced
from tests.reference.in_reference import interpreted
from tests.reference.outcome import BOTH, OTHER, RELEASE

CONTENTS = """
content: mail
valid_for: 1h
variants: {email: {subject: S, body: B}}
---
content: notice
class: service
variants: {email: {subject: S, body: B}}
---
content: text
variants: {sms: {text: X}}
---
"""
POLICY = "policy: all\npreferred_order: [email, push, sms]\n"
MONDAY = STARTS[0]


def came(at: int, type_: str, happened: int | None = None, **data: Any) -> Arrival:
    return Arrival(at, at if happened is None else happened, f"{type_}-{at}", type_, "web", data)


def told(documents: str, *stream: Arrival) -> list[tuple[Any, ...]]:
    """What both tell: (ms after the start, what, scenario, step, reason, detail)."""
    bundle = loaded(CONTENTS + documents)
    theirs, played = produced((bundle,), list(stream), MONDAY)
    ours = interpreted((bundle,), played, MONDAY)
    assert theirs == ours
    return [(at - MONDAY, *rest) for at, *rest in theirs.told]


def values(documents: str, *stream: Arrival) -> dict[str, Any]:
    """The traits at the end, the same in both."""
    bundle = loaded(CONTENTS + documents)
    theirs, played = produced((bundle,), list(stream), MONDAY)
    assert theirs == interpreted((bundle,), played, MONDAY)
    return theirs.traits


def test_a_hold_ends_when_the_message_is_no_longer_valid() -> None:
    lines = told(
        POLICY + "caps: [{limit: 1, per: 1d, on_hit: hold}]\n---\n"
        "scenario: s\nentry: {on: seen}\nsteps: [{id: one, send: {content: mail}}, {id: two, send: {content: mail}}]",
        came(0, "seen"),
    )
    assert (H, "suppressed", "s", "two", "expired", "mail/") in lines


def test_a_pause_judges_what_it_holds_when_it_lifts_and_not_before() -> None:
    lines = told(
        "traits: all\ndefine: {case: {flag: {on: case_opened, off: case_closed}}}\n---\n"
        + POLICY
        + "pauses: [{name: open_case, while: profile.case}]\n---\n"
        "scenario: s\nentry: {on: bought}\nsteps: [{id: one, send: {content: mail}}]",
        came(0, "case_opened"), came(M, "bought"), came(2 * M, "told", word="never", value="email"),
        came(3 * M, "seen"), came(4 * M, "case_closed"),
    )  # fmt: skip
    judged = [(at, what, reason) for at, what, _, step, reason, _ in lines if step == "one"]
    assert judged == [(M, "held", "open_case"), (4 * M, "suppressed", "no_consent")]


def test_of_an_instance_that_one_message_has_ended_the_other_is_not_judged() -> None:
    lines = told(
        POLICY + "---\nscenario: s\nentry: {on: seen}\nsteps:\n- id: both\n  parallel:\n"
        "  - {name: left, steps: [{id: a, send: {content: text, on_unsent: exit}}]}\n"
        "  - {name: right, steps: [{id: b, send: {content: mail}}]}\n",
        came(0, "seen"),
    )
    assert [what for _, what, *_ in lines] == ["entered", "suppressed", "ended"]


@pytest.mark.parametrize(("re_entry", "ended"), [("never", 0), ("always", 1)])
def test_an_instance_that_rests_ends_for_a_new_one_only_if_there_is_one(re_entry: str, ended: int) -> None:
    lines = told(
        POLICY + f"---\nscenario: s\nentry: {{on: seen, re_entry: {re_entry}}}\n"
        "goal: {on: bought, keep_watching: 90d}\nsteps: [{id: one, send: {content: mail}}]",
        came(0, "seen"), came(M, "seen"),
    )  # fmt: skip
    assert len([what for _, what, *_ in lines if what == "ended"]) == ended


def test_a_restart_does_not_ask_whether_one_may_enter_again() -> None:
    lines = told(
        POLICY + "---\nscenario: s\nentry: {on: seen, re_entry: never, if_live: restart}\n"
        "steps: [{id: one, delay: {for: 1h}}]",
        came(0, "seen"), came(M, "seen"),
    )  # fmt: skip
    assert [(what, reason) for _, what, _, _, reason, _ in lines[:3]] == [
        ("entered", ""), ("ended", "restarted"), ("entered", ""),
    ]  # fmt: skip


def test_what_is_no_activity_breaks_no_silence_and_ends_a_wait_for_it() -> None:
    wait = "{id: one, wait_until: {on: idle, timeout: 1h}}"
    silence = "{id: two, silence: {of: [idle], for: 1h}}"
    send = "{id: end, send: {content: mail}}"
    lines = told(
        POLICY + f"---\nscenario: s\nentry: {{on: seen}}\nsteps: [{wait}, {silence}, {send}]",
        came(0, "seen"), came(10 * M, "idle"), came(20 * M, "idle"),
    )  # fmt: skip
    assert (10 * M + H, "sent", "s", "end", "", "mail/email") in lines


def test_a_silence_asks_its_where_of_what_is_known_already() -> None:
    silence = "{id: quiet, silence: {of: [told], where: 'event.word == \"yes\"', for: 30m}}"
    lines = told(
        POLICY + f"---\nscenario: s\nentry: {{on: seen}}\nsteps: [{silence}]",
        came(0, "bought"), came(5 * M, "told", word="prefer", value="email"), came(6 * M, "seen", 0),
    )  # fmt: skip
    assert lines[-1][:3] == (30 * M, "ended", "s")


def test_an_event_dated_ahead_takes_nothing_out_of_a_window() -> None:
    document = "traits: all\ndefine: {views: {on: seen, count: 'true', window: 30m}}\n---\n" + POLICY
    send = "{id: one, send: {content: notice, with: {views: profile.views}}}"
    bundle = loaded(CONTENTS + document + f"---\nscenario: s\nentry: {{on: bought}}\nsteps: [{send}]")
    stream = [came(0, "seen"), came(26 * M, "seen", 31 * M), came(28 * M, "bought")]
    theirs, played = produced((bundle,), stream, MONDAY)
    assert theirs == interpreted((bundle,), played, MONDAY)
    assert theirs.messages[0]["values"] == {"views": 1}


def test_an_event_dated_ahead_leaves_its_lateness_to_the_others() -> None:
    document = "traits: all\ndefine: {warm: {score: [{on: seen, add: 5, once_per: 3m}]}}\n---\n" + POLICY
    stream = [came(H, "seen", 65 * M), came(H + 1, "seen", 54 * M), came(H + 2, "seen", 50 * M + 30_000)]
    assert values(document, *stream) == {"warm": 15.0}


def test_the_newest_word_about_a_channel_counts_for_service_too() -> None:
    lines = told(
        POLICY + "---\nscenario: s\nentry: {on: seen}\nsteps: [{id: one, send: {content: notice}}]",
        came(0, "told", word="nothing", value="email"), came(1, "told", word="all of it", value="email"),
        came(2, "seen"),
    )  # fmt: skip
    assert (2, "sent", "s", "one", "", "notice/email") in lines


def test_a_level_sees_what_an_event_of_the_engine_stands_for() -> None:
    lines = told(
        POLICY + "---\nscenario: a\nentry: {on: seen}\n" + """exit: {when: 'live("b")', reason: other}\n"""
        "steps: [{id: one, delay: {for: 1d}}]\n---\n"
        "scenario: b\nentry: {on: bought}\nsteps: [{id: one, delay: {for: 1d}}]",
        came(0, "seen"), came(M, "bought"),
    )  # fmt: skip
    assert (M, "ended", "a", "", "other", "lost") in lines


def test_a_task_that_is_withdrawn_in_the_moment_when_it_is_due_is_not_told_overdue() -> None:
    task = "{id: work, task: {queue: care, due: 10m, on_exit: withdraw}}"
    lines = told(
        POLICY + f"---\nscenario: s\nentry: {{on: seen}}\nsteps: [{task}, {{id: one, delay: {{for: 10m}}}}]",
        came(0, "seen"),
    )
    assert [what for _, what, *_ in lines] == ["entered", "task", "task_withdrawn", "ended"]


def test_an_event_without_a_message_is_about_the_newest_one_of_the_content_it_names() -> None:
    opened = Arrival(M, M, "opened", "opened", "email", {"content": "notice"})
    wait = "{id: two, wait_until: {on: opened, of: one, timeout: 1h}}"
    lines = told(
        POLICY + f"---\nscenario: s\nentry: {{on: seen}}\nsteps: [{{id: one, send: {{content: mail}}}}, {wait}]",
        came(0, "seen"), opened,
    )  # fmt: skip
    assert lines[-1][:3] == (H, "ended", "s")


def test_what_is_put_in_a_basket_without_saying_what_is_nothing() -> None:
    cart = "traits: all\ndefine: {cart: {basket: {id: event.cart, add: put, remove: taken}}}\n---\n"
    found = values(cart + POLICY, came(0, "put", cart="k1", sku="A", qty=2), came(M, "put", cart="k1"))
    assert found["cart"]["lines"] == [{"qty": 2, "sku": "A"}]


def test_an_end_that_is_past_is_now_and_calendars_are_asked_about_now() -> None:
    wait = """{id: one, delay: {until: 'entry.meta.time + duration("20m")', calendar: office}}"""
    steps = "[{id: first, delay: {for: 10h}}, " + wait + "]"
    lines = told(POLICY + f"---\nscenario: s\nentry: {{on: seen}}\nsteps: {steps}", came(0, "seen"))
    assert lines[-1][:3] == (47 * H, "ended", "s"), "the office is closed on Tuesday, 3 March"


# The next channel of a message.

FALLBACK = "fallback: {after: 30m}"


def became(at: int, type_: str, message: str = "$newest") -> Arrival:
    return came(at, type_, message=message)._replace(channel="email")


def test_a_goal_is_watched_also_where_a_message_and_its_story_are_over_in_one_moment() -> None:
    send = f"{{id: one, send: {{content: notice, {FALLBACK}}}}}"
    lines = told(
        POLICY + "---\nscenario: s\nentry: {on: seen}\ngoal: {on: bought, keep_watching: 1h}\n"
        f"steps: [{send}, {{id: wait, delay: {{for: 30m}}}}, {{id: two, send: {{content: notice}}}}]",
        came(0, "seen"),
    )  # fmt: skip
    assert lines[-1] == (90 * M, "ended", "s", "", "finished", "done")


def test_a_failure_that_is_told_late_is_no_new_judgement_of_what_is_held() -> None:
    both = "content: both\nclass: service\nvariants: {email: {subject: S, body: B}, sms: {text: X}}\n---\n"
    lines = told(
        both + POLICY + "browse_delay: 2h\n---\nscenario: s\nentry: {on: seen}\n"
        f"steps: [{{id: one, send: {{content: both, {FALLBACK}}}}}]",
        came(0, "seen"), became(H, "failed"),
    )  # fmt: skip
    assert [(at, what, detail) for at, what, *_, detail in lines[2:-1]] == [
        (30 * M, "held", "both/sms"), (2 * H, "sent", "both/sms"),
    ]  # fmt: skip


def test_what_went_out_on_another_channel_makes_no_gap_on_the_first() -> None:
    both = "content: both\nvariants: {email: {subject: S, body: B}, push: {title: T, text: X}}\n---\n"
    lines = told(
        both + POLICY + "min_gap: [{channel: email, gap: 1h}]\n---\n"
        f"scenario: s\nentry: {{on: case_opened}}\nsteps: [{{id: one, send: {{content: both, {FALLBACK}}}}}]\n---\n"
        "scenario: t\nentry: {on: bought}\nsteps: [{id: two, send: {content: mail}}]",
        came(0, "case_opened"), became(M, "bounced"), came(2 * M, "bought"),
    )  # fmt: skip
    assert [(what, detail) for _, what, *_, detail in lines if what == "sent"] == [
        ("sent", "both/email"), ("sent", "both/push"), ("sent", "mail/email"),
    ]  # fmt: skip


def test_messages_of_two_visits_keep_apart_on_their_next_channels() -> None:
    both = "content: both\nvariants: {email: {subject: S, body: B}, push: {title: T, text: X}}\n---\n"
    bundle = loaded(
        both + POLICY + "---\nscenario: s\nentry: {on: seen}\nsteps:\n"
        f"- {{id: one, send: {{content: both, {FALLBACK}}}}}\n- {{id: wait, delay: {{for: 10m}}}}\n"
        "- {id: again, go_to: {step: one, limit: 1}}\n"
    )  # fmt: skip
    theirs, played = produced((bundle,), [came(0, "seen")], MONDAY)
    assert theirs == interpreted((bundle,), played, MONDAY)
    assert [one["channel"] for one in theirs.messages] == ["email", "email", "push", "push"]
    assert len({one["id"] for one in theirs.messages}) == 4


# Releases that everybody follows.


def followed(before: str, after: str, *stream: Arrival, at: int) -> list[tuple[Any, ...]]:
    """What both tell of a story that has other steps from `at` on."""
    scenario = "scenario: s\nentry: {on: seen}\n"
    texts = (f"{scenario}steps:\n{before}", f"{scenario}version: 2\nin_flight: follow\nsteps:\n{after}")
    bundles = tuple(loaded(CONTENTS + POLICY + "---\n" + text) for text in texts)
    publishing = Arrival(at, at, "", RELEASE, "", {})
    theirs, played = produced(bundles, sorted([*stream, publishing]), MONDAY)
    assert theirs == interpreted(bundles, played, MONDAY)
    assert len({one["id"] for one in theirs.messages}) == len(theirs.messages)
    return [(at - MONDAY, *rest) for at, *rest in theirs.told]


BOTH_TRACKS = """
- id: both
  parallel:
  - {name: left, steps: [{id: later, delay: {for: 1h}}]}
  - {name: right, steps: [{id: late, delay: {for: 2h}}]}
"""


def test_a_parallel_goes_on_though_a_track_that_was_under_way_has_left_it() -> None:
    after = """
- id: both
  parallel:
  - {name: right, steps: [{id: late, delay: {for: 2h}}]}
- {id: later, delay: {for: 1h}}
"""
    lines = followed(BOTH_TRACKS, after, came(0, "seen"), at=M)
    assert lines[-1] == (3 * H, "ended", "s", "", "finished", "done"), "1 h of the left, then 2 h more"


def test_a_step_that_comes_into_a_parallel_is_one_of_its_tracks() -> None:
    after = """
- id: both
  parallel:
  - {name: left, steps: [{id: first, delay: {for: 1h}}]}
  - {name: right, steps: [{id: late, delay: {for: 2h}}]}
- {id: end, send: {content: mail}}
"""
    lines = followed("- {id: first, delay: {for: 10m}}", after, came(0, "seen"), at=M)
    assert lines[1:] == [(10 * M, "sent", "s", "end", "", "mail/email"), (10 * M, "ended", "s", "", "finished", "done")]


def test_a_message_that_a_new_version_sends_again_is_another_message() -> None:
    after = "- {id: wait, delay: {for: 1h}}\n- {id: one, send: {content: notice}}"
    lines = followed(
        "- {id: one, send: {content: notice}}\n- {id: wait, delay: {for: 1h}}", after, came(0, "seen"), at=M
    )
    assert [(at, what) for at, what, *_ in lines] == [(0, "entered"), (0, "sent"), (H, "sent"), (H, "ended")]


# Two halves of a customer.


def by(who: str, one: Arrival) -> Arrival:
    return one._replace(who=who, id=f"{one.id}-{who}")


def test_of_two_halves_the_newest_entry_says_when_one_may_enter_again() -> None:
    lines = told(
        POLICY + "---\nscenario: s\nentry: {on: seen, re_entry: {after: 30m}}\nsteps: []",
        came(0, "seen"), came(40 * M, "seen"), by(OTHER, came(60 * M, "seen")), by(BOTH, came(61 * M, "idle")),
        came(75 * M, "seen"),
    )  # fmt: skip
    assert lines[-1] == (75 * M, "not_entered", "s", "", "re_entry", "")


def test_what_has_become_true_for_one_half_does_not_become_true_again_when_they_meet() -> None:
    visits = "traits: all\ndefine: {visits: {on: seen, count: 'true'}}\n---\n"
    lines = told(
        visits + POLICY + "---\nscenario: s\nentry: {becomes: profile.visits >= 2}\nsteps: []",
        came(0, "seen"), by(OTHER, came(M, "seen")), by(OTHER, came(2 * M, "seen")), by(BOTH, came(61 * M, "idle")),
    )  # fmt: skip
    assert [at for at, what, *_ in lines if what == "entered"] == [2 * M]


def test_what_must_be_absent_on_the_time_line_of_one_half_may_be_on_the_others() -> None:
    lines = told(
        POLICY + "---\nscenario: s\nentry: {sequence: [{on: seen}, {absent: bought, for: 1h}], within: 1h}\nsteps: []",
        came(0, "seen"), by(OTHER, came(10 * M, "bought")), by(BOTH, came(35 * M, "idle")),
    )  # fmt: skip
    assert lines == []


def test_of_a_thread_in_which_both_halves_spoke_the_turns_are_counted_and_kept_as_of_one() -> None:
    conversation = (
        "conversation: all\nkeep: 3\nthread: event.thread\n"
        "turns: [{on: wrote, by: customer, text: event.text}, {on: answered, by: agent, text: event.text}]\n---\n"
    )
    bundle = loaded(CONTENTS + conversation + POLICY)
    stream = [
        came(0, "answered", thread="th1"), by(OTHER, came(M, "wrote", thread="th1")),
        came(2 * M, "wrote", thread="th1"), by(OTHER, came(3 * M, "wrote", thread="th1")),
        by(BOTH, came(4 * M, "idle")),
    ]  # fmt: skip
    theirs, played = produced((bundle,), stream, MONDAY)
    assert theirs == interpreted((bundle,), played, MONDAY)
    thread = theirs.threads["th1"]
    assert (thread["turns"], thread["asked"], len(thread["recent"])) == (4, 3, 3)


def test_what_led_to_an_entry_by_absence_is_the_end_of_its_time_also_where_the_event_came_later() -> None:
    lines = told(
        "scenario: s\nentry: {sequence: [{on: seen}, {absent: bought, for: 5m}], within: 30m}\n"
        "steps: [{id: quiet, silence: {of: [idle], for: 30m}}]",
        came(10 * M, "seen", happened=0),
    )
    assert (35 * M, "ended", "s", "", "finished", "done") in lines


def test_a_release_that_sets_a_timer_is_the_first_look_at_a_level() -> None:
    cheap = Arrival(M, M, "e1", "priced", "web", {"sku": "A", "price": 5.0})
    lines = told(
        "scenario: cheap\nentry: {becomes: 'price(\"A\") < 10.0'}\nsteps: []\n---\n"
        "scenario: daily\nentry: {every: {days: [mon, tue, wed, thu, fri, sat, sun], time: '09:00', zone: brand}}\n"
        "audience: profile.known\nsteps: []",
        cheap,
    )
    assert next(line[2] for line in lines if line[1] == "entered" and line[2] == "cheap")
