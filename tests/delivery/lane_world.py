"""A lane, a clock, bundles and a sink for the core of delivery: what several tests drive it with."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from orchestrator.delivery.backoff import Backoff
from orchestrator.delivery.contents import Content, ContentError, Limit, Quiet
from orchestrator.delivery.core import DeliveryCore, Tuning
from orchestrator.delivery.decide import Deferred, Delivered, Result
from orchestrator.delivery.ledger import Pending, Settled, decode
from orchestrator.delivery.watch import Silent
from orchestrator.model.effect import Action, Publication, Withdrawal
from orchestrator.stream.lane.records import Batch, Outgoing, Record

START = 1_772_000_000_000
DOWN = Deferred("unreachable", channel_wide=True)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only when everyone waits: no test depends on how busy the machine is."""

    def __init__(self) -> None:
        self._virtual = 0.0
        super().__init__()

    def time(self) -> float:
        return self._virtual

    def _run_once(self) -> None:
        waiting: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        if not self._ready and waiting:  # type: ignore[attr-defined]
            self._virtual = max(self._virtual, waiting[0].when())
        super()._run_once()  # type: ignore[misc]


class VirtualTime(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self) -> VirtualLoop:
        return VirtualLoop()


class Bundles:
    """Contents that know one channel."""

    def __init__(self) -> None:
        self.edition = 0
        self.limits: dict[tuple[str, str], Limit] = {}
        self.quiet_hours: Callable[[Action, int], Quiet | None] = lambda _action, _now: None

    async def content(self, tenant: str, release: str, name: str, channel: str, language: str) -> Content:
        raise ContentError("content_unknown")

    def namespace(self, tenant: str, release: str, channel: str) -> str | None:
        return "email" if channel == "email" else None

    def rate_limit(self, tenant: str, channel: str) -> Limit | None:
        return self.limits.get((tenant, channel))

    def quiet(self, action: Action, now: int) -> Quiet | None:
        return self.quiet_hours(action, now)


class Counts(Silent):
    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.attempts: list[int] = []
        self.in_queue: dict[str, int] = {}

    def settled(self, action: Action, settled: Settled, attempts: int) -> None:
        self.seen[settled.outcome] += 1
        self.attempts.append(attempts)

    def repeated(self, channel: str) -> None:
        self.seen["repeated"] += 1

    def rejected(self, record: Record, reason: str) -> None:
        self.seen[reason] += 1

    def waiting(self, partition: int, actions: Mapping[str, int]) -> None:
        self.in_queue = dict(actions)

    def broke(self, channel: str, error: str) -> None:
        self.seen[error] += 1

    def held(self, channel: str, reason: str) -> None:
        self.seen[f"held: {reason}"] += 1


class World:
    """A sink, a clock, and what the lane would keep: changelog values, offsets, what was sent."""

    def __init__(self, tuning: Tuning | None = None) -> None:
        self.now = START
        self.sent: list[str] = []
        self.began: dict[str, int] = {}
        self.answer: Callable[[Action], Result] = lambda _: Delivered()
        self.hold: dict[str, asyncio.Event] = {}
        self.bundles = Bundles()
        self.counts = Counts()
        self.values: dict[bytes, bytes] = {}
        self.events: list[dict[str, Any]] = []
        self.outgoing: list[Outgoing] = []
        self.committed: dict[str, int] = {}
        self.tuning = tuning or Tuning(partitions=1, patience=50, backoff=Backoff(first=1_000, longest=60_000))
        self.core = self.restart()

    def restart(self) -> DeliveryCore:
        """A new process on what was durable."""
        self.core = DeliveryCore(
            self.attempt,
            self.bundles,
            self.tuning,
            draw=lambda: 0.5,
            clock=lambda: self.now,
            watch=self.counts,
        )
        self.apply(self.core.assigned(0, self.values, self.committed, self.now))
        return self.core

    async def attempt(self, action: Action, now: int) -> Result:
        self.sent.append(action.id)
        self.began[action.id] = now
        if action.id in self.hold:
            await self.hold[action.id].wait()
        return self.answer(action)

    async def process(self, *values: Action | Withdrawal | bytes, first: int = 0) -> Batch:
        records = [
            Record("actions", 0, first + at, self.now, b"p-1", as_bytes(value)) for at, value in enumerate(values)
        ]
        return await self.core.process(0, records, self.now)

    async def take(self, *values: Action | Withdrawal | bytes, first: int = 0) -> None:
        self.apply(await self.process(*values, first=first))

    async def leave(self) -> None:
        """The partition is given up in good order: the last batch is durable and sent."""
        batch = await self.core.leave(0, self.now)
        if batch is not None:
            self.apply(batch)
        self.core.revoked(0)

    async def wake(self, after: int = 0) -> None:
        self.now += after
        batch = await self.core.wake(0, self.now)
        if batch is not None:
            self.apply(batch)

    def apply(self, batch: Batch) -> None:
        self.write(batch)
        self.send(batch)
        self.committed.update(batch.offsets)

    def write(self, batch: Batch) -> None:
        for key, value in batch.changelog:
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value

    def send(self, batch: Batch) -> None:
        self.outgoing += batch.sends
        self.events += [json.loads(each.value) for each in batch.sends if each.topic.startswith("channel.")]

    def entry(self, action: Action) -> Pending | Settled:
        return decode(self.values[action.id.encode()])

    def outcomes(self) -> list[tuple[str, str]]:
        return [(event["data"]["message"], event["type"]) for event in self.events]


def as_bytes(value: Action | Withdrawal | bytes) -> bytes:
    return value if isinstance(value, bytes) else msgspec.json.encode(value)


def mail(name: str = "a", **fields: Any) -> Action:
    return Action(
        **{
            "id": name * 32,
            "person": "p-1",
            "tenant": "default",
            "node": "default/email:amy@example.com",
            "channel": "email",
            "address": "amy@example.com",
            "content": "em.answer",
            "release": "r1",
            "class_": "service",
            "valid_until": START + 3_600_000,
            "at": START,
            **fields,
        }
    )


def post(name: str = "a") -> bytes:
    """What a story of the brand tells everybody, on a channel that has no topic of its own."""
    return msgspec.json.encode(
        Publication(
            id=name * 32, person="p-1", tenant="default", node="default/brand:spring", channel="wall",
            content="post.spring", release="r1", valid_until=START + 3_600_000, at=START,
        )
    )  # fmt: skip


def withdraw(action: Action) -> Withdrawal:
    return Withdrawal(action.id, "p-1", "default", action.node, "no_consent", START)
