"""The lane's core of delivery, driven as the lane drives it, with a sink that answers as told."""

import asyncio

import pytest
from lane_world import DOWN, START, VirtualTime, World, as_bytes, mail, post, withdraw  # type: ignore[import-not-found]

from orchestrator.delivery.contents import Limit, Quiet
from orchestrator.delivery.core import DeliveryCore, Tuning
from orchestrator.delivery.decide import Deferred, Delivered, Refused, Result
from orchestrator.delivery.ledger import KEPT, DamagedLedgerError, Outcome, Pending, Settled, encode, read_head
from orchestrator.delivery.partition import MOST_PER_TURN, TOLD_AFTER
from orchestrator.model.effect import Action
from orchestrator.model.ids import made_id
from orchestrator.stream.lane.records import Core, WakingCore

pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture")


@pytest.fixture(scope="module")
def event_loop_policy() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def world() -> World:
    return World()


def test_it_is_a_core_that_wakes() -> None:
    core: Core = World().core
    assert isinstance(core, WakingCore)
    assert core.input_topics == ("actions",)


async def test_a_send_is_written_told_and_committed_in_one_batch(world: World) -> None:
    batch = await world.process(mail(), first=7)
    world.apply(batch)
    assert world.entry(mail()) == Settled(Outcome.DELIVERED, START, START + KEPT)
    assert batch.offsets == {"actions": 8}
    assert batch.sends[0].topic == "channel.email"
    assert batch.sends[0].key == b"default/email:amy@example.com"
    assert world.events == [
        {
            "specversion": "1.0",
            "id": made_id(mail().id, "delivered"),
            "source": "delivery",
            "type": "delivered",
            "time": "2026-02-25T06:13:20.000Z",
            "channel": "email",
            "tenant": "default",
            "data": {"email": "amy@example.com", "message": mail().id, "content": "em.answer"},
        }
    ]


async def test_a_record_that_comes_again_is_not_sent_again_and_tells_the_same_outcome(world: World) -> None:
    await world.take(mail(), mail())
    await world.take(mail(), first=2)
    assert world.sent == [mail().id]
    assert len({event["id"] for event in world.events}) == 1
    assert world.counts.seen == {"delivered": 1, "repeated": 1}


async def test_what_is_published_is_posted_once_and_is_no_event_of_a_customer(world: World) -> None:
    await world.take(post(), post())
    await world.take(post(), first=2)
    assert world.sent == ["a" * 32]
    assert world.counts.seen == {"delivered": 1, "repeated": 1}
    assert world.events == []


async def test_what_is_published_is_tried_again_and_told_to_nobody_after_a_crash(world: World) -> None:
    world.answer = lambda _: Deferred("http_503", channel_wide=True)
    await world.take(post())
    world.restart()
    world.answer = lambda _: Delivered()
    await world.wake(after=120_000)
    world.restart()
    assert isinstance(world.entry(mail()), Settled)
    assert world.outgoing == []


async def test_a_crash_before_the_ledger_is_durable_tries_again_with_the_same_id(world: World) -> None:
    await world.process(mail())
    world.restart()
    await world.take(mail())
    assert world.sent == [mail().id] * 2
    assert world.outcomes() == [(mail().id, "delivered")]


async def test_a_crash_between_ledger_and_outcome_sends_nothing_again_and_tells_it(world: World) -> None:
    world.write(await world.process(mail()))
    world.restart()
    await world.take(mail())
    assert world.sent == [mail().id]
    assert world.outcomes() == [(mail().id, "delivered")]


async def test_a_failed_attempt_is_tried_again_after_its_wait_and_its_offset_goes_on(world: World) -> None:
    world.answer = lambda _: Deferred("smtp_451")
    await world.take(mail(), first=3)
    assert world.committed == {"actions": 4}
    assert world.entry(mail()) == Pending(mail(), START + 500, 1, "smtp_451")
    assert world.counts.in_queue == {"email": 1}
    await world.wake(499)
    assert len(world.sent) == 1
    world.answer = lambda _: Delivered()
    await world.wake(1)
    assert len(world.sent) == 2
    assert world.counts.attempts == [2]
    assert world.counts.in_queue == {}
    assert world.outcomes() == [(mail().id, "delivered")]


