"""Gate by gate: what is not sent, and the reason and the numbers that say why. The first gate that refuses decides."""

from typing import Any

import pytest
from play import START, D, H, M, Play, program_of

from orchestrator.engine.gates.hours import hours_of
from orchestrator.engine.gates.verdict import hold
from orchestrator.model import reason

AMY = "user_id:amy email:amy@example.com phone:+331 device:d1"


def tale(
    content: str, name: str = "", more: str = "", entry: str = "{on: seen}", send: str = "channel: [email]"
) -> str:
    name = name or f"tell-{content}"
    return (
        f"scenario: {name}\nentry: {entry}\n{more}\n"
        f"steps: [{{id: mail, send: {{content: em.{content}, {send}}}}}, {{id: after, emit: {{event: opened}}}}]\n"
    )


def content(name: str, class_: str = "marketing", more: str = "") -> str:
    return (
        f"content: em.{name}\nclass: {class_}\n{more}\n"
        "variants: {email: {subject: hi, body: hello}, push: {title: hi, text: hello}, sms: {text: hello}}\n"
    )


def known(*documents: str, policy: str = "", consent: bool = True, **world: Any) -> Play:
    """Amy with all her addresses, who has agreed to everything."""
    usual = "" if "browse_delay" in policy else "browse_delay: 0s"
    rules = [f"policy: p\npreferred_order: [email]\n{usual}\n{policy}"]
    play = Play(*rules, *documents, **world)
    play.comes("quiet_word", who=AMY)
    for channel in ("email", "push", "sms") if consent else ():
        play.comes("told", word="yes", value=channel)
    return play


def refused(play: Play) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = play.told("suppressed", "held")
    return found


def detail(play: Play, what: str = "suppressed") -> dict[str, Any]:
    found: dict[str, Any] = play.notes(what)[-1].detail
    return found


# Channel: address and consent.


@pytest.mark.parametrize(("language", "sent"), [("fr", True), ("fr-CH", True), ("fr_FR", True), ("it", False)])
def test_what_is_told_in_no_other_language_is_told_to_who_speaks_it_anywhere(language: str, *, sent: bool) -> None:
    only = (
        "content: em.hello\nclass: service\nlanguage_missing: skip\n"
        "variants: {email: {subject: {fr: Bonjour}, body: {fr: Bonjour}}}\n"
    )
    speaks = "traits: t\ndefine: {language: {last: event.other, on: told}}"
    play = known(only, speaks, tale("hello"))
    play.comes("told", M, other=language)
    play.comes("seen", 2 * M)
    assert [action.language for action in play.actions] == ([language] if sent else [])
    assert play.reasons("suppressed") == ([] if sent else ["no_address"])


def test_a_message_that_passes_every_gate_leaves_with_all_that_delivery_needs() -> None:
    play = known(content("hello", more="about: [lumo]\nvalid_for: 1d\nwith: {n: size(entry.page)}"), tale("hello"))
    play.comes("seen", 1 * M, page="/x")
    [action] = play.actions
    assert (action.channel, action.address, action.content, action.class_) == (
        "email",
        "amy@example.com",
        "em.hello",
        "marketing",
    )
    assert (action.values, action.valid_until - START, action.at - START) == ({"n": 2}, 1 * D + M, M)
    assert (action.scenario, action.step, action.ordinal, action.language, action.zone) == (
        "tell-hello",
        "mail",
        1,
        "en",
        "Europe/Paris",
    )
    assert (action.person, action.node, action.about, action.topic) == (
        play.customer().person,
        "default/user_id:amy",
        ("lumo",),
        "em.hello",
    )


def test_no_address_is_told_from_no_consent() -> None:
    play = known(content("hello"), tale("hello", send="channel: [push, email]"), consent=False)
    play.comes("seen", 1 * M)
    assert refused(play) == [("suppressed", "tell-hello", "no_consent")]
    assert detail(play)["tried"] == {"push": "no_consent", "email": "no_consent"}
    play = Play(content("hello"), tale("hello"))
    play.comes("told", word="yes", value="email")
    play.comes("seen", 1 * M)
    assert refused(play) == [("suppressed", "tell-hello", "no_address")]
    assert detail(play)["tried"] == {"email": "no_address"}


