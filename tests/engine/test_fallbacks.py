"""`send.fallback`: what is not delivered in time, or failed, goes to the next channel; it stays one message."""

from play import H, M, Play, S

from orchestrator.engine.breaker import breaker_node
from orchestrator.model.customer import Breaker
from orchestrator.rehearsal.explain import explain

WHO = "user_id:amy email:amy@example.com phone:+33600000001 device:d1"
HELLO = """
---
content: hello
class: {class_}
variants:
  email: {{subject: Hello, body: Hello}}
  push: {{title: Hello, text: Hello}}
  sms: {{text: Hello}}
---
events: outcomes
define:
  failed: {{channel: [email, push, sms]}}
  bounced: {{channel: [email, push, sms]}}
  expired: {{channel: [email, push, sms], activity: false}}
"""
GREET = """
scenario: greet
entry: {on: put, re_entry: always}
"""
STEPS = """
steps:
  - {id: hello, send: {content: hello, channel: [email, sms, push], fallback: {after: 1h, times: 2}}}
"""


def greet(steps: str = STEPS, more: str = "", class_: str = "service") -> str:
    return GREET + steps + HELLO.format(class_=class_) + more


def channels(play: Play) -> list[tuple[str, int]]:
    """(channel, minutes after the start) of the messages decided."""
    return [(action.channel, round(at / M)) for action, (_, at) in zip(play.actions, play.sent, strict=True)]


def outcome(play: Play, type_: str, at: int, number: int = -1) -> None:
    """Delivery tells what became of a message."""
    action = play.actions[number]
    play.comes(type_, at, "user_id:amy", channel=action.channel, message=action.id)


def test_what_is_not_delivered_in_time_goes_to_the_next_channel_and_the_next() -> None:
    play = Play(greet())
    play.comes("put", 0, WHO)
    play.passes(3 * H)
    assert channels(play) == [("email", 0), ("sms", 60), ("push", 120)]
    assert len({action.id for action in play.actions}) == 3
    assert play.ended() == [("done", "finished")]


def test_times_says_how_often() -> None:
    play = Play(greet(STEPS.replace("times: 2", "times: 1")))
    play.comes("put", 0, WHO)
    play.passes(3 * H)
    assert channels(play) == [("email", 0), ("sms", 60)]


def test_what_was_delivered_needs_no_other_channel() -> None:
    play = Play(greet())
    play.comes("put", 0, WHO)
    assert play.ended() == []
    outcome(play, "delivered", 59 * M)
    assert play.ended() == [("done", "finished")]
    play.passes(3 * H)
    assert channels(play) == [("email", 0)]


def test_a_failure_goes_to_the_next_channel_at_once() -> None:
    for failure in ("failed", "bounced"):
        play = Play(greet())
        play.comes("put", 0, WHO)
        outcome(play, failure, 2 * M)
        assert channels(play) == [("email", 0), ("sms", 2)]
        assert play.withdrawals == []
        outcome(play, "delivered", 3 * M)
        play.passes(3 * H)
        assert channels(play) == [("email", 0), ("sms", 2)]


def test_a_message_that_expired_needs_no_other_channel() -> None:
    play = Play(greet())
    play.comes("put", 0, WHO)
    outcome(play, "expired", 2 * M)
    play.passes(3 * H)
    assert channels(play) == [("email", 0)]


def test_the_message_before_is_withdrawn_when_nobody_knows_what_became_of_it() -> None:
    play = Play(greet())
    play.comes("put", 0, WHO)
    play.passes(1 * H)
    assert [(one.id, one.reason) for one in play.withdrawals] == [(play.actions[0].id, "fallback")]


def test_the_outcome_of_an_earlier_channel_is_not_that_of_the_newest() -> None:
    play = Play(greet())
    play.comes("put", 0, WHO)
    play.passes(1 * H)
    outcome(play, "failed", 61 * M, number=0)
    assert channels(play) == [("email", 0), ("sms", 60)]
    outcome(play, "delivered", 62 * M, number=0)
    play.passes(2 * H)
    assert channels(play) == [("email", 0), ("sms", 60), ("push", 120)]


def test_without_another_channel_the_story_is_as_it_was() -> None:
    play = Play(greet(STEPS.replace("[email, sms, push]", "[email, sms]"), class_="service"))
    play.comes("put", 0, "user_id:amy email:amy@example.com")
    play.passes(3 * H)
    assert channels(play) == [("email", 0)]
    assert play.told("suppressed") == [("suppressed", "greet", "no_address")]
    assert play.ended() == [("done", "finished")]


def test_the_story_goes_on_when_the_message_was_sent() -> None:
    steps = STEPS + "  - {id: rest, delay: {for: 90m}}\n  - {id: stop, end: {}}\n"
    play = Play(greet(steps))
    play.comes("put", 0, WHO)
    assert play.standing() == ["hello", "rest"]
    play.passes(61 * M)
    assert sorted(play.standing()) == ["hello", "rest"]
    play.passes(5 * H)
    assert channels(play) == [("email", 0), ("sms", 60)]
    assert play.ended() == [("done", "finished")]