async def test_retries_survive_a_restart(world: World) -> None:
    world.answer = lambda _: Deferred("smtp_451")
    await world.take(mail())
    world.restart()
    world.answer = lambda _: Refused(Outcome.BOUNCED, "smtp_550")
    await world.wake(499)
    assert len(world.sent) == 1
    await world.wake(1)
    assert world.outcomes() == [(mail().id, "bounced")]
    assert world.events[0]["data"]["reason"] == "smtp_550"


async def test_an_outcome_of_a_retry_is_told_after_a_crash_though_no_record_comes_again(world: World) -> None:
    world.answer = lambda _: Deferred("smtp_451")
    await world.take(mail())
    world.answer = lambda _: Delivered()
    world.now += 1_000
    batch = await world.core.wake(0, world.now)
    assert batch is not None
    world.write(batch)
    world.restart()
    assert world.outcomes() == [(mail().id, "delivered")]
    first = world.events[0]["id"]
    await world.wake(TOLD_AFTER + 1)
    entry = world.entry(mail())
    assert isinstance(entry, Settled)
    assert entry.untold == b"", "told by now, so the ledger holds nothing personal of it any more"
    world.restart()
    assert [event["id"] for event in world.events] == [first]
    assert len(world.sent) == 2


async def test_what_is_out_of_time_expires_though_its_channel_is_down(world: World) -> None:
    world.answer = lambda _: DOWN
    await world.take(mail("a"))
    await world.take(mail("b", valid_until=START + 300), first=1)
    assert world.sent == ["a" * 32], "the channel is down: nothing else is tried"
    await world.wake(300)
    assert ("b" * 32, "expired") not in world.outcomes()
    await world.wake(1)
    assert ("b" * 32, "expired") in world.outcomes()


async def test_after_an_outage_everything_leaves_and_nothing_is_lost(world: World) -> None:
    world.answer = lambda _: DOWN
    mails = [mail(name, valid_until=START + 10**9) for name in "abcdefgh"]
    await world.take(*mails)
    for _ in range(500):
        await world.wake(2_000)
    attempts = len(world.sent)
    assert attempts <= 120, f"{attempts} attempts in an outage of 1,000 s are a storm"
    world.answer = lambda _: Delivered()
    for _ in range(60):
        await world.wake(2_000)
    assert sorted(world.outcomes()) == sorted((each.id, "delivered") for each in mails)


async def test_a_withdrawal_overtakes_a_retry(world: World) -> None:
    world.answer = lambda _: Deferred("smtp_451")
    await world.take(mail())
    await world.take(withdraw(mail()), first=1)
    await world.wake(60_000)
    assert len(world.sent) == 1
    assert world.outcomes() == [(mail().id, "withdrawn")]
    assert world.events[0]["data"]["reason"] == "no_consent"


async def test_a_withdrawal_in_the_same_batch_is_in_time(world: World) -> None:
    await world.take(mail(), withdraw(mail()))
    assert world.sent == []
    assert world.outcomes() == [(mail().id, "withdrawn")]
    await world.take(mail(), first=2)
    assert world.sent == []


async def test_a_withdrawal_before_the_send_holds_and_one_after_the_delivery_changes_nothing(world: World) -> None:
    await world.take(withdraw(mail("b")), mail("b"), mail("a"))
    await world.take(withdraw(mail("a")), first=3)
    assert world.sent == ["a" * 32]
    assert sorted(world.outcomes()) == [("a" * 32, "delivered"), ("b" * 32, "withdrawn")]


async def test_a_slow_receiver_holds_up_neither_offsets_nor_other_messages(world: World) -> None:
    gate = world.hold["a" * 32] = asyncio.Event()
    await world.take(mail("a"), mail("b"))
    assert world.committed == {"actions": 2}
    assert world.outcomes() == [("b" * 32, "delivered")]
    assert isinstance(world.entry(mail("a")), Pending)
    await world.wake(200)
    gate.set()
    await world.wake(200)
    await world.wake(200)
    assert world.sent == ["a" * 32, "b" * 32]
    assert ("a" * 32, "delivered") in world.outcomes()


