"""The rules of the current release: read from `bundles`, replaced by a valid one only."""

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from orchestrator.engine.slots import answer_slot
from orchestrator.gateway.figures import Figures
from orchestrator.gateway.models import SlotAnswer
from orchestrator.gateway.releases import PublishedReleases, bundle_loader
from orchestrator.gateway.schemas import compile_schema
from orchestrator.language.bundle import EventSchemas, LoadResult
from orchestrator.stream.topics import TopicDeclaration, load_declarations
from orchestrator.telemetry import EventLog, Recorder

if TYPE_CHECKING:
    from orchestrator.gateway.observer import Observer

GROUND = """
bundle: tiny
---
channels: default
define: {web: {sends: pull}, chat: {sends: pull}, stock: {sends: no}, price: {sends: no}}
---
events: all
define:
  page_read: {channel: [web]}
  message_sent: {channel: [chat]}
  level_changed: {channel: [stock, price], for: brand}
  price.level_changed: {channel: [price]}
---
identity: default
namespaces: {user_id: unique, email: unique, phone: shared, anonymous_id: shared, account_id: account}
references: {thread: [message_sent]}
normalise: {email: [trim, lower], phone: [phone]}
region: FR
"""
SLOTS = """
content: ct.news
with: {name: profile.id}
variants: {web: {title: 'en {{ language }}', text: 'Hello {{ name }}'}}
---
slot: app.news
candidates: []
default: ct.news
---
content: ct.overview
variants: {web: {name: v.web, title: {en: Overview, fr: Apercu}, link: /p}}
---
slot: web.lp.body
also: [app.home]
candidates: []
default: ct.overview
include: {side: web.side}
---
slot: web.side
items: 3
candidates: []
default: none
"""


@dataclass
class Told:
    taken: list[str] = field(default_factory=list)
    refused: list[tuple[str, int, str]] = field(default_factory=list)
    signing: list[tuple[str, ...]] = field(default_factory=list)

    def release_taken(self, release: str, scenarios: int) -> None:
        self.taken.append(release)

    def signs_links(self, tenant: str, channels: Sequence[str]) -> None:
        self.signing.append((tenant, *channels))

    def release_refused(self, release: str, errors: int, code: str, place: str) -> None:
        self.refused.append((release, errors, code))


@dataclass
class House:
    releases: PublishedReleases
    told: Told

    def publish(self, tenant: str, release: str, files: dict[str, str], *, only: set[str] | None = None) -> None:
        hashes = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in files.items()}
        for path, text in files.items():
            if only is None or path in only:
                self.releases.learn(hashes[path].encode(), text.encode())
        listed = msgspec.json.encode({"release": release, "files": hashes})
        self.releases.learn(f"{tenant}/release/{release}".encode(), listed)
        word = msgspec.json.encode({"release": release, "published_at": 0})
        self.releases.learn(f"{tenant}/release".encode(), word)


def declared() -> EventSchemas:
    return EventSchemas.from_topics({"topic": one.topic, "events": one.events} for one in load_declarations())


@pytest.fixture
async def house() -> AsyncIterator[House]:
    told = Told()
    releases = PublishedReleases(bundle_loader(declared()), cast("Observer", told))

    async def complete() -> None:
        return

    running = asyncio.create_task(releases.run(complete))
    yield House(releases, told)
    running.cancel()
    await asyncio.wait([running])


async def test_it_is_ready_when_every_tenant_has_the_release_that_was_published_before_the_start() -> None:
    """One tenant's release makes nobody else's: whoever asked in between was told that there is none."""
    may_load, told = threading.Semaphore(1), Told()

    def load(files: Mapping[str, bytes]) -> LoadResult:
        may_load.acquire()
        return bundle_loader(declared())(files)

    house = House(PublishedReleases(load, cast("Observer", told)), told)
    for tenant in ("one", "two"):
        house.publish(tenant, f"r-{tenant}", {"ground.yaml": GROUND, "slots.yaml": SLOTS})
    complete = asyncio.Event()

    async def read() -> None:
        await complete.wait()

    running = asyncio.create_task(house.releases.run(read))
    try:
        await asyncio.sleep(0)
        assert not house.releases.ready
        complete.set()
        async with asyncio.timeout(20):
            while not told.taken:  # noqa: ASYNC110  it tells nobody but its observer
                await asyncio.sleep(0.01)
            assert not house.releases.ready
            may_load.release()
            while not house.releases.ready:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert sorted(told.taken) == ["r-one", "r-two"]
        assert all(house.releases.rules(tenant) is not None for tenant in ("one", "two"))
    finally:
        may_load.release()
        running.cancel()
        await asyncio.wait([running])


