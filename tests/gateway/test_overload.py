"""Too much, too fast, or a broker that does not answer: pushed back with a time, and nothing is called accepted."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.gateway.buckets import InHand, TokenBucket
from orchestrator.gateway.credentials import Credential
from orchestrator.gateway.refusals import Unavailable

Event = dict[str, Any]
House = Any
KEY, OTHER = "a-key-of-one-tenant-123456", "a-key-of-another-one-12345"


def two_tenants(rate: float, burst: float) -> list[Credential]:
    return [
        Credential.of_key("one", KEY, "one", ["events", "decide"], rate, burst),
        Credential.of_key("two", OTHER, "two", ["events", "decide"], rate, burst),
    ]


async def test_a_key_that_sends_too_fast_is_told_when_to_come_again(
    make_house: Callable[..., House], page_read: Event
) -> None:
    house = make_house(two_tenants(rate=0.5, burst=3))
    statuses = [(await house.send({**page_read, "id": f"e-{number}"}, KEY)).status_code for number in range(4)]
    assert statuses == [202, 202, 202, 429]
    refused = await house.send(page_read, KEY)
    assert int(refused.headers["retry-after"]) in (1, 2)
    assert len(house.log.written) == 3
    assert (await house.send(page_read, OTHER)).status_code == 202, "another key must not feel it"


async def test_a_question_counts_like_an_event(make_house: Callable[..., House]) -> None:
    house = make_house(two_tenants(rate=0.5, burst=1))
    question = {"identifier": "user_id:u", "channel": "web", "slots": ["s"], "deadline_ms": 10}
    assert (await house.decide(question, KEY)).status_code == 200
    assert (await house.decide(question, KEY)).status_code == 429


def test_a_bucket_fills_again_over_time() -> None:
    time = [100.0]
    bucket = TokenBucket(rate=10, burst=20, clock=lambda: time[0])
    assert bucket.take(20) == 0
    assert bucket.take(5) == pytest.approx(0.5)
    time[0] += 0.5
    assert bucket.take(5) == 0
    time[0] += 1000
    assert bucket.take(20) == 0, "it never holds more than its burst"
    assert bucket.take(1) > 0


def test_more_than_a_burst_passes_a_full_bucket_and_leaves_it_in_debt() -> None:
    time = [0.0]
    bucket = TokenBucket(rate=10, burst=20, clock=lambda: time[0])
    assert bucket.take(75) == 0
    assert bucket.take(1) == pytest.approx(5.6)


async def test_a_broker_that_does_not_acknowledge_in_time_is_a_503(
    make_house: Callable[..., House], page_read: Event
) -> None:
    house = make_house(ack_seconds=0.05)
    house.log.gate.clear()
    response = await house.send(page_read)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert house.notes.events == []
    assert house.notes.refusals == ["unavailable"]


async def test_a_failed_write_is_a_503_and_the_same_events_may_come_again(house: House, page_read: Event) -> None:
    house.log.failing = True
    assert (await house.send([page_read])).status_code == 503
    house.log.failing = False
    assert (await house.send([page_read])).status_code == 202


async def test_what_waits_for_the_broker_is_bounded_for_each_tenant(
    make_house: Callable[..., House], page_read: Event
) -> None:
    house = make_house(two_tenants(1e6, 1e6), in_hand=600)
    house.log.gate.clear()
    first = asyncio.create_task(house.send(page_read, KEY))
    second = asyncio.create_task(house.send(page_read, KEY))
    flooded, pending = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED, timeout=1)
    full = await house.send(page_read, KEY)
    third = asyncio.create_task(house.send(page_read, OTHER))
    house.log.gate.set()
    answers = [task.result().status_code for task in flooded] + [(await task).status_code for task in pending]
    assert sorted(answers) == [202, 503]
    assert full.status_code == 503
    assert (await third).status_code == 202, "half of what may wait is not one tenant's to fill"


def test_what_was_held_is_free_again() -> None:
    hand = InHand(100, tenants=1)
    with hand.holding("a", 100), pytest.raises(Unavailable), hand.holding("a", 1):
        pytest.fail("held more than there is")
    with pytest.raises(RuntimeError, match="broken"), hand.holding("a", 100):
        raise RuntimeError("broken")
    with hand.holding("a", 100):
        assert hand.total == 100


async def test_a_caller_that_goes_away_leaves_no_half_written_batch(house: House, page_read: Event) -> None:
    house.log.gate.clear()
    request = asyncio.create_task(house.send([page_read, {**page_read, "id": "e-2"}]))
    await asyncio.wait([request], timeout=0.05)
    request.cancel()
    house.log.gate.set()
    await house.gateway.intake.finish()
    assert [event.id for event in house.log.written] == ["e-1", "e-2"]


async def test_bodies_that_are_being_read_count_as_well(make_house: Callable[..., House], page_read: Event) -> None:
    house = make_house(two_tenants(1e6, 1e6), in_hand=200_000)
    refused = await house.send([{**page_read, "data": {"anonymous_id": "a", "text": "x" * 60_000}}] * 2, KEY)
    assert refused.status_code == 503
    assert house.log.written == []
    assert house.gateway.in_hand.total == 0
    assert (await house.send(page_read, KEY)).status_code == 202


async def test_more_requests_at_once_than_allowed_are_sent_away(
    make_house: Callable[..., House], page_read: Event
) -> None:
    house = make_house(most_requests=1)
    house.log.gate.clear()
    first = asyncio.create_task(house.send(page_read))
    await asyncio.wait([first], timeout=0.05)
    second = await house.send(page_read)
    assert second.status_code == 503
    assert second.headers["retry-after"] == "1"
    house.log.gate.set()
    assert (await first).status_code == 202
    assert (await house.send(page_read)).status_code == 202
