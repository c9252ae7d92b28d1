"""Events in: judged as a whole, written as a whole."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from orchestrator.gateway.buckets import InHand
from orchestrator.gateway.credentials import Credential, Credentials
from orchestrator.gateway.event_log import EventLog
from orchestrator.gateway.events import EventCheck, Ready
from orchestrator.gateway.observer import Observer
from orchestrator.gateway.refusals import Problem, TooLarge, Unavailable, malformed
from orchestrator.gateway.rules import ReleaseRules, Releases
from orchestrator.stream.lane.statistics import UNDECLARED

NO_RELEASE_RETRY: Final = 5.0


class Intake:
    """Takes events in, and answers for each of them once the broker has acknowledged it.

    Args:
        check: judges events.
        releases: who knows each tenant's release.
        credentials: whose share an event counts against.
        log: where events are written.
        in_hand: bounds what waits for the broker.
        observer: told of what happens.
        now: the wall clock, ms.
        clock: a monotonic clock, s.
        ack_seconds: how long the broker may take.
        refuse_undeclared: whether what nobody declares is a problem of the event, rather than a remark on it.
    """

    def __init__(
        self,
        *,
        check: EventCheck,
        releases: Releases,
        credentials: Credentials,
        log: EventLog,
        in_hand: InHand,
        observer: Observer,
        now: Callable[[], int],
        clock: Callable[[], float],
        ack_seconds: float = 5.0,
        refuse_undeclared: bool = False,
    ) -> None:
        self._check = check
        self._releases = releases
        self._credentials = credentials
        self._log = log
        self._in_hand = in_hand
        self._observer = observer
        self._now = now
        self._clock = clock
        self._ack_seconds = ack_seconds
        self._refuse_undeclared = refuse_undeclared
        self._writes: set[asyncio.Task[None]] = set()

    @property
    def channels(self) -> frozenset[str]:
        """The channels whose events are taken in."""
        return frozenset(self._check.channels)

    def rules(self, tenant: str) -> ReleaseRules:
        """The rules of the tenant's release.

        Raises:
            Unavailable: none has been published yet.
        """
        rules = self._releases.rules(tenant)
        if rules is None:
            raise Unavailable(
                "no release has been published for this tenant yet; publish a bundle first",
                retry_after=NO_RELEASE_RETRY,
            )
        return rules

    def judge(self, raws: Sequence[bytes], tenant: str, *, batch: bool, own: bool = False) -> list[Ready]:
        """All events ready to be written.

        Args:
            raws: the events' JSON.
            tenant: whose they are.
            batch: whether problems are to name the event that they are of.
            own: the gateway itself makes them; what nobody declares never refuses such an event.

        Raises:
            Malformed: with every problem of every event.
            TooLarge: one of them is over 64 kB.
            Unavailable: the tenant has no release.
        """
        rules, now = self.rules(tenant), self._now()
        ready: list[Ready] = []
        problems: list[Problem] = []
        for index, raw in enumerate(raws):
            outcome = self._judge_one(raw, tenant, rules, now, index if batch else None)
            if not isinstance(outcome, Ready):
                problems += outcome
            elif self._refuse_undeclared and outcome.undeclared and not own:
                place = index if batch else None
                problems += [Problem(one.path, one.message, place) for one in outcome.undeclared]
            else:
                ready.append(outcome)
        if problems:
            raise malformed(problems)
        return ready

    async def write(self, events: Sequence[Ready], credential: Credential) -> None:
        """Write events; return when all are acknowledged.

        A write that has begun goes on when the caller goes away: its events may have been half written, and are
        finished rather than left.

        Raises:
            Forbidden: the caller may not send events of one of the channels; nothing was written.
            TooMany: the caller's share is used up; nothing was written.
            Unavailable: too much is in hand (nothing was written), or the broker did not acknowledge in time.
        """
        self._credentials.permit(credential, (event.channel for event in events))
        self._credentials.spend(credential, len(events))
        await self.write_for(credential.tenant, events)

    async def write_for(self, tenant: str, events: Sequence[Ready]) -> None:
        """The same for events that no caller's share counts: those that the gateway itself makes.

        Raises:
            Unavailable: as `write`.
        """
        task = asyncio.create_task(self._write(events, tenant))
        self._writes.add(task)
        task.add_done_callback(self._written)
        await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for all writes that have begun."""
        if self._writes:
            await asyncio.wait(self._writes)

    async def _write(self, events: Sequence[Ready], tenant: str) -> None:
        started = self._clock()
        with self._in_hand.holding(tenant, sum(len(event.value) for event in events)):
            await self._log.append(events, self._ack_seconds)
        self._observer.acknowledged(self._clock() - started)
        for event in events:
            self._note(event)

    def _note(self, event: Ready) -> None:
        codes = {one.code for one in event.undeclared}
        self._observer.accepted(event.channel, UNDECLARED if "undeclared_type" in codes else event.type)
        for code in sorted(codes):
            self._observer.undeclared(event.channel, code)
        if event.token:
            self._observer.token(event.token)

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writes.discard(task)
        if not task.cancelled():
            task.exception()  # whoever still waits has it; where nobody does, the event was never called accepted

    def _judge_one(
        self, raw: bytes, tenant: str, rules: ReleaseRules, now: int, index: int | None
    ) -> Ready | list[Problem]:
        try:
            outcome = self._check.check(raw, tenant, rules, now)
        except TooLarge as refusal:
            if index is None:
                raise
            raise TooLarge(f"event {index}: {refusal.detail}") from None
        if isinstance(outcome, Ready) or index is None:
            return outcome
        return [msgspec.structs.replace(problem, index=index) for problem in outcome]
