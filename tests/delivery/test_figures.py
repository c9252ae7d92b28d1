"""What delivery shows of itself: counted under bounded labels, logged without anything personal."""

import logging

import pytest

from orchestrator.delivery.decide import Deferred, Delivered, Refused
from orchestrator.delivery.figures import Figures
from orchestrator.delivery.ledger import Outcome, Settled
from orchestrator.model.effect import Action
from orchestrator.stream.lane.records import Record
from orchestrator.telemetry import Recorder, metrics

ACTION = Action(
    "a" * 32,
    "p-1",
    "default",
    "default/email:amy@example.com",
    "email",
    "amy@example.com",
    "em.answer",
    "r1",
    "service",
)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_attempts_and_outcomes_are_counted_by_channel(recorder: Recorder) -> None:
    figures = Figures(recorder)
    figures.attempted("email", Delivered(), 0.02)
    figures.attempted("email", Refused(Outcome.BOUNCED, "smtp_550"), 0.02)
    figures.attempted("sms", Deferred("http_503"), 0.5)
    figures.settled(ACTION, Settled(Outcome.BOUNCED, 1, 2, "smtp_550"), 1)
    figures.repeated("email")
    assert recorder.value(metrics.ATTEMPTS, "email", "delivered") == 1
    assert recorder.value(metrics.ATTEMPTS, "email", "bounced") == 1
    assert recorder.value(metrics.ATTEMPTS, "sms", "deferred") == 1
    assert recorder.value(metrics.ATTEMPT_SECONDS, "email") == 2
    assert recorder.value(metrics.DELIVERIES, "email", "bounced") == 1
    assert recorder.value(metrics.DUPLICATES, "email") == 1


def test_what_waits_is_the_sum_over_partitions_and_falls_back_to_nothing(recorder: Recorder) -> None:
    figures = Figures(recorder)
    figures.waiting(0, {"email": 3, "sms": 1})
    figures.waiting(1, {"email": 2})
    assert recorder.value(metrics.WAITING, "email") == 5
    figures.waiting(0, {})
    assert recorder.value(metrics.WAITING, "email") == 2
    assert recorder.value(metrics.WAITING, "sms") == 0


def test_nothing_personal_is_logged(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    figures = Figures(recorder)
    with caplog.at_level(logging.DEBUG, "orchestrator"):
        for outcome in Outcome:
            figures.settled(ACTION, Settled(outcome, 1, 2, "smtp_550"), 3)
        figures.paused("email", "unreachable", 1_500)
        figures.broke("email", "ZeroDivisionError")
        figures.unrenderable("em.answer", "r1", "'nmae' is undefined (UndefinedError), at line 2, column 4")
        figures.rejected(Record("actions", 0, 7, 1, b"p-1", b"amy@example.com"), "undecodable")
    assert "given up after 3 attempts: smtp_550" in caplog.text
    assert "unreachable" in caplog.text
    assert "'nmae' is undefined" in caplog.text
    assert "actions[0]@7 went to dead-letter: undecodable" in caplog.text
    assert "amy" not in caplog.text
    assert recorder.value(metrics.DEAD_LETTERS, "undecodable") == 1
    assert recorder.value(metrics.RENDER_ERRORS, "em.answer") == 1


def test_messages_that_are_put_off_are_told_once_a_minute_with_what_to_do(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    now = 100.0
    figures = Figures(recorder, lambda: now)
    with caplog.at_level(logging.DEBUG, "orchestrator"):
        for _ in range(4):
            figures.attempted("sms", Deferred("http_302"), 0.1)
        figures.attempted("email", Deferred("smtp_451"), 0.1)
        now += 60
        figures.attempted("sms", Deferred("http_302"), 0.1)
    busy = "the mail server puts it off: its log says why"
    moved = "redirects are not followed: put the address that it leads to into delivery.webhooks.sms.url"
    assert [record.getMessage() for record in caplog.records] == [
        f"1 attempts on sms were put off (http_302), the messages are tried again: {moved}",
        f"1 attempts on email were put off (smtp_451), the messages are tried again: {busy}",
        f"4 attempts on sms were put off (http_302), the messages are tried again: {moved}",
    ]


def test_a_channel_that_is_down_is_told_by_its_pause_alone(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    figures = Figures(recorder)
    with caplog.at_level(logging.DEBUG, "orchestrator"):
        figures.paused("email", "unreachable", 1_500)
        figures.attempted("email", Deferred("unreachable", channel_wide=True), 0.1)
    [line] = caplog.records
    assert line.getMessage() == (
        "channel email cannot be reached (unreachable); next attempt in 2 s: see whether it runs, and "
        "delivery.smtp.host and delivery.smtp.port"
    )


def test_an_error_of_ours_is_not_told_as_one_of_the_channel(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "orchestrator"):
        Figures(recorder).broke("email", "ZeroDivisionError")
    [line] = caplog.records
    assert line.getMessage().endswith("This is a defect: report it")
    assert recorder.value(metrics.FAILURES, "delivery") == 1
