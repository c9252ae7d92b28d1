"""Rules that the specification left open, as the reference pages state them (docs/reference/language)."""

from __future__ import annotations

from typing import Any

import pytest
from play import D, H, M, Play

from orchestrator.engine.steps.words import WORDS

AMY = "user_id:amy email:amy@example.com device:d1"
EVERYTHING = "browse_delay: 0s\none_per_moment: []\n"


def story(steps: str, name: str = "tale", entry: str = "{on: seen}", more: str = "") -> str:
    return f"scenario: {name}\nentry: {entry}\n{more}\nsteps:\n{steps}\n"


def content(name: str, class_: str = "service", more: str = "") -> str:
    texts = "{email: {subject: hi, body: hello}, push: {title: hi, text: hello}}"
    return f"content: em.{name}\nclass: {class_}\n{more}\nvariants: {texts}\n"


def mail(name: str, step: str = "mail", channel: str = "email") -> str:
    return f"  - {{id: {step}, send: {{content: em.{name}, channel: {channel}}}}}\n"


def known(*documents: str, policy: str = "") -> Play:
    """Amy, who has agreed to everything."""
    play = Play(f"policy: p\npreferred_order: [email]\n{EVERYTHING}{policy}", *documents)
    play.comes("quiet_word", who=AMY)
    for channel in ("email", "push"):
        play.comes("told", word="yes", value=channel)
    return play


# Waits about a step that told nobody anything.


def test_a_wait_about_a_step_that_was_never_reached_times_out_at_once() -> None:
    steps = f"""
  - id: which
    split:
      - {{when: 'entry.page == "a"', then: [{mail("hello").strip()[2:]}]}}
  - id: answer
    wait_until: {{on: opened, of: mail, timeout: 1d}}
    on_timeout: [{{id: silent, emit: {{event: opened}}}}]
"""
    for page, sent, standing in (("a", 1, ["answer"]), ("b", 0, [])):
        play = known(content("hello"), story(steps))
        play.comes("seen", M, page=page)
        assert (len(play.actions), play.standing()) == (sent, standing)


def test_a_wait_about_a_task_stands_although_nothing_was_sent() -> None:
    steps = """
  - {id: work, task: {queue: care}}
  - {id: answer, wait_until: {on: task_closed, of: work, timeout: 1d}}
"""
    play = known(story(steps))
    play.comes("seen", M)
    assert play.standing() == ["answer"]


# A content whose name turns out to be none.


@pytest.mark.parametrize(("unsent", "ends"), [("continue", ("done", "finished")), ("exit", ("lost", "error"))])
def test_a_content_that_there_is_not_is_suppressed_like_any_other(unsent: str, ends: tuple[str, str]) -> None:
    step = f"  - {{id: mail, send: {{content: {{is: entry.page}}, on_unsent: {unsent}}}}}\n"
    follow = "  - {id: say, emit: {event: opened}}\n"
    play = known(content("hello"), story(step + follow), story(follow, "noticed", "{on: contact_suppressed}"))
    play.comes("seen", M, page="em.nothing")
    assert play.told("suppressed") == [("suppressed", "tale", "error")]
    assert ends in play.ended()
    assert [note.scenario for note in play.notes("emitted")] == [*["tale"] * (unsent == "continue"), "noticed"]


# What raises.


def broken(*_: Any) -> Any:
    raise RuntimeError("a fault of ours")


def test_a_timer_whose_step_raises_ends_its_instance_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    play = known(
        story("  - {id: wait, delay: {for: 1h}}\n  - {id: say, emit: {event: opened}}\n"),
        story("  - {id: quiet, silence: {of: bought, for: 1h}}\n  - {id: say, emit: {event: opened}}\n", name="other"),
    )
    play.comes("seen", M)
    monkeypatch.setattr(type(WORDS["delay"]), "due", broken)
    play.passes(2 * H)
    ended = sorted((note.scenario, note.reason) for note in play.notes("ended"))
    assert ended == [("other", "finished"), ("tale", "error")]
    assert ("error", "tale", "error") in play.told("error")
    assert play.customer().instances == []


def test_a_send_that_cannot_be_judged_within_eight_rounds_ends_its_instance() -> None:
    both = "{on: [seen, contact_sent], where: event.meta.type == 'seen' || event.content == 'em.pong'}"
    ping = story(mail("ping"), "ping", both)
    pong = story(mail("pong"), "pong", "{on: contact_sent, where: event.content == 'em.ping'}")
    play = known(content("ping"), content("pong"), ping, pong)
    play.comes("seen", M)
    assert play.told("stopped") == [("stopped", "", "too_deep")]
    assert play.ended()[-1] == ("lost", "too_deep")
    assert play.customer().instances == []


# Caps by purpose.


@pytest.mark.parametrize(("class_", "refused"), [("service", []), ("marketing", ["capped"])])
def test_a_cap_by_purpose_counts_and_concerns_marketing_only(class_: str, refused: list[str]) -> None:
    caps = "caps: [{purpose: product, limit: 1, per: 1d}]\nexempt: {service: []}\n"
    play = known(
        content("first", class_),
        content("second", "marketing"),
        story(mail("first") + mail("second", "again")),
        policy=caps,
    )
    play.comes("seen", M)
    assert play.reasons("suppressed") == refused


# `instead`.


def swapped(first: str, second: str, policy: str = "") -> Play:
    play = known(
        content("first", first, "requires: 'false'\ninstead: em.second"), content("second", second),
        story(mail("first")), policy=policy,
    )  # fmt: skip
    play.comes("seen", M)
    return play