def test_the_first_channel_in_order_that_has_address_and_consent() -> None:
    play = known(content("hello"), tale("hello", send="channel: [push, sms, email]"), consent=False)
    play.comes("told", word="yes", value="sms")
    play.comes("seen", 1 * M)
    assert [(action.channel, action.address) for action in play.actions] == [("sms", "+331")]


@pytest.mark.parametrize(
    ("class_", "word", "sent"),
    [("marketing", "", 0), ("marketing", "yes", 1), ("marketing", "no", 0), ("service", "", 1), ("service", "no", 1),
     ("service", "never", 0), ("transactional", "", 1), ("transactional", "never", 1)],
)  # fmt: skip
def test_what_consent_each_class_needs(class_: str, word: str, sent: int) -> None:
    play = known(content("hello", class_), tale("hello"), consent=False)
    if word:
        play.comes("told", word=word, value="email")
    play.comes("seen", 1 * M)
    assert len(play.actions) == sent


def test_of_two_words_on_consent_the_newer_event_counts_and_on_a_tie_the_denial() -> None:
    play = known(content("hello"), tale("hello"), consent=False)
    play.comes("told", 5 * M, word="no", value="email")
    play.comes("told", 6 * M, happened=4 * M, word="yes", value="email")
    assert play.profile("consent")["email"]["product"] is False
    play.comes("told", 7 * M, happened=6 * M, word="yes", value="email")
    assert play.profile("consent")["email"]["product"] is True
    play.comes("told", 8 * M, happened=6 * M, word="no", value="email")
    assert play.profile("consent")["email"]["product"] is False
    play.comes("told", 9 * M, happened=6 * M, word="yes", value="email")
    assert play.profile("consent")["email"]["product"] is False


def test_preferred_is_the_declared_channel_then_the_policys_order() -> None:
    declared = "traits: t\ndefine: {preferred_channel: {last: event.value, on: told, where: event.word == 'prefers'}}"
    story = tale("hello", send="channel: preferred", entry="{on: seen, key: event.page}")
    play = known(declared, content("hello"), story)
    play.comes("seen", 1 * M, page="1")
    play.comes("told", 2 * M, word="prefers", value="push")
    play.comes("seen", 3 * M, page="2")
    assert [action.channel for action in play.actions] == ["email", "push"]


# Expired, suitable, instead, once.


def test_expired_comes_first_and_ends_every_hold() -> None:
    quiet = 'quiet_hours: [{from: "09:00", to: "23:00"}]'
    play = known(content("hello", more="valid_for: 2h"), tale("hello"), policy=quiet)
    play.comes("seen", 1 * M)
    assert refused(play)[-1] == ("held", "tell-hello", "quiet_hours")
    play.passes(1 * D)
    assert refused(play)[-1] == ("suppressed", "tell-hello", "expired")
    assert play.actions == []


def test_what_does_not_suit_is_not_sent_and_not_swapped() -> None:
    play = known(
        content("hello", more="suits: profile.version < 0\ninstead: em.other"), content("other"), tale("hello")
    )
    play.comes("seen", 1 * M)
    assert refused(play) == [("suppressed", "tell-hello", "not_suited")]


STOCK = {"stock": {"A/web": {"qty": 0}, "B/web": {"qty": 3}}}


def test_instead_is_tried_once_where_a_fact_is_missing() -> None:
    needs = "requires: stock('A') > 0\ninstead: em.other"
    play = known(
        content("hello", more=needs), content("other", more="requires: stock('B') > 0"), tale("hello"), facts=STOCK
    )
    play.comes("seen", 1 * M)
    assert [action.content for action in play.actions] == ["em.other"]


def test_where_instead_fails_too_the_first_reason_stands() -> None:
    needs = "requires: stock('A') > 0\ninstead: em.other\nreason: out_of_stock"
    play = known(content("hello", more=needs), content("other", more="suits: 1 > 2"), tale("hello"), facts=STOCK)
    play.comes("seen", 1 * M)
    assert refused(play) == [("suppressed", "tell-hello", "out_of_stock")]
    assert detail(play)["condition"] == "stock('A') > 0"