async def test_a_withdrawal_while_an_attempt_is_under_way_waits_for_what_it_gives(world: World) -> None:
    gate = world.hold["a" * 32] = asyncio.Event()
    await world.take(mail())
    await world.take(withdraw(mail()), first=1)
    assert world.outcomes() == []
    world.answer = lambda _: Deferred("smtp_451")
    gate.set()
    await world.wake(200)
    assert world.outcomes() == [(mail().id, "withdrawn")]
    await world.wake(60_000)
    assert len(world.sent) == 1


async def test_a_withdrawal_while_an_attempt_is_under_way_survives_a_crash(world: World) -> None:
    world.hold["a" * 32] = asyncio.Event()
    await world.take(mail())
    await world.take(withdraw(mail()), first=1)
    world.core.revoked(0)
    world.restart()
    await world.wake(200)
    assert len(world.sent) == 1
    assert world.outcomes() == [(mail().id, "withdrawn")]


async def test_no_more_attempts_are_under_way_than_the_channel_has_slots() -> None:
    world = World(Tuning(partitions=1, patience=20, slots=3))
    mails = [mail(name) for name in "abcdefgh"]
    for each in mails:
        world.hold[each.id] = asyncio.Event()
    await world.take(*mails)
    assert len(world.sent) == 3
    for event in world.hold.values():
        event.set()
    await world.wake(200)
    await world.wake(200)
    assert sorted(world.sent) == sorted(each.id for each in mails)
    assert len(world.outcomes()) == 8


async def test_one_tenants_flood_leaves_the_slots_of_another() -> None:
    world = World(Tuning(partitions=1, patience=20, slots=2))
    flood = [mail(name, tenant="a", node="a/email:x@example.com") for name in "abcdef"]
    for each in flood:
        world.hold[each.id] = asyncio.Event()
    await world.take(*flood, mail("z"))
    assert ("z" * 32, "delivered") in world.outcomes()


async def test_a_rate_limit_queues_and_discards_nothing() -> None:
    world = World(Tuning(partitions=1, patience=20, slots=8))
    world.bundles.limits["default", "email"] = Limit(2, 1_000)
    await world.take(*(mail(name) for name in "abcde"))
    assert len(world.sent) == 2
    await world.wake(999)
    assert len(world.sent) == 2
    await world.wake(1)
    assert len(world.sent) == 4
    world.bundles.limits.clear()
    world.bundles.edition += 1
    await world.wake(1)
    assert len(world.outcomes()) == 5


async def test_who_gives_a_partition_up_lets_what_is_under_way_end_and_writes_it_down() -> None:
    """A new release of the software, a worker more: no reason to send a mail twice."""
    world = World(Tuning(partitions=1, patience=20, farewell=1_000))
    slow = world.hold[mail().id] = asyncio.Event()
    await world.take(mail())
    assert world.outcomes() == []
    asyncio.get_running_loop().call_later(0.9, slow.set)
    await world.leave()
    assert world.outcomes() == [(mail().id, "delivered")]
    world.restart()
    await world.take(mail())
    await world.wake(60_000)
    assert world.sent == [mail().id]


async def test_an_attempt_that_does_not_end_is_broken_off_and_made_again_by_the_next_owner() -> None:
    world = World(Tuning(partitions=1, patience=20, farewell=1_000))
    world.hold[mail().id] = asyncio.Event()
    await world.take(mail(), first=4)
    began = asyncio.get_running_loop().time()
    await world.leave()
    assert asyncio.get_running_loop().time() == began + 1
    assert world.committed == {"actions": 5}
    world.hold.clear()
    world.restart()
    await world.wake(60_000)
    assert world.sent == [mail().id] * 2
    assert world.outcomes() == [(mail().id, "delivered")]


async def test_nothing_new_begins_when_a_partition_is_given_up(world: World) -> None:
    world.answer = lambda _: Deferred("smtp_451")
    await world.take(mail())
    world.now += 60_000
    await world.leave()
    assert len(world.sent) == 1


