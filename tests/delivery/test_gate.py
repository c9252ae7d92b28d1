import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.delivery.decide import Deferred, Delivered, Refused
from orchestrator.delivery.gate import OUTAGE, Gate, Rate
from orchestrator.delivery.ledger import Outcome
from orchestrator.delivery.queue import Queue

DOWN = Deferred("unreachable", channel_wide=True)


def sends_within(gate: Gate, until: int) -> list[int]:
    """The times at which a gate that is asked every ms lets a send through, each done at once."""
    times = []
    for now in range(until):
        while gate.opens(now):
            gate.enter(now)
            gate.leave(Delivered(), now, 0.5)
            times.append(now)
    return times


def test_no_more_attempts_are_under_way_than_there_are_slots() -> None:
    gate = Gate(slots=2)
    gate.enter(0)
    assert gate.opens(0)
    gate.enter(0)
    assert not gate.opens(0)
    gate.leave(Delivered(), 5, 0.5)
    assert gate.opens(5)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(1, 150))
def test_a_rate_is_never_exceeded_in_any_window_and_used_to_the_full(limit: int, per: int) -> None:
    gate = Gate(slots=100)
    gate.limit(Rate(limit, per, 1.0))
    times = sends_within(gate, 300)
    for start in times:
        assert sum(start <= time < start + per for time in times) <= limit
    assert len(times) >= 300 // per * limit


@pytest.mark.parametrize("processes", [2, 3, 8, 20])
def test_processes_share_a_rate_by_their_partitions(processes: int) -> None:
    sent = 0
    for _ in range(processes):
        gate = Gate(slots=100)
        gate.limit(Rate(10, 100, 1 / processes))
        sent += len(sends_within(gate, 1_000))
    assert sent <= 110


def test_what_was_sent_still_counts_when_the_share_of_the_rate_changes() -> None:
    gate = Gate(slots=10)
    gate.limit(Rate(2, 1_000, 0.5))
    gate.enter(0)
    gate.limit(Rate(2, 1_000, 1.0, gate.rate))
    gate.enter(1)
    assert not gate.opens(999)
    assert gate.opens(1_000)
    gate.limit(None)
    assert gate.opens(1)


def test_a_channel_that_is_down_is_asked_by_one_message_at_a_time_and_ever_less_often() -> None:
    gate = Gate(slots=8)
    asked, now = 0, 0
    while now < 3_600_000:
        if gate.opens(now):
            gate.enter(now)
            assert asked == 0 or not gate.opens(now)
            gate.leave(DOWN, now, 0.5)
            asked += 1
        now += 200
    assert 60 <= asked <= 200, "an hour's outage is neither a storm nor a silence"


def test_when_the_channel_is_back_all_slots_open_at_once() -> None:
    gate = Gate(slots=3)
    gate.enter(0)
    gate.leave(DOWN, 0, 0.5)
    assert not gate.opens(gate.paused_until - 1)
    now = gate.paused_until
    gate.enter(now)
    assert not gate.opens(now)
    gate.leave(Delivered(), now, 0.5)
    for _ in range(3):
        assert gate.opens(now)
        gate.enter(now)


def test_a_clock_that_is_set_back_prolongs_neither_a_pause_nor_what_a_rate_has_counted() -> None:
    hour = 3_600_000
    gate = Gate(slots=1)
    gate.enter(hour)
    gate.leave(DOWN, hour, 0.5)
    pause = gate.paused_until - hour
    assert not gate.opens(10)
    assert gate.opens(10 + pause)
    gate = Gate(slots=1)
    gate.limit(Rate(2, 1_000, 1.0))
    for at in (hour, hour + 400):
        gate.enter(at)
        gate.leave(Delivered(), at, 0.5)
    assert not gate.opens(10), "both still count"
    assert not gate.opens(10 + 599)
    assert gate.opens(10 + 600)


def test_a_message_that_is_refused_shows_that_the_channel_works() -> None:
    gate = Gate(slots=3)
    gate.enter(0)
    gate.leave(DOWN, 0, 0.5)
    gate.enter(gate.paused_until)
    gate.leave(Refused(Outcome.BOUNCED, "smtp_550"), gate.paused_until, 0.5)
    gate.enter(gate.paused_until)
    assert gate.opens(gate.paused_until)


def test_one_messages_own_trouble_does_not_hold_up_the_others() -> None:
    gate = Gate(slots=3)
    gate.enter(0)
    gate.leave(Deferred("smtp_451"), 0, 0.9)
    assert gate.opens(0)


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 10**7))
def test_a_pause_is_at_least_what_the_other_side_asked_for(draw: float, asked: int) -> None:
    gate = Gate(slots=1)
    gate.enter(0)
    gate.leave(Deferred("http_429", retry_after=asked, channel_wide=True), 0, draw)
    assert asked <= gate.paused_until <= asked + OUTAGE.ceiling(1)


def test_what_is_due_leaves_by_class_and_what_is_not_due_stays() -> None:
    queue = Queue()
    queue.add("email", "marketing", 10, b"news")
    queue.add("email", "transactional", 20, b"order")
    queue.add("email", "service", 5, b"answer")
    queue.add("email", "transactional", 999, b"later")
    queue.add("push", "marketing", 0, b"push")
    assert [queue.pop("email", 20) for _ in range(4)] == [b"order", b"answer", b"news", None]
    assert queue.pop("email", 999) == b"later"
    assert list(queue.lanes()) == ["push"]
    assert queue.sizes(str) == {"push": 1}