def test_what_they_know_already_is_not_said_again() -> None:
    play = known(content("hello", more="once: profile.version > 0"), tale("hello"))
    play.comes("seen", 1 * M)
    assert refused(play) == [("suppressed", "tell-hello", "already_seen")]
    assert detail(play)["once"] == "profile.version > 0"


# Redundancy, ownership, topics, control group.


def test_the_same_topic_is_said_once_whatever_the_channel_and_scenario() -> None:
    play = known(content("hello", more="topic: news"), content("other", more="topic: news"), tale("hello"),
                 tale("other", entry="{on: asked}", send="channel: [push]"),
                 policy="redundancy: {per: topic, for: 7d, channels: [email, push]}")  # fmt: skip
    play.comes("seen", 1 * M)
    play.comes("asked", 1 * H)
    assert refused(play) == [("suppressed", "tell-other", "redundant")]
    assert {k: detail(play)[k] for k in ("topic", "on", "said_at")} == {
        "topic": "news",
        "on": "email",
        "said_at": START + M,
    }
    play.comes("asked", 7 * D + M - 1)
    assert len(play.actions) == 1
    play.comes("asked", 7 * D + M)
    assert len(play.actions) == 2


def test_a_subject_that_is_owned_is_left_to_its_owner_while_it_lives() -> None:
    steps = "steps: [{id: wait, delay: {for: 5h}}]\n"
    owner = f"scenario: rescue\nentry: {{on: put}}\nowns: [lumo]\nexit: [{{on: taken, reason: gone}}]\n{steps}"
    play = known(content("hello", more="about: [lumo, audio]"), tale("hello"), owner)
    play.comes("put", 1 * M, sku="A")
    play.comes("seen", 2 * M)
    assert refused(play) == [("suppressed", "tell-hello", "owned")]
    assert detail(play)["owner"] == "rescue"
    play.comes("taken", 3 * M, sku="A")
    play.comes("seen", 4 * M)
    assert len(play.actions) == 1


def test_declared_topics_are_respected() -> None:
    topics = "traits: t\ndefine: {topics: {set: event.value, on: told, where: event.word == 'likes'}}"
    play = known(topics, content("hello", more="about: [audio]"), tale("hello"))
    play.comes("told", 1 * M, word="likes", value="garden")
    play.comes("seen", 2 * M)
    assert refused(play) == [("suppressed", "tell-hello", "not_preferred")]
    play.comes("told", 3 * M, word="likes", value="audio")
    play.comes("seen", 4 * M)
    assert len(play.actions) == 1


def test_the_control_group_gets_no_marketing_and_all_the_rest() -> None:
    policy = "policy: p\nglobal_control_group: 10%\npreferred_order: [email]"
    program = program_of(policy, content("ad"), content("bill", "service"), tale("ad"), tale("bill"))
    program.draw = lambda _tenant, salt, _person: 9.99 if salt == "global_control_group" else 99.0
    play = Play(program)
    play.comes("quiet_word", who=AMY)
    play.comes("seen", 1 * M)
    assert refused(play) == [("suppressed", "tell-ad", "control_group")]
    assert [action.content for action in play.actions] == ["em.bill"]


# Caps, gaps, arbitration.


def test_a_cap_is_exact_also_under_several_candidates_of_one_moment() -> None:
    names = ("a", "b", "c")
    play = known(*(content(name) for name in names), *(tale(name) for name in names),
                 policy="one_per_moment: []\ncaps: [{class: marketing, limit: 2, per: 24h}]")  # fmt: skip
    play.comes("seen", 1 * M)
    assert [action.content for action in play.actions] == ["em.a", "em.b"]
    assert refused(play) == [("suppressed", "tell-c", "capped")]
    assert {k: detail(play)[k] for k in ("limit", "sent")} == {"limit": 2, "sent": 2}


def test_a_rolling_window_frees_its_place_to_the_millisecond() -> None:
    play = known(content("hello"), tale("hello"), policy="caps: [{class: marketing, limit: 1, per: 2h}]")
    play.comes("seen", 1 * M)
    play.comes("seen", 2 * H + M - 1)
    assert len(play.actions) == 1
    play.comes("seen", 2 * H + M)
    assert len(play.actions) == 2