NIGHT = (START + 10_000, START + 60_000)
"""From when to when customers are not to be disturbed here, on the clock of the machine."""


def at_night(action: Action, now: int) -> Quiet | None:
    return Quiet(NIGHT[1]) if NIGHT[0] <= now < NIGHT[1] and action.class_ == "marketing" else None


async def test_what_was_decided_by_day_and_leaves_at_night_waits_for_the_morning(world: World) -> None:
    """A worker was away, or the actions' topic was read late: the decision was right when it was made."""
    world.bundles.quiet_hours = at_night
    world.now = NIGHT[0]
    await world.take(mail("a", class_="marketing"), mail("b"))
    assert world.sent == ["b" * 32], "an answer that somebody waits for goes out"
    world.restart()
    await world.wake(NIGHT[1] - NIGHT[0] - 1)
    assert world.sent == ["b" * 32]
    await world.wake(1)
    assert world.outcomes() == [("b" * 32, "delivered"), ("a" * 32, "delivered")]
    assert world.counts.seen == {"delivered": 2, "held: quiet_hours": 1}


async def test_a_retry_that_would_fall_into_the_night_waits_for_the_morning(world: World) -> None:
    world.bundles.quiet_hours = at_night
    world.answer = lambda _: Deferred("smtp_451", retry_after=11_000)
    await world.take(mail("a", class_="marketing"))
    world.answer = lambda _: Delivered()
    await world.wake(12_000)
    assert len(world.sent) == 1
    world.now = NIGHT[1]
    await world.wake()
    assert world.counts.attempts == [2]


async def test_a_rate_limits_queue_does_not_run_on_into_the_night(world: World) -> None:
    world.bundles.quiet_hours = at_night
    world.bundles.limits["default", "email"] = Limit(1, 6_000)
    await world.take(*(mail(name, class_="marketing") for name in "abc"))
    await world.wake(6_000)
    await world.wake(6_000)
    assert len(world.sent) == 2
    world.now = NIGHT[1]
    await world.wake()
    assert len(world.outcomes()) == 3


@pytest.mark.parametrize("over", [False, True], ids=["held until the morning", "out of time"])
async def test_however_many_wait_a_turn_ends_or_holds_some_at_a_time(world: World, over: bool) -> None:
    """Half a million of them in one turn kept the loop from everything else for seconds."""
    count = 2 * MOST_PER_TURN + 500
    valid_until = START + 1_000 if over else NIGHT[1] + 3_600_000
    waiting = [mail(id=f"{each:032x}", class_="marketing", valid_until=valid_until) for each in range(count)]
    world.values = {each.id.encode(): encode(Pending(each, START), 1) for each in waiting}
    world.restart()
    world.bundles.quiet_hours = at_night
    world.now = START + 2_000 if over else NIGHT[0]
    written = []
    for _ in range(3):
        batch = await world.core.wake(0, world.now)
        assert batch is not None
        written.append(len(batch.changelog))
        world.apply(batch)
    assert written == [MOST_PER_TURN, MOST_PER_TURN, 500]
    assert world.counts.seen == {"expired" if over else "held: quiet_hours": count}


async def test_what_is_not_valid_until_the_morning_is_over_and_that_is_told_why(world: World) -> None:
    world.bundles.quiet_hours = at_night
    world.now = NIGHT[0]
    await world.take(mail("a", class_="marketing", valid_until=NIGHT[1] - 1))
    assert world.outcomes() == [("a" * 32, "expired")]
    assert world.events[0]["data"]["reason"] == "quiet_hours"
    assert world.sent == []