def test_an_instance_that_has_ended_sends_nothing_more() -> None:
    play = Play(greet().replace("re_entry: always}", "re_entry: always}\nexit: {on: bought, reason: bought}"))
    play.comes("put", 0, WHO)
    play.comes("bought", 10 * M, order="o", total=1.0)
    play.passes(3 * H)
    assert channels(play) == [("email", 0)]


def test_an_answer_to_either_channel_is_an_answer_to_the_message() -> None:
    steps = STEPS + "  - {id: opened, wait_until: {on: opened, of: hello, timeout: 5h}}\n"
    for number in (0, 1):
        play = Play(greet(steps))
        play.comes("put", 0, WHO)
        play.passes(1 * H)
        play.comes("opened", 90 * M, "user_id:amy", channel="email", message=play.actions[number].id)
        assert "opened" not in play.standing()


POLICY = """
---
policy: p
preferred_order: [email]
redundancy: {per: topic, for: 7d}
caps:
  - {class: service, limit: 1, per: 1d}
  - {channel: sms, limit: 1, per: 1d}
min_gap: [{class: service, gap: 4h}]
"""


def test_it_is_neither_redundant_nor_a_second_message_for_caps_nor_too_soon_after_itself() -> None:
    play = Play(greet(more=POLICY))
    play.comes("put", 0, WHO)
    play.passes(3 * H)
    assert channels(play) == [("email", 0), ("sms", 60), ("push", 120)]


def test_it_counts_once_for_what_comes_later() -> None:
    policy = POLICY.replace("limit: 1, per: 1d}\n  - {channel: sms", "limit: 2, per: 1d}\n  - {channel: sms")
    policy = policy.replace("min_gap: [{class: service, gap: 4h}]\n", "")
    other = """
---
scenario: other
entry: {on: told}
steps: [{id: mail, send: {content: other, channel: email}}]
---
content: other
class: service
variants: {email: {subject: Other, body: Other}}
"""
    play = Play(greet(more=policy + other))
    play.comes("put", 0, WHO)
    play.passes(3 * H)
    play.comes("told", 4 * H, "user_id:amy", word="x")
    assert [content for content, _ in play.sent] == ["hello", "hello", "hello", "other"]


def test_a_new_visit_has_a_fallback_of_its_own() -> None:
    play = Play(greet(STEPS.replace("times: 2", "times: 1")))
    play.comes("put", 0, WHO)
    play.passes(2 * H)
    play.comes("put", 3 * H, WHO)
    play.passes(5 * H)
    assert channels(play) == [("email", 0), ("sms", 60), ("email", 180), ("sms", 240)]
    assert len({action.id for action in play.actions}) == 4


def test_without_fallback_nothing_waits_for_delivery() -> None:
    play = Play(greet("\nsteps: [{id: hello, send: {content: hello, channel: email}}]\n"))
    play.comes("put", 0, WHO)
    assert play.ended() == [("done", "finished")]
    assert not play.program.event_plan("delivered", "email").heard
    play.comes("delivered", 1 * S, "user_id:amy", channel="email", message=play.actions[0].id)
    assert play.customer().contacts[0].settled == "delivered"


def test_explain_says_when_the_next_channel_is_taken() -> None:
    play = Play(greet())
    play.comes("put", 0, WHO)
    (account,) = explain(play.world, ["user_id:amy"], play.world.record.happenings).scenarios
    assert "hello goes to the next channel, unless it is delivered before" in [one.what for one in account.next]


STOPS = "stop_when: {on: [bounced, asked], over: 50%, in: 24h, at_least: 2}\n"


def counted(play: Play) -> list[tuple[int, int]]:
    """(sent, met) of each part of the window that the scenario's `stop_when` has counted something in."""
    body = play.world.node(breaker_node("greet")).body
    assert isinstance(body, Breaker)
    return [(sent, met) for _, sent, met in body.parts]


def test_for_stop_when_a_message_is_met_once_however_many_channels_it_took() -> None:
    play = Play(greet(STOPS + STEPS))
    play.comes("put", 0, WHO)
    outcome(play, "bounced", 2 * M)
    outcome(play, "delivered", 3 * M)
    outcome(play, "asked", 4 * M)
    assert channels(play) == [("email", 0), ("sms", 2)]
    assert counted(play) == [(1, 1)]


def test_for_stop_when_a_complaint_about_the_last_channel_counts_at_the_time_of_the_first() -> None:
    play = Play(greet(STOPS + STEPS))
    play.comes("put", 0, WHO)
    play.passes(2 * H + M)
    assert channels(play) == [("email", 0), ("sms", 60), ("push", 120)]
    outcome(play, "asked", 3 * H)
    assert counted(play) == [(1, 1)]
    outcome(play, "bounced", 4 * H, number=0)
    assert counted(play) == [(1, 1)], "what the mail provider says at last is of the same message"