async def test_a_release_that_signs_links_where_there_is_no_key_is_told_when_it_is_taken(
    house: House, eventually_async: Any, caplog: pytest.LogCaptureFixture
) -> None:
    signing = GROUND.replace("web: {sends: pull}", "web: {sends: pull}, email: {sends: push, sign_links: true}")
    house.publish("shop", "r1", {"ground.yaml": signing, "slots.yaml": SLOTS})
    await eventually_async(lambda: house.told.taken or house.told.refused)
    assert (house.told.refused, house.told.signing) == ([], [("shop", "email")])
    recorder = Recorder()
    figures = Figures(recorder, EventLog(recorder), {"shop"})
    with caplog.at_level("ERROR", "orchestrator"):
        figures.signs_links("shop", ["email"])
        assert caplog.messages == []
        figures.signs_links("another", ["email"])
    (line,) = caplog.messages
    assert line.startswith("links on email are to be signed, and links.key is not set: who follows a link is not")


async def test_a_published_release_gives_the_rules(house: House, eventually_async: Any) -> None:
    assert house.releases.rules("shop") is None
    assert not house.releases.ready
    house.publish("shop", "r1", {"ground.yaml": GROUND, "slots.yaml": SLOTS})
    await eventually_async(lambda: house.told.taken or house.told.refused)
    assert house.told == Told(taken=["r1"])
    rules = house.releases.rules("shop")
    assert rules is not None
    assert house.releases.ready
    assert house.releases.rules("another") is None
    assert rules.identifiers == ("user_id", "email", "phone", "anonymous_id", "account_id")
    assert rules.references == ("thread",)
    assert rules.redeem_once
    assert rules.strongest({"anonymous_id": "a1", "email": " Amy@Example.COM"}) == "email:amy@example.com"
    assert rules.strongest({"phone": "06 12 34 56 78"}) == "phone:+33612345678"
    assert rules.strongest({"thread": "th-1"}) == "thread:th-1"
    assert rules.strongest({"page": "/"}) is None
    assert rules.strongest({"user_id": True}) is None
    assert rules.node("email", "A@B.c") == "email:a@b.c"
    assert rules.node("shoe_size", "42") is None
    assert rules.node("account_id", "acme") == "account_id:acme"
    assert rules.of_customer("web", "page_read")
    assert rules.of_customer("web", "never_declared")
    assert not rules.of_customer("stock", "level_changed")
    assert rules.of_customer("price", "level_changed"), "declared apart for this channel"


async def test_a_release_that_is_published_again_is_not_read_again(house: House, eventually_async: Any) -> None:
    files = {"ground.yaml": GROUND, "slots.yaml": SLOTS}
    house.publish("shop", "r1", files)
    await eventually_async(lambda: house.told.taken)
    rules = house.releases.rules("shop")
    house.publish("shop", "r1", files)
    house.publish("inn", "r1", files)
    await eventually_async(lambda: len(house.told.taken) > 1)
    assert house.told.taken == ["r1", "r1"], "the second is another tenant's"
    assert house.releases.rules("shop") is rules
    for release in ("r2", "r1"):
        house.publish("shop", release, files)
        await eventually_async(lambda release=release: house.told.taken[-1] == release)
    assert house.told.taken == ["r1", "r1", "r2", "r1"], "an earlier one that counts again is"