async def test_a_transactional_mail_overtakes_a_newsletter_that_waits() -> None:
    world = World(Tuning(partitions=1, patience=20))
    world.bundles.limits["default", "email"] = Limit(1, 1_000)
    await world.take(mail("a"), mail("b", class_="marketing"), mail("c", class_="transactional"))
    await world.wake(1_000)
    assert world.sent == ["a" * 32, "c" * 32]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xfe", "undecodable"),
        (b'{"kind":"send","id":"x"}', "undecodable"),
        (b"[" * 100_000, "undecodable"),
        (as_bytes(mail(valid_until=1 << 63)), "undecodable"),
        (as_bytes(mail(at=1 << 60)), "undecodable"),
        (b'{"kind":"sing","id":"x"}', "unknown_kind"),
    ],
)
async def test_what_is_no_action_goes_to_dead_letter_as_it_came(world: World, value: bytes, reason: str) -> None:
    await world.take(value, mail(), first=4)
    letter = world.outgoing[0]
    assert (letter.topic, letter.key, letter.value) == ("dead-letter", b"p-1", value)
    assert dict(letter.headers) == {
        "reason": reason.encode(),
        "topic": b"actions",
        "partition": b"0",
        "offset": b"4",
        "at": str(START).encode(),
    }
    assert world.counts.seen[reason] == 1
    assert world.outcomes() == [(mail().id, "delivered")]


async def test_an_action_on_a_channel_without_a_topic_goes_to_dead_letter_and_ends_nothing() -> None:
    world = World(Tuning(partitions=1, channels=frozenset({"email"})))
    await world.take(mail("a", channel="fax"), mail("b"))
    assert dict(world.outgoing[0].headers)["reason"] == b"unknown_channel"
    assert world.sent == ["b" * 32]


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError])
async def test_a_defect_in_an_attempt_is_counted_and_costs_no_other_message(
    world: World, error: type[BaseException]
) -> None:
    def fail(action: Action) -> Result:
        if action.id == "a" * 32:
            raise error
        return Delivered()

    world.answer = fail
    await world.take(mail("a"), mail("b"))
    assert world.outcomes() == [("b" * 32, "delivered")]
    assert world.counts.seen[error.__name__] == 1
    entry = world.entry(mail("a"))
    assert isinstance(entry, Pending)
    assert entry.reason == "internal_error"


async def test_settled_actions_are_forgotten_when_their_records_cannot_come_again(world: World) -> None:
    await world.take(mail("a"), mail("b", valid_until=START + 2 * KEPT))
    await world.wake(KEPT)
    assert len(world.values) == 3
    await world.wake(1)
    assert set(world.values) == {b"partition:0", b"b" * 32}
    await world.wake(KEPT)
    assert set(world.values) == {b"partition:0"}


async def test_forgetting_survives_a_restart(world: World) -> None:
    await world.take(mail())
    world.restart()
    await world.wake(KEPT + 1)
    assert set(world.values) == {b"partition:0"}


def test_a_partition_with_a_damaged_ledger_is_not_begun_and_can_be_given_up(world: World) -> None:
    """The worker ends; that it could not give the partition up hid why, and kept it from ending in good order."""
    core = DeliveryCore(world.attempt, world.bundles, world.tuning, draw=lambda: 0.5, clock=lambda: START)
    with pytest.raises(DamagedLedgerError):
        core.assigned(1, {b"a" * 32: b"\xff"}, {}, START)
    core.revoked(1)


async def test_each_owner_outranks_those_before_it(world: World) -> None:
    numbers = [read_head(world.values[b"partition:0"])[0]]
    await world.take(mail())
    old = world.values[mail().id.encode()]
    world.restart()
    numbers.append(read_head(world.values[b"partition:0"])[0])
    assert numbers == [1, 2]
    assert world.core.accepts(1, old) == 1
    assert world.core.accepts(2, old) == -1
    assert world.core.accepts(2, world.values[b"partition:0"]) == 2


async def test_a_channel_without_a_namespace_names_the_deciding_node(world: World) -> None:
    await world.take(mail(channel="push", address="d-1", thread="th-1"))
    assert world.outgoing[0].topic == "channel.push"
    assert world.events[0]["data"] == {
        "email": "amy@example.com",
        "message": mail().id,
        "content": "em.answer",
        "thread": "th-1",
    }


async def test_nothing_to_do_writes_nothing(world: World) -> None:
    assert await world.core.wake(0, world.now) is None
    assert world.core.tick(0, world.now) is None