def test_a_day_is_the_customers_day() -> None:
    """The start is 10:00 in Paris: their midnight is 14 hours away."""
    play = known(content("hello"), tale("hello"), policy="caps: [{class: marketing, limit: 1, per: day}]")
    play.comes("seen", 1 * M)
    play.comes("seen", 14 * H - 1)
    assert len(play.actions) == 1
    play.comes("seen", 14 * H)
    assert len(play.actions) == 2


def test_a_cap_holds_where_it_says_so_until_a_place_is_free() -> None:
    play = known(
        content("hello"),
        tale("hello", entry="{on: seen, key: event.page}"),
        policy="caps: [{class: marketing, limit: 1, per: 2h, on_hit: hold}]",
    )
    play.comes("seen", 1 * M, page="1")
    play.comes("seen", 2 * M, page="2")
    assert detail(play, "held")["until"] == START + 2 * H + M
    play.passes(3 * H)
    assert [at for _, at in play.sent] == [1 * M, 2 * H + M]


def test_a_full_channel_gives_way_to_the_next() -> None:
    story = tale("hello", entry="{on: seen, key: event.page}", send="channel: [push, email]")
    caps = "caps: [{class: marketing, channel: push, limit: 1, per: 1d, on_hit: next_channel}]"
    play = known(content("hello"), story, policy=caps)
    play.comes("seen", 1 * M, page="1")
    play.comes("seen", 2 * M, page="2")
    assert [action.channel for action in play.actions] == ["push", "email"]


def test_a_cap_counts_only_what_it_names() -> None:
    play = known(content("a"), content("b", "service"), tale("a"), tale("b"),
                 policy="caps: [{class: marketing, channel: email, limit: 1, per: 1d}]")  # fmt: skip
    play.comes("seen", 1 * M)
    play.comes("seen", 2 * M)
    assert [action.content for action in play.actions] == ["em.b", "em.a", "em.b"]


def test_a_gap_keeps_messages_apart() -> None:
    play = known(
        content("hello"),
        tale("hello", entry="{on: seen, key: event.page}"),
        policy="min_gap: [{class: marketing, gap: 2h}]",
    )
    play.comes("seen", 1 * M, page="1")
    play.comes("seen", 2 * H, page="2")
    assert refused(play) == [("suppressed", "tell-hello", "min_gap")]
    assert {k: detail(play)[k] for k in ("last", "gap")} == {"last": START + M, "gap": 2 * H}


def test_of_one_moment_only_the_best_is_sent_and_the_others_name_the_winner() -> None:
    stories = (tale("a", more="priority: 30"), tale("b", more="priority: 60"), tale("c", more="priority: 1"))
    play = known(content("a"), content("b"), content("c", "service"), *stories)
    play.comes("seen", 1 * M)
    assert [action.content for action in play.actions] == ["em.c", "em.b"], "service ranks before marketing"
    assert refused(play) == [("suppressed", "tell-a", "arbitration")]
    assert detail(play)["winner"] == "tell-b"


def test_equals_in_priority_are_ranked_by_score_and_then_by_name() -> None:
    contents = [content(name) for name in ("a", "b", "c")]
    play = known(*contents, tale("a"), tale("b", more="score: 1.0 + 1.0"), tale("c", more="score: 2.0"))
    play.comes("seen", 1 * M)
    assert [action.content for action in play.actions] == ["em.b"]


def test_the_first_refusal_of_the_chain_is_the_reason() -> None:
    """Redundancy comes before caps, and both before quiet hours."""
    caps = "redundancy: {per: topic, for: 7d, channels: [email]}\ncaps: [{limit: 1, per: 7d}]"
    play = known(content("hello"), tale("hello"), policy=f'{caps}\nquiet_hours: [{{from: "10:05", to: "23:00"}}]')
    play.comes("seen", 1 * M)
    play.comes("seen", 30 * M)
    assert [reason for _, _, reason in refused(play)] == ["redundant"]


def test_who_is_suppressed_takes_neither_cap_nor_moment() -> None:
    play = known(content("a", more="suits: 1 > 2"), content("b"), tale("a", more="priority: 90"), tale("b"),
                 policy="caps: [{class: marketing, limit: 1, per: 1d}]")  # fmt: skip
    play.comes("seen", 1 * M)
    assert [action.content for action in play.actions] == ["em.b"]


# Held, and released.


QUIET = 'quiet_hours: [{from: "09:00", to: "11:30", except: [transactional]}]'