async def test_a_fallback_is_shaped_as_the_owner_would_answer(house: House, eventually_async: Any) -> None:
    house.publish("shop", "r1", {"ground.yaml": GROUND, "slots.yaml": SLOTS})
    await eventually_async(lambda: house.told.taken)
    rules = house.releases.rules("shop")
    assert rules is not None
    side = {"content": "", "reason": "fallback", "values": {}, "name": "", "fields": {}, "items": []}
    assert rules.fallback("app.home", "web", "fr") == {
        "content": "ct.overview",
        "reason": "fallback",
        "values": {},
        "name": "v.web",
        "fields": {"title": "Apercu", "link": "/p"},
        "include": {"side": side},
    }
    assert set(side) | {"include"} <= set(SlotAnswer.model_fields), "what the description says of an answer"
    assert rules.fallback("web.lp.body", "web", "")["fields"]["title"] == "Overview"
    assert rules.fallback("web.lp.body", "kiosk", "fr")["fields"] == {}
    assert rules.fallback("app.news", "web", "fr")["fields"] == {"title": "en fr", "text": None}, "nobody is known"
    nobody: Any = SimpleNamespace(program=SimpleNamespace(slots={}))
    assert rules.fallback("no.such.slot", "web", "") == answer_slot(nobody, "no.such.slot"), "a slip, in time or not"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"ground.yaml": GROUND + "colour: red\n"}, "E-"),
        ({"ground.yaml": "bundle: {\n"}, "E-"),
    ],
)
async def test_a_release_with_errors_never_replaces_one_without(
    house: House, eventually_async: Any, files: dict[str, str], code: str
) -> None:
    house.publish("shop", "r1", {"ground.yaml": GROUND})
    await eventually_async(lambda: house.told.taken)
    rules = house.releases.rules("shop")
    house.publish("shop", "r2", files)
    await eventually_async(lambda: house.told.refused)
    [(release, errors, found)] = house.told.refused
    assert release == "r2"
    assert errors >= 1
    assert found.startswith(code)
    assert house.releases.rules("shop") is rules
    house.publish("shop", "r3", {"ground.yaml": GROUND, "slots.yaml": SLOTS})
    await eventually_async(lambda: house.told.taken == ["r1", "r3"])


async def test_who_starts_while_a_release_with_errors_counts_goes_back_to_the_newest_without(
    eventually_async: Any,
) -> None:
    house = House(PublishedReleases(bundle_loader(declared()), cast("Observer", Told())), Told())
    house.told = cast("Told", house.releases._observer)
    house.publish("shop", "r1", {"ground.yaml": GROUND})
    house.publish("shop", "r2", {"ground.yaml": GROUND, "slots.yaml": SLOTS})
    house.publish("shop", "r3", {"ground.yaml": "bundle: {\n"})

    async def complete() -> None:
        return

    running = asyncio.create_task(house.releases.run(complete))
    try:
        await eventually_async(lambda: house.releases.ready)
        assert house.releases.rules("shop") is not None
        assert (house.told.taken, [one[0] for one in house.told.refused]) == (["r2"], ["r3"])
        house.publish("shop", "r4", {"ground.yaml": GROUND})
        await eventually_async(lambda: house.told.taken == ["r2", "r4"])
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_bundle_without_identity_knows_users_and_visitors(house: House, eventually_async: Any) -> None:
    house.publish("shop", "r1", {"ground.yaml": "bundle: tiny\n"})
    await eventually_async(lambda: house.told.taken)
    rules = house.releases.rules("shop")
    assert rules is not None
    assert rules.identifiers == ("user_id", "anonymous_id")


async def test_a_release_whose_files_are_not_all_there_is_refused(house: House, eventually_async: Any) -> None:
    house.publish("shop", "r1", {"ground.yaml": GROUND, "slots.yaml": SLOTS}, only={"slots.yaml"})
    await eventually_async(lambda: house.told.refused)
    assert house.told.refused == [("r1", 1, "E-MISSING")]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"\xff", b"x"), (b"shop/release", b"{"), (b"shop/release", b"{}"), (b"shop/release/r", b"[]"),
        (b"shop/release", b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ],
    ids=range(5),
)  # fmt: skip
def test_a_record_that_is_none_of_ours_is_refused(key: bytes, value: bytes) -> None:
    releases = PublishedReleases(bundle_loader(EventSchemas()), cast("Observer", Told()))
    with pytest.raises(ValueError, match="none of ours"):
        releases.learn(key, value)


@pytest.mark.parametrize("topic", load_declarations(Path("topics")), ids=lambda topic: topic.topic)
def test_the_example_of_every_channel_passes_its_own_check(topic: TopicDeclaration) -> None:
    checks = {name: compile_schema(schema, name) for name, schema in topic.events.items()}
    if topic.channel is not None:
        assert topic.example is not None
        assert list(checks[topic.example["type"]](topic.example["data"], "data")) == []
