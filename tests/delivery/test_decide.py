"""Every decision about one action: each state of the ledger against each thing that can happen to it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.delivery.backoff import Backoff
from orchestrator.delivery.contents import Quiet
from orchestrator.delivery.decide import (
    Attempt,
    Deferred,
    Delivered,
    Nothing,
    Refused,
    Repeat,
    Result,
    after_attempt,
    on_due,
    on_send,
    on_withdraw,
)
from orchestrator.delivery.ledger import (
    KEPT,
    DamagedLedgerError,
    Entry,
    Kind,
    Outcome,
    Pending,
    Settled,
    decode,
    encode,
    encode_owner,
    read_head,
)
from orchestrator.model.effect import Action, Withdrawal

NOW = 1_772_000_000_000
VALID_UNTIL = NOW + 60_000
BACKOFF = Backoff(first=1_000, longest=8_000)


def action(**fields: Any) -> Action:
    return Action(
        **{
            "id": "a" * 32,
            "person": "p-1",
            "tenant": "default",
            "node": "default/email:amy@example.com",
            "channel": "email",
            "address": "amy@example.com",
            "content": "em.answer",
            "release": "r1",
            "class_": "service",
            "valid_until": VALID_UNTIL,
            **fields,
        }
    )


WITHDRAWAL = Withdrawal("a" * 32, "p-1", "default", "default/email:amy@example.com", "no_consent", NOW)
PENDING = Pending(action(), NOW, attempts=2, reason="smtp_451")
SETTLED = [Settled(outcome, NOW - 5, NOW + KEPT) for outcome in Outcome]


def test_an_unknown_action_is_attempted() -> None:
    assert on_send(None, action(), NOW) == Attempt()


def test_an_action_whose_time_has_passed_is_never_sent() -> None:
    assert isinstance(on_send(None, action(), VALID_UNTIL), Attempt)
    late = on_send(None, action(), VALID_UNTIL + 1)
    assert late == Settled(Outcome.EXPIRED, VALID_UNTIL + 1, VALID_UNTIL + 1 + KEPT, "out_of_time")


def test_a_message_that_would_disturb_waits_for_the_end_of_quiet_hours() -> None:
    quiet = Quiet(VALID_UNTIL)
    assert on_send(None, action(), NOW, quiet) == Pending(action(), VALID_UNTIL, 0, "quiet_hours")
    assert on_due(PENDING, NOW, quiet) == Pending(action(), VALID_UNTIL, 2, "quiet_hours"), "its attempts still count"


@pytest.mark.parametrize("quiet", [Quiet(VALID_UNTIL + 1), Quiet(NOW + 1, skip=True)])
def test_a_message_that_is_not_valid_for_so_long_or_must_not_wait_is_over_at_once(quiet: Quiet) -> None:
    over = Settled(Outcome.EXPIRED, NOW, NOW + KEPT, "quiet_hours")
    assert on_send(None, action(), NOW, quiet) == on_due(PENDING, NOW, quiet) == over


def test_quiet_hours_change_nothing_for_what_is_over_withdrawn_or_out_of_time() -> None:
    quiet = Quiet(VALID_UNTIL)
    assert on_send(SETTLED[0], action(), NOW, quiet) == Repeat(SETTLED[0])
    withdrawn = on_due(msgspec.structs.replace(PENDING, withdrawn="no_consent"), NOW, quiet)
    assert isinstance(withdrawn, Settled)
    assert withdrawn.outcome is Outcome.WITHDRAWN
    late = on_due(PENDING, VALID_UNTIL + 1, quiet)
    assert isinstance(late, Settled)
    assert late.reason == "smtp_451"


@pytest.mark.parametrize("entry", SETTLED)
def test_a_record_that_comes_again_tells_its_outcome_again_and_sends_nothing(entry: Settled) -> None:
    assert on_send(entry, action(), NOW) == Repeat(entry)
    assert on_send(entry, action(), VALID_UNTIL + 1) == Repeat(entry)


def test_a_record_that_comes_again_while_it_is_pending_changes_nothing() -> None:
    assert on_send(PENDING, action(), NOW) == Nothing()


def test_a_pending_action_is_tried_until_its_time_has_passed() -> None:
    assert on_due(PENDING, VALID_UNTIL) == Attempt()
    assert on_due(PENDING, VALID_UNTIL + 1) == Settled(
        Outcome.EXPIRED, VALID_UNTIL + 1, VALID_UNTIL + 1 + KEPT, "smtp_451"
    )


@pytest.mark.parametrize("entry", [None, PENDING])
def test_a_withdrawal_ends_what_is_not_over(entry: Entry | None) -> None:
    assert on_withdraw(entry, WITHDRAWAL, NOW) == Settled(Outcome.WITHDRAWN, NOW, NOW + KEPT, "no_consent")


@pytest.mark.parametrize("entry", SETTLED)
def test_a_withdrawal_changes_nothing_of_what_is_over(entry: Settled) -> None:
    assert on_withdraw(entry, WITHDRAWAL, NOW) == Nothing()


def test_a_send_that_comes_after_its_withdrawal_is_not_sent() -> None:
    entry = on_withdraw(None, WITHDRAWAL, NOW)
    assert isinstance(entry, Settled)
    assert on_send(entry, action(), NOW) == Repeat(entry)


RESULTS: list[tuple[Result, Outcome, str]] = [
    (Delivered(), Outcome.DELIVERED, ""),
    (Refused(Outcome.BOUNCED, "smtp_550"), Outcome.BOUNCED, "smtp_550"),
    (Refused(Outcome.FAILED, "template_error"), Outcome.FAILED, "template_error"),
]


@pytest.mark.parametrize(("result", "outcome", "reason"), RESULTS)
def test_a_final_result_settles_the_action(result: Result, outcome: Outcome, reason: str) -> None:
    assert after_attempt(PENDING, result, NOW, 0.5, BACKOFF) == Settled(outcome, NOW, NOW + KEPT, reason)


def test_a_deferred_action_is_tried_again_later_and_counts_its_attempts() -> None:
    entry = after_attempt(PENDING, Deferred("smtp_421"), NOW, 0.5, BACKOFF)
    assert entry == Pending(PENDING.action, NOW + 2_000, attempts=3, reason="smtp_421")


def test_what_never_left_us_is_no_attempt() -> None:
    entry = after_attempt(Pending(action(), NOW), Deferred("release_unknown", attempted=False), NOW, 0.5, BACKOFF)
    assert entry == Pending(action(), NOW + 500, attempts=0, reason="release_unknown")


def test_what_could_only_be_tried_after_its_time_has_expired_now() -> None:
    entry = after_attempt(PENDING, Deferred("http_503", retry_after=60_001), NOW, 0.0, BACKOFF)
    assert entry == Settled(Outcome.EXPIRED, NOW, NOW + KEPT, "http_503")


@given(st.integers(0, 500), st.floats(0, 1, exclude_max=True), st.integers(0, 100_000), st.integers(0, 50_000))
def test_no_retry_lies_before_what_was_asked_or_after_the_end(
    attempts: int, draw: float, retry_after: int, passed: int
) -> None:
    pending, now = Pending(action(), NOW, attempts), NOW + passed
    entry = after_attempt(pending, Deferred("x", retry_after=retry_after), now, draw, BACKOFF)
    if isinstance(entry, Pending):
        assert now + retry_after <= entry.next_at <= min(VALID_UNTIL, now + retry_after + BACKOFF.longest)
    else:
        assert entry.outcome is Outcome.EXPIRED
        assert now + retry_after + BACKOFF.longest > VALID_UNTIL


@pytest.mark.parametrize("result", [Deferred("smtp_451"), Refused(Outcome.BOUNCED, "smtp_550")])
def test_a_withdrawal_during_an_attempt_ends_it_unless_it_was_delivered(result: Result) -> None:
    pending = on_withdraw(PENDING, WITHDRAWAL, NOW, under_way=True)
    assert isinstance(pending, Pending)
    assert after_attempt(pending, result, NOW, 0.5, BACKOFF) == Settled(
        Outcome.WITHDRAWN, NOW, NOW + KEPT, "no_consent"
    )
    delivered = after_attempt(pending, Delivered(), NOW, 0.5, BACKOFF)
    assert isinstance(delivered, Settled)
    assert delivered.outcome is Outcome.DELIVERED


def test_a_withdrawal_during_an_attempt_that_a_crash_ended_holds() -> None:
    pending = on_withdraw(PENDING, WITHDRAWAL, NOW, under_way=True)
    assert isinstance(pending, Pending)
    assert on_due(pending, NOW) == Settled(Outcome.WITHDRAWN, NOW, NOW + KEPT, "no_consent")


def test_an_entry_is_kept_while_its_record_could_come_again_and_still_be_sent() -> None:
    month = NOW + 30 * 86_400_000
    entry = after_attempt(Pending(action(valid_until=month), NOW), Delivered(), NOW, 0.5, BACKOFF)
    assert isinstance(entry, Settled)
    assert entry.until == month


@pytest.mark.parametrize("entry", [PENDING, *SETTLED, Settled(Outcome.FAILED, 1, 2, "r", b"{}", b"k", "t")])
def test_entries_survive_the_changelog_and_show_their_head(entry: Entry) -> None:
    value = encode(entry, 7)
    assert decode(value) == entry
    due = entry.next_at if isinstance(entry, Pending) else entry.until
    kind = Kind.PENDING if isinstance(entry, Pending) else Kind.UNTOLD if entry.untold else Kind.SETTLED
    assert read_head(value) == (7, kind, due)


@pytest.mark.parametrize("value", [b"", b"short", encode(PENDING, 1)[:40], b"\x00" * 8 + b"\x09" + b"\x00" * 8])
def test_a_damaged_value_is_an_error_and_never_taken_for_an_unknown_action(value: bytes) -> None:
    with pytest.raises(DamagedLedgerError):
        decode(value)


def test_an_ownership_record_is_no_action() -> None:
    with pytest.raises(DamagedLedgerError):
        decode(encode_owner(3))