def test_quiet_hours_hold_until_their_end_in_the_customers_zone() -> None:
    play = known(content("hello"), tale("hello"), policy=QUIET)
    play.comes("seen", 1 * M)
    assert (refused(play), detail(play, "held")["until"] - START) == ([("held", "tell-hello", "quiet_hours")], 90 * M)
    assert play.standing() == ["mail"], "the instance stands at the send; later steps have not begun"
    assert play.emitted == []
    play.passes(2 * H)
    assert (play.sent, len(play.emitted)) == ([("em.hello", 90 * M)], 1)


def test_quiet_hours_may_skip_and_know_exceptions() -> None:
    play = known(
        content("a"),
        content("b", "transactional"),
        tale("a"),
        tale("b"),
        policy=QUIET.replace("except", "on_hit: skip, except"),
    )
    play.comes("seen", 1 * M)
    assert ([action.content for action in play.actions], refused(play)) == (
        ["em.b"],
        [("suppressed", "tell-a", "quiet_hours")],
    )


def test_an_exit_takes_a_held_message_along() -> None:
    play = known(content("hello"), tale("hello", more="exit: [{on: bought, reason: bought}]"), policy=QUIET)
    play.comes("seen", 1 * M)
    play.comes("bought", 2 * M, order="o1", total=1.0)
    play.passes(1 * D)
    assert play.actions == []


def test_held_messages_are_judged_anew_together() -> None:
    names = ("a", "b")
    play = known(
        *(content(name) for name in names), tale("a", more="priority: 20"), tale("b", entry="{on: asked}"), policy=QUIET
    )
    play.comes("seen", 1 * M)
    play.comes("asked", 2 * M)
    play.passes(2 * H)
    assert [action.content for action in play.actions] == ["em.b"]
    assert refused(play)[-1] == ("suppressed", "tell-a", "arbitration")


def test_a_gate_that_holds_until_now_is_asked_again_later_not_for_ever() -> None:
    play = known(content("hello", "service"), tale("hello"))
    play.program.gates = {"service": (lambda _, moment: hold(reason.QUIET_HOURS, moment.now),)}
    play.comes("seen", 1 * M)
    play.passes(1 * H)
    assert play.sent == []
    assert refused(play) == [("held", "tell-hello", "quiet_hours")] * 60


PAUSED = """
pauses:
  - {name: trouble, while: profile.tickets > 0.0, and_then: 2h, class: marketing, on_hit: hold}
"""
TICKETS = "traits: t\ndefine: {tickets: {sum: event.total, on: bought}}"


def test_a_pause_holds_while_it_lasts_and_then_a_while() -> None:
    play = known(TICKETS, content("hello", more="valid_for: 9d"), tale("hello"), policy=PAUSED)
    play.comes("bought", 1 * M, order="t1", total=1.0)
    play.comes("seen", 2 * M)
    assert refused(play) == [("held", "tell-hello", "trouble")]
    play.comes("bought", 10 * H, order="t1", total=-1.0)
    assert play.actions == []
    play.passes(13 * H)
    assert [at for _, at in play.sent] == [12 * H]


def test_a_pause_ends_after_its_longest() -> None:
    play = known(
        TICKETS,
        content("hello", more="valid_for: 9d"),
        tale("hello"),
        policy=PAUSED.replace("and_then: 2h", "longest: 1d"),
    )
    play.comes("bought", 1 * M, order="t1", total=1.0)
    play.comes("seen", 2 * M)
    play.passes(2 * D)
    assert [at for _, at in play.sent] == [1 * D + M]


def test_a_pause_may_cancel() -> None:
    play = known(TICKETS, content("hello"), tale("hello"), policy=PAUSED.replace("hold", "cancel"))
    play.comes("bought", 1 * M, order="t1", total=1.0)
    play.comes("seen", 2 * M)
    assert refused(play) == [("suppressed", "tell-hello", "trouble")]


def test_a_pause_that_is_unknown_holds() -> None:
    """Nothing was returned so far, so nobody can say how long ago it was."""
    unknown = PAUSED.replace("profile.tickets > 0.0", '\'since("returned") < duration("1d")\'')
    play = known(content("hello"), tale("hello"), policy=unknown)
    play.comes("seen", 2 * M)
    assert refused(play) == [("held", "tell-hello", "trouble")]


