"""A whole gateway for the callers of two tenants: what it would write to Kafka and ask of workers is kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import httpx
import msgspec

from orchestrator.gateway.app import Gateway, create_app
from orchestrator.gateway.asking import Asker
from orchestrator.gateway.buckets import InHand
from orchestrator.gateway.credentials import Credential, Credentials
from orchestrator.gateway.deciding import Decider
from orchestrator.gateway.erasures import Erasures
from orchestrator.gateway.events import EventCheck, Ready
from orchestrator.gateway.figures import Figures
from orchestrator.gateway.intake import Intake
from orchestrator.gateway.owners import AnnouncedOwners, Owner
from orchestrator.gateway.release_rules import BundleRules
from orchestrator.gateway.tokens import LinkTokens
from orchestrator.gateway.unsubscribing import Unsubscribing
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.telemetry import EventLog, Recorder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.gateway.rules import Releases

NOW = 1_772_439_600_000
KEYS = {"mine": "key-of-mine-0123456789abc", "theirs": "key-of-theirs-0123456789a"}
"""Tenant -> the key of its caller."""
LINK_KEY = b"k" * 32
"""Both tenants sign their links with it: that of the other must not count all the same."""


BUNDLE = b"""
bundle: shop
---
channels: here
define: {web: {sends: pull}}
---
events: here
define: {seen: {channel: web}}
---
identity: here
namespaces: {email: unique}
tokens: {redeem: many}
---
slot: page
candidates: []
default: none
"""


class Published:
    """Both tenants have the same bundle."""

    def __init__(self) -> None:
        loaded = load_bundle({"bundle.yaml": BUNDLE}, EventSchemas())
        assert loaded.bundle is not None, [str(one) for one in loaded.diagnostics]
        self._rules = BundleRules(loaded.bundle)

    def rules(self, tenant: str) -> BundleRules:
        return self._rules


class Kafka:
    """What would be written."""

    def __init__(self) -> None:
        self.written: list[Ready] = []

    async def append(self, events: Sequence[Ready], seconds: float) -> None:
        self.written += events


class Workers:
    """What would be asked; the answer says whose it is."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def post(self, owner: Owner, body: bytes, seconds: float) -> tuple[int, bytes]:
        question = msgspec.json.decode(body)
        self.asked.append(question)
        known = {"of": question["tenant"]} if question["context"] else None
        reply = {"version": 1, "person": "p", "answers": {"page": {"content": question["tenant"]}}, "context": known}
        return 200, msgspec.json.encode(reply)


class House:
    def __init__(self) -> None:
        self.kafka, self.workers = Kafka(), Workers()
        recorder = Recorder()
        figures, clock = Figures(recorder, EventLog(recorder)), time.monotonic
        credentials = Credentials(
            [
                Credential.of_key(name, key, name, ["events", "decide", "context", "erase"])
                for name, key in KEYS.items()
            ],
            clock,
        )
        owners = AnnouncedOwners(1)
        owners.learn(b"0", b'{"worker":"w","address":"worker:1","number":1}')
        hand, releases = InHand(1 << 20, 2), cast("Releases", Published())
        tokens = LinkTokens(dict.fromkeys(KEYS, (LINK_KEY,)))
        intake = Intake(
            check=EventCheck({"web": {}}, tokens), releases=releases, credentials=credentials,
            log=cast("Any", self.kafka), in_hand=hand, observer=figures, now=lambda: NOW, clock=clock,
        )  # fmt: skip
        decider = Decider(
            intake=intake, asker=Asker(owners, self.workers, clock), tokens=tokens, credentials=credentials,
            observer=figures, now=lambda: NOW, clock=clock,
        )  # fmt: skip
        self.erasures = Erasures(releases, cast("Any", self.kafka), lambda: NOW)
        gateway = Gateway(
            intake=intake, decider=decider, credentials=credentials, observer=figures, clock=clock, in_hand=hand,
            parts_ready=dict, metrics=recorder.page, schemas={},
            unsubscribing=Unsubscribing(intake, tokens, figures, lambda: NOW, clock),
            erasures=self.erasures,
        )  # fmt: skip
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(gateway)), base_url="http://gateway")

    async def call(self, tenant: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """A request with a tenant's key."""
        headers = {"authorization": f"Bearer {KEYS[tenant]}", "content-type": "application/json"}
        return await self.client.request(method, path, headers=headers, content=msgspec.json.encode(body))