def test_instead_takes_its_place_where_requires_is_false() -> None:
    assert [one.content for one in swapped("marketing", "marketing").actions] == ["em.second"]


@pytest.mark.parametrize("policy", ["caps: [{class: marketing, limit: 0, per: 1d}]", "global_control_group: 100%"])
def test_instead_of_another_class_passes_the_gates_of_its_own_class(policy: str) -> None:
    assert [one.content for one in swapped("marketing", "service", policy).actions] == (
        ["em.second"] if "caps" in policy else []
    )
    play = swapped("service", "marketing", policy)
    assert play.actions == []
    assert play.reasons("suppressed") == (["capped"] if "caps" in policy else ["out_of_stock"])


def test_instead_is_not_tried_for_whom_the_first_does_not_suit_and_is_not_chained() -> None:
    play = known(
        content("first", more="suits: 'false'\nrequires: 'false'\ninstead: em.second"), content("second"),
        story(mail("first")),
    )  # fmt: skip
    play.comes("seen", M)
    assert play.reasons("suppressed") == ["not_suited"]
    chained = known(
        content("first", more="requires: 'false'\nreason: no_offer\ninstead: em.second"),
        content("second", more="requires: 'false'\ninstead: em.third"), content("third"), story(mail("first")),
    )  # fmt: skip
    chained.comes("seen", M)
    assert chained.reasons("suppressed") == ["no_offer"]


# Pauses.

ANGRY = """
traits: moods
define: {angry: {last: true, on: asked, default: false, keep_for: 1h}}
"""
PAUSE = "pauses: [{name: anger, while: profile.angry, and_then: 2h, class: marketing, on_hit: hold}]\n"


def test_and_then_counts_from_when_the_pause_was_seen_to_be_over_where_time_alone_ended_it() -> None:
    play = known(ANGRY, content("hello", "marketing", "valid_for: 10d"), story(mail("hello")), policy=PAUSE)
    play.comes("asked", M)
    play.comes("seen", 2 * M)
    assert play.reasons("held") == ["anger"]
    play.passes(6 * H + 1 * H)
    assert play.sent == [], "looked at after six hours: over, and so held for two hours more"
    play.passes(1 * D)
    assert play.sent == [("em.hello", 8 * H + 2 * M)]


def test_and_then_counts_from_the_event_that_ended_the_pause() -> None:
    calm = ANGRY.replace("on: asked, default: false, keep_for: 1h", "on: told, where: has(event.flag)").replace(
        "last: true", "last: event.flag"
    )
    play = known(calm, content("hello", "marketing", "valid_for: 10d"), story(mail("hello")), policy=PAUSE)
    play.comes("told", M, flag=True)
    play.comes("seen", 2 * M)
    play.comes("told", 1 * H, flag=False)
    play.passes(1 * D)
    assert play.sent == [("em.hello", 3 * H)]


# Late events.


@pytest.mark.parametrize(("tags", "told"), [(["a"], []), (["a", "x"], ["late_event"]), (["x", "x"], ["late_event"])])
def test_a_late_event_is_told_once_where_an_element_of_each_would_have_entered(
    tags: list[str], told: list[str]
) -> None:
    entry = """{on: seen, each: event.tags, where: 'item == "x"', key: item}"""
    play = known(story("  - {id: wait, delay: {for: 1h}}\n", entry=entry))
    play.comes("seen", 2 * H, happened=1 * H, tags=tags)
    assert play.reasons("not_entered") == told
    assert play.customer().instances == []


# Null.


@pytest.mark.parametrize("page", [{}, {"page": None}], ids=["absent", "null"])
def test_an_absent_property_and_a_null_are_the_same_to_conditions(page: dict[str, Any]) -> None:
    conditions = ("has(event.page)", 'event.page == "a"', 'event.page != "a"', "event.page == null", 'event.page < "a"')
    found = []
    for condition in conditions:
        play = known(story("  - {id: wait, delay: {for: 1h}}\n", entry=f"{{on: seen, where: '{condition}'}}"))
        play.comes("seen", M, **page)
        found.append(bool(play.customer().instances))
    assert found == [False, False, True, True, False]


# Silence after a message.


def nightly(held: bool) -> Play:
    hours = 'quiet_hours: [{from: "08:00", to: "12:00", channels: [push]}]\n' if held else ""
    steps = mail("hello", channel="push") + "  - {id: quiet, silence: {of: bought, for: 4h}}\n" + mail("again", "more")
    play = known(content("hello"), content("again"), story(steps), policy=hours)
    play.comes("seen", M)
    play.passes(1 * D)
    return play


def test_silence_behind_a_message_counts_from_what_let_it_go() -> None:
    assert nightly(held=False).sent == [("em.hello", M), ("em.again", 4 * H + M)], "from the event's time"
    assert nightly(held=True).sent == [("em.hello", 2 * H), ("em.again", 6 * H)], "from the end of the quiet hours"


# No delay after browsing.


@pytest.mark.parametrize(("delay", "sent"), [("0s", 1), ("30m", 0)])
def test_a_browse_delay_of_nothing_holds_nothing(delay: str, sent: int) -> None:
    play = Play(
        f"policy: p\npreferred_order: [push]\nbrowse_delay: {delay}\n",
        content("hello"),
        story(mail("hello", channel="push")),
    )
    play.comes("seen", M, AMY)
    assert len(play.sent) == sent