@pytest.mark.parametrize("said", ["²-5", "18-99999999999999999999", "25-3", "18:75-20", "late", "18-20-22", ""])
def test_preferred_hours_that_cannot_be_read_hold_nothing(said: str) -> None:
    assert hours_of(said) is None


@pytest.mark.parametrize(
    ("said", "span"), [("18-20", (1080, 1200)), ("9:30 - 24", (570, 1440)), ("22-06:15", (1320, 375))]
)
def test_preferred_hours_as_they_are_written(said: str, span: tuple[int, int]) -> None:
    assert hours_of(said) == span


def test_preferred_hours_hold_marketing() -> None:
    hours = "traits: t\ndefine: {preferred_hours: {last: event.value, on: told, where: event.word == 'hours'}}"
    play = known(hours, content("hello"), tale("hello"))
    play.comes("told", word="hours", value="18-20")
    play.comes("seen", 1 * M)
    assert refused(play) == [("held", "tell-hello", "preferred_hours")]
    play.passes(1 * D)
    assert [at for _, at in play.sent] == [8 * H]


def test_push_about_what_was_just_browsed_waits_a_decent_while() -> None:
    play = known(content("hello"), tale("hello", send="channel: [push]"), policy="browse_delay: 30m")
    play.comes("seen", 1 * M)
    assert refused(play) == [("held", "tell-hello", "browse_delay")]
    play.passes(1 * H)
    assert [at for _, at in play.sent] == [31 * M]


def test_transactional_messages_know_no_policy_but_a_denial_nobody_can_give() -> None:
    policy = 'caps: [{limit: 0, per: 1d}]\nquiet_hours: [{from: "00:00", to: "23:59"}]\nmin_gap: [{gap: 1d}]'
    play = known(content("bill", "transactional"), tale("bill"), policy=policy, consent=False)
    play.comes("told", word="never", value="email")
    play.comes("seen", 1 * M)
    play.comes("seen", 2 * M)
    assert len(play.actions) == 2


def test_service_is_free_of_caps_redundancy_and_gaps_but_keeps_quiet_hours() -> None:
    policy = (
        "caps: [{limit: 0, per: 1d}]\nmin_gap: [{gap: 1d}]\nredundancy: {per: topic, for: 7d, except: []}\n" + QUIET
    )
    play = known(content("bill", "service"), tale("bill", entry="{on: seen, key: event.page}"), policy=policy)
    play.comes("seen", 1 * M, page="1")
    play.comes("seen", 2 * M, page="2")
    assert [reason for _, _, reason in refused(play)] == ["quiet_hours", "quiet_hours"]
    play.passes(2 * H)
    assert len(play.actions) == 2


# What a suppressed message means for the story.


def test_the_story_goes_on_after_a_suppressed_message() -> None:
    play = known(content("hello"), tale("hello"), consent=False)
    play.comes("seen", 1 * M)
    assert (len(play.emitted), play.ended()) == (1, [("done", "finished")])


def test_on_unsent_exit_ends_it_with_the_reason() -> None:
    play = known(content("hello"), tale("hello", send="channel: [email], on_unsent: exit"), consent=False)
    play.comes("seen", 1 * M)
    assert (play.emitted, play.ended()) == ([], [("lost", "no_consent")])


def test_a_value_that_is_unknown_keeps_a_message_from_being_sent_half_filled() -> None:
    play = known(content("hello", more="with: {n: entry.n + 1}"), tale("hello"))
    play.comes("seen", 1 * M)
    assert refused(play) == [("suppressed", "tell-hello", "error")]
    assert play.actions == []


def test_action_ids_are_made_of_the_person_the_story_and_the_place_and_of_no_clock() -> None:
    def ids(at: int, event: str) -> list[str]:
        play = known(content("hello"), tale("hello", entry="{on: seen, key: event.page}"))
        play.comes("seen", at, page="1", id_=event)
        play.comes("seen", at + M, page="1", id_=event + "b")
        return [action.id for action in play.actions]

    assert ids(1 * M, "x") == ids(5 * H, "y")
    assert len(set(ids(1 * M, "x"))) == 2, "the second time is another ordinal"
