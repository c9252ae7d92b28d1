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
