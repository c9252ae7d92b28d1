"""A gateway without Kafka and without workers: what it would write and whom it would ask is kept in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import httpx
import msgspec
import pytest

from orchestrator.gateway.app import Gateway, create_app
from orchestrator.gateway.asking import Asker
from orchestrator.gateway.buckets import InHand
from orchestrator.gateway.credentials import Credential, Credentials
from orchestrator.gateway.deciding import Decider
from orchestrator.gateway.declared import Declared, Undeclared
from orchestrator.gateway.erasures import Erasures
from orchestrator.gateway.events import EventCheck, Ready, Redeemed
from orchestrator.gateway.intake import Intake
from orchestrator.gateway.owners import AnnouncedOwners, Owner
from orchestrator.gateway.refusals import Unavailable
from orchestrator.gateway.schemas import compile_schema
from orchestrator.gateway.tokens import LinkTokens
from orchestrator.gateway.unsubscribing import Unsubscribing

if TYPE_CHECKING:
    from orchestrator.gateway.observer import Observer

NOW = 1_772_439_600_000  # 2026-03-02T08:20:00Z
KEYS = {
    "everything": "key-everything-0123456789",
    "events-only": "key-events-only-0123456789",
    "decide-only": "key-decide-only-0123456789",
    "other-tenant": "key-other-tenant-0123456789",
}
LINK_KEYS = {"default": (b"d" * 32, b"e" * 32), "other": (b"o" * 32,), "empty": (b"n" * 32,)}
SCHEMAS: dict[str, dict[str, dict[str, Any]]] = {
    "web": {
        "page_read": {"type": "object", "properties": {"page": {"type": "string"}, "seconds": {"type": "number"}}},
        "order_placed": {
            "type": "object",
            "required": ["total"],
            "properties": {
                "total": {"type": "number", "minimum": 0},
                "items": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"sku": {"type": "string"}, "qty": {"type": "integer"}}},
                },
                "status": {"type": "string", "enum": ["paid", "open"]},
            },
        },
    },
    "chat": {"message_sent": {"type": "object", "properties": {"text": {"type": "string"}}}},
    "email": {"unsubscribed": {"type": "object", "properties": {"message": {"type": "string"}}}},
    "stock": {"level_changed": {"type": "object", "properties": {"qty": {"type": "integer"}}}},
}


class FakeRules:
    """Rules of a bundle with three namespaces and one kind of reference."""

    identifiers = ("user_id", "email", "anonymous_id")
    references = ("thread",)
    naming = (*identifiers, *references)
    channels = frozenset({"voice"})
    redeem_once = True
    declared = Declared(
        {
            channel: {name: frozenset(schema["properties"]) for name, schema in types.items()}
            for channel, types in SCHEMAS.items()
        },
        (*identifiers, *references, "token", "sku"),
    )

    def unnamed_rows(self, channel: str, event_type: str, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        return iter(())

    def undeclared(self, channel: str, event_type: str, data: Mapping[str, Any]) -> tuple[Undeclared, ...]:
        return self.declared.beside(channel, event_type, data)

    def node(self, name: str, value: object) -> str | None:
        if name not in (*self.identifiers, *self.references) or not isinstance(value, str):
            return None
        text = value.strip().lower() if name == "email" else value.strip()
        if name == "email" and "@" not in text:
            return None
        return f"{name}:{text}"

    def strongest(self, data: Mapping[str, Any]) -> str | None:
        for name in (*self.identifiers, *self.references):
            value = data.get(name)
            node = self.node(name, value) if value else None
            if node is not None:
                return node
        return None

    def of_customer(self, channel: str, event_type: str) -> bool:
        return channel != "stock"

    def fallback(self, slot: str, channel: str, language: str) -> dict[str, Any]:
        return {"content": {"web.lp.body": "ct.lumo.overview"}.get(slot, ""), "reason": "fallback"}


class FakeReleases:
    """`default` and `other` have a release, `empty` has none."""

    def rules(self, tenant: str) -> FakeRules | None:
        return None if tenant == "empty" else FakeRules()


class FakeTokens:
    def verify(self, tenant: str, token: str, now: int) -> Redeemed | str:
        known: dict[str, Redeemed | str] = {
            "tok-amy": Redeemed("email", "amy@example.com"),
            "tok-old": "expired",
        }
        return known.get(token, "invalid")


@dataclass
class MemoryLog:
    """An event log in memory that can be held up or made to fail."""

    written: list[Ready] = field(default_factory=list)
    ready: bool = True
    failing: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def append(self, events: Sequence[Ready], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.gate.wait()
        except TimeoutError:
            raise Unavailable("the broker did not acknowledge", retry_after=2.0) from None
        if self.failing:
            raise Unavailable("the broker did not acknowledge", retry_after=2.0)
        self.written.extend(events)

    def values(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(event.value) for event in self.written]


@dataclass
class FakeWorkers:
    """Workers by address: each is a function of the question that gives status and body."""

    by_address: dict[str, Callable[[dict[str, Any]], tuple[int, Any] | None]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def post(self, owner: Owner, body: bytes, seconds: float) -> tuple[int, bytes]:
        question = msgspec.json.decode(body)
        self.asked.append((owner.address, question))
        if owner.address not in self.by_address:
            raise ConnectionError("gone")
        reply = self.by_address[owner.address](question)
        if reply is None:  # silence
            await asyncio.sleep(seconds)
            raise TimeoutError
        return reply[0], msgspec.json.encode(reply[1])


@dataclass
class Notes:
    """An observer that remembers."""

    requests: list[tuple[str, int]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)
    renewals: int = 0

    def requested(self, route: str, status: int, seconds: float) -> None:
        self.requests.append((route, status))

    def accepted(self, channel: str, event_type: str) -> None:
        self.events.append((channel, event_type))

    def undeclared(self, channel: str, code: str) -> None:
        self.remarks.append((channel, code))

    def refused(self, reason: str) -> None:
        self.refusals.append(reason)

    def token(self, outcome: str) -> None:
        self.tokens.append(outcome)

    def asked(self, outcome: str, seconds: float) -> None:
        self.asks.append(outcome)

    def acknowledged(self, seconds: float) -> None:
        assert seconds >= 0

    def renewed(self) -> None:
        self.renewals += 1

    def failed(self, request_id: str, error: BaseException) -> None:
        self.failures.append(type(error).__name__)


@dataclass
class House:
    """The gateway under test and everything around it."""

    log: MemoryLog
    workers: FakeWorkers
    owners: AnnouncedOwners
    notes: Notes
    gateway: Gateway
    client: httpx.AsyncClient

    async def send(self, body: Any, key: str | None = KEYS["everything"], **headers: str) -> httpx.Response:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.client.post("/v1/events", content=raw, headers=_headers(key, headers))

    async def decide(self, body: Any, key: str | None = KEYS["everything"], **headers: str) -> httpx.Response:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.client.post("/v1/decide", content=raw, headers=_headers(key, headers))


def _headers(key: str | None, more: Mapping[str, str]) -> dict[str, str]:
    headers = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in more.items()}
    return headers | ({"authorization": f"Bearer {key}"} if key else {})


def default_credentials(rate: float = 1e6, burst: float = 1e6) -> list[Credential]:
    return [
        Credential.of_key("everything", KEYS["everything"], "default", ["events", "decide", "context"], rate, burst),
        Credential.of_key("events-only", KEYS["events-only"], "default", ["events"], rate, burst),
        Credential.of_key("decide-only", KEYS["decide-only"], "default", ["decide"], rate, burst),
        Credential.of_key("other-tenant", KEYS["other-tenant"], "other", ["events", "decide", "context"], rate, burst),
    ]


@pytest.fixture
async def make_house() -> AsyncIterator[Callable[..., House]]:
    """Makes gateways; whatever they still have in hand is finished at the end."""
    houses: list[House] = []

    def make(
        credentials: list[Credential] | None = None,
        *,
        in_hand: int = 1 << 24,
        most_requests: int = 1000,
        ack_seconds: float = 2.0,
        body_seconds: float = 2.0,
        refuse_undeclared: bool = False,
        now: Callable[[], int] = lambda: NOW,
    ) -> House:
        clock = time.monotonic
        keys = Credentials(default_credentials() if credentials is None else credentials, clock)
        log, workers, owners, notes, tokens = MemoryLog(), FakeWorkers(), AnnouncedOwners(8), Notes(), FakeTokens()
        hand = InHand(in_hand, len(keys.tenants))
        checks = {
            channel: {name: compile_schema(schema) for name, schema in types.items()}
            for channel, types in SCHEMAS.items()
        }
        intake = Intake(
            check=EventCheck(checks, tokens),
            releases=FakeReleases(),
            credentials=keys,
            log=log,
            in_hand=hand,
            observer=cast("Observer", notes),
            now=now,
            clock=clock,
            ack_seconds=ack_seconds,
            refuse_undeclared=refuse_undeclared,
        )
        decider = Decider(
            intake=intake,
            asker=Asker(owners, workers, clock),
            tokens=tokens,
            credentials=keys,
            observer=cast("Observer", notes),
            now=now,
            clock=clock,
        )
        gateway = Gateway(
            intake=intake,
            decider=decider,
            credentials=keys,
            observer=cast("Observer", notes),
            clock=clock,
            in_hand=hand,
            most_requests=most_requests,
            parts_ready=lambda: {"broker": log.ready, "release": True},
            metrics=lambda: (b"orchestrator_up 1\n", "text/plain; version=0.0.4"),
            schemas=SCHEMAS,
            unsubscribing=Unsubscribing(intake, LinkTokens(LINK_KEYS), cast("Observer", notes), now, clock),
            erasures=Erasures(FakeReleases(), log, now),
            body_seconds=body_seconds,
        )
        transport = httpx.ASGITransport(app=create_app(gateway))
        client = httpx.AsyncClient(transport=transport, base_url="http://gateway")
        houses.append(House(log, workers, owners, notes, gateway, client))
        return houses[-1]

    yield make
    for house in houses:
        house.log.gate.set()
        await house.gateway.intake.finish()
        await house.client.aclose()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house()


@pytest.fixture
def keys() -> dict[str, str]:
    return KEYS


@pytest.fixture
def page_read() -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "web-shop",
        "type": "page_read",
        "time": "2026-03-02T08:15:00Z",
        "channel": "web",
        "data": {"anonymous_id": "a1", "page": "/lp/lumo-1", "seconds": 150},
    }
