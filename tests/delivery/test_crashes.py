"""Random lives of the core: records, copies, withdrawals, failures and crashes at any point, and what must hold.

Whatever happens, every action that came ends in exactly one way, is told so, and is sent no more often than crashes
and deferrals explain; nothing is sent after its time, at night, after its withdrawal was durable, or once it was
durably over.
"""

import asyncio
from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from lane_world import START, VirtualLoop, World, mail, withdraw  # type: ignore[import-not-found]

from orchestrator.delivery.backoff import Backoff
from orchestrator.delivery.contents import Quiet
from orchestrator.delivery.core import Tuning
from orchestrator.delivery.decide import Deferred, Delivered, Refused, Result
from orchestrator.delivery.ledger import Outcome, Settled, decode
from orchestrator.model.effect import Action, Withdrawal
from orchestrator.stream.lane.records import Batch

RESULTS: list[Result] = [
    Delivered(),
    Deferred("smtp_451"),
    Deferred("unreachable", channel_wide=True),
    Deferred("http_429", retry_after=2_000, channel_wide=True),
    Refused(Outcome.BOUNCED, "smtp_550"),
    Refused(Outcome.FAILED, "template_error"),
]
DAY, DUSK = 12_000, 8_000
"""So long is a day here, and so late (ms) the night begins, in which marketing does not leave."""
CRASHES = ["none", "none", "none", "before_changelog", "after_changelog", "after_sends"]


def by_night(now: int) -> bool:
    return bool((now - START) % DAY >= DUSK)


def quiet(action: Action, now: int) -> Quiet | None:
    if action.class_ != "marketing" or not by_night(now):
        return None
    return Quiet(now - (now - START) % DAY + DAY)


class Lives(RuleBasedStateMachine):
    """One partition, its topic, and a lane that crashes between the steps of a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.world = World(Tuning(partitions=1, patience=2, slots=2, backoff=Backoff(first=500, longest=4_000)))
        self.topic: list[Action | Withdrawal] = []
        self.read = 0
        self.delivered: Counter[str] = Counter()
        self.plan: list[Result] = []
        self.world.answer = self.answer
        self.world.bundles.quiet_hours = quiet
        self.names = iter("abcdefghijklmnopqrstuvwxyz")

    def teardown(self) -> None:
        self.finish()
        self.loop.close()

    def answer(self, action: Action) -> Result:
        entry = self.world.values.get(action.id.encode())
        assert entry is None or not isinstance(decode(entry), Settled), "sent although it was durably over"
        result = self.plan.pop() if self.plan else Delivered()
        if isinstance(result, Delivered):
            self.delivered[action.id] += 1
        return result

    @precondition(lambda self: len(self.topic) < 60)
    @rule(valid_for=st.integers(-1_000, 20_000), class_=st.sampled_from(["service", "marketing", "transactional"]))
    def decide(self, valid_for: int, class_: str) -> None:
        name = next(self.names, None)
        if name is not None:
            self.topic.append(mail(name, valid_until=self.world.now + valid_for, class_=class_))

    @precondition(lambda self: self.topic)
    @rule(data=st.data(), back=st.booleans())
    def repeat_or_withdraw(self, data: st.DataObject, back: bool) -> None:
        chosen = data.draw(st.sampled_from([each for each in self.topic if isinstance(each, Action)] or [mail("z")]))
        self.topic.append(withdraw(chosen) if back else chosen)

    @rule(results=st.lists(st.sampled_from(RESULTS), max_size=6))
    def the_channel_will_answer(self, results: list[Result]) -> None:
        self.plan = results

    @rule(count=st.integers(1, 5), crash=st.sampled_from(CRASHES))
    def take(self, count: int, crash: str) -> None:
        self.read = self.world.committed.get("actions", 0)
        some = self.topic[self.read : self.read + count]
        if some:
            self.land(self.run(self.world.process(*some, first=self.read)), crash)
            self.read = self.world.committed.get("actions", 0)

    @rule(after=st.integers(0, 5_000), crash=st.sampled_from(CRASHES))
    def wake(self, after: int, crash: str) -> None:
        self.world.now += after
        batch = self.run(self.world.core.wake(0, self.world.now))
        if batch is not None:
            self.land(batch, crash)
            self.read = self.world.committed.get("actions", 0)

    @precondition(lambda self: self.topic)
    @rule(data=st.data())
    def an_attempt_will_be_slow(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.topic))
        self.world.hold.setdefault(chosen.id, asyncio.Event())

    @rule()
    def slow_attempts_end(self) -> None:
        for each in self.world.hold.values():
            each.set()
        self.world.hold.clear()

    @rule(offsets_lost=st.sampled_from([False, False, False, True]))
    def stop_and_start(self, offsets_lost: bool) -> None:
        """A new owner, after a farewell; where the group's offsets are lost, everything comes again."""
        self.run(self.world.leave())
        self.run(self.begun())
        if offsets_lost:
            self.world.committed.clear()
        self.read = self.world.committed.get("actions", 0)

    def land(self, batch: Batch, crash: str) -> None:
        if crash == "none":
            self.world.apply(batch)
            return
        if crash != "before_changelog":
            self.world.write(batch)
        if crash == "after_sends":
            self.world.send(batch)
        self.restart()

    def restart(self) -> None:
        self.run(self.restarted())

    async def restarted(self) -> None:
        self.world.core.revoked(0)
        await self.begun()

    async def begun(self) -> None:
        self.world.restart()
        self.world.core._attempt = self.world.attempt

    def run(self, waited: Any) -> Any:
        return self.loop.run_until_complete(waited)

    @invariant()
    def nothing_is_sent_after_its_time(self) -> None:
        for each in self.topic:
            if isinstance(each, Action):
                assert self.world.began.get(each.id, 0) <= each.valid_until

    @invariant()
    def nobody_is_disturbed_at_night(self) -> None:
        for each in self.topic:
            if isinstance(each, Action) and each.class_ == "marketing" and each.id in self.world.began:
                assert not by_night(self.world.began[each.id])

    @invariant()
    def each_event_is_told_under_one_id(self) -> None:
        told: dict[str, str] = {}
        for message, kind in self.world.outcomes():
            assert told.setdefault(message, kind) == kind, "one action ended in two ways"

    def finish(self) -> None:
        """No more faults: everything ends, is told, and was delivered once for each crash that hid it at most."""
        self.plan = []
        self.slow_attempts_end()
        self.take(len(self.topic) + 1, "none")
        for _ in range(60):
            self.wake(1_000, "none")
        outcomes = dict(self.world.outcomes())
        for each in self.topic:
            if isinstance(each, Action):
                assert each.id in outcomes, "never told"
                if outcomes[each.id] == "delivered":
                    assert self.delivered[each.id] >= 1
        assert self.read == len(self.topic)
        assert self.world.now >= START


def _crashless(lives: type[Lives]) -> type[Lives]:
    """The same lives without crashes: then nothing at all is delivered twice."""

    class Calm(lives):  # type: ignore[valid-type, misc]
        def land(self, batch: Batch, crash: str) -> None:
            super().land(batch, "none")

        @invariant()
        def nothing_is_delivered_twice(self) -> None:
            assert all(count == 1 for count in self.delivered.values())

    return Calm


TestCrashes = Lives.TestCase
TestCrashes.settings = settings(max_examples=250, stateful_step_count=60, deadline=None)
TestCalm = _crashless(Lives).TestCase
TestCalm.settings = settings(max_examples=50, stateful_step_count=60, deadline=None)
