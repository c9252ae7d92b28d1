"""From an action to the channel: a bundle's content, rendered, signed, handed over."""

import re
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
import pytest

from orchestrator.delivery.attempts import Attempts
from orchestrator.delivery.bundle_contents import BundleContents, loader
from orchestrator.delivery.channels.smtp import SmtpSender, SmtpServer
from orchestrator.delivery.contents import Limit, Quiet
from orchestrator.delivery.decide import Deferred, Delivered, Refused, Result
from orchestrator.delivery.ledger import Outcome
from orchestrator.delivery.render.message import Message, Renderer, Site
from orchestrator.delivery.run import Parts, _Bundles
from orchestrator.delivery.ways import MailWay, payload
from orchestrator.language.bundle import EventSchemas
from orchestrator.language.liquid.templates import Templates
from orchestrator.model.effect import Action
from orchestrator.model.tokens import verify
from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.releases import Releases
from orchestrator.telemetry import Recorder

KEY = b"k" * 32
NOW = 1_772_000_000_000
HOUR = 3_600_000

BUNDLE = """
bundle: lumo
language: fr
---
channels: default
define:
  email: {sends: push, address: email, sign_links: true}
  push: {sends: push, address: device_id}
  wall: {sends: push, public: true, sign_links: true}
---
identity: default
namespaces: {email: unique, device_id: shared}
tokens: {valid_for: 24h}
---
policy: contact
preferred_order: [email]
rate_limit: {email: {limit: 30, per: 1m}}
quiet_hours:
  - {from: "21:00", to: "08:00", channels: [email], except: [service]}
  - {from: "12:00", to: "13:00", channels: [push], on_hit: skip}
  - {from: "00:00", to: "23:59", channels: [wall]}
---
content: em.answer
class: service
variants:
  email:
    subject: {fr: "Votre question, {{ name }}", de: "Ihre Frage, {{ name }}"}
    body_file: "answer.{language}.liquid"
  push: {title: {fr: "Réponse"}, text: "{{ text }}", link: /p/lumo-1, image: /i/lumo.png}
---
content: em.news
language_missing: skip
variants:
  email: {subject: {fr: "Air"}, body: {fr: "<p>Air <a href='{{ unsubscribe_url }}'>stop</a></p>"}}
---
content: post.spring
variants: {wall: {text: "{{ text }} /p/lumo-1", image: /i/lumo.png, hashtags: [lumo, air]}}
---
content: em.plain
variants:
  email: {subject: Plain, body: "Voir /p/lumo-1 et https://a.example/x."}
"""
FILES = {
    "lumo.yaml": BUNDLE.encode(),
    "answer.fr.liquid": b"<p>{{ text }} <a href='/p/lumo-1'>Lumo</a></p>",
    "answer.de.liquid": b"<p>DE {{ text }}</p>",
}


class Kept:
    """A way that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def deliver(self, action: Action, message: Message, now: int) -> Result:
        self.messages.append(message)
        return Delivered()

    async def close(self) -> None: ...


def publish(releases: Releases, release: str = "r1", files: dict[str, bytes] = FILES) -> None:
    listed = {path: f"hash-{path}" for path in files}
    for path, blob in files.items():
        assert releases.apply(listed[path].encode(), blob) is None
    releases.apply(f"default/release/{release}".encode(), msgspec.json.encode({"release": release, "files": listed}))
    assert releases.apply(b"default/release", msgspec.json.encode({"release": release, "published_at": 1})) == "default"


class World:
    def __init__(self, keys: tuple[bytes, ...] = (KEY,)) -> None:
        self.releases = Releases()
        self.contents = BundleContents(self.releases, loader(EventSchemas()))
        self.email, self.push, self.wall = Kept(), Kept(), Kept()
        site = Site(base_url="https://lumo.example", unsubscribe_url="https://lumo.example/unsubscribe")
        self.attempts = Attempts(
            self.contents,
            Renderer(Templates(), site, lambda tenant: keys if tenant == "default" else ()),
            {"email": self.email, "push": self.push, "wall": self.wall},
        )

    async def send(self, **changes: Any) -> Result:
        return await self.attempts.attempt(action(**changes), NOW)


@pytest.fixture
async def world() -> World:
    world = World()
    publish(world.releases)
    assert await world.contents.take("default", world.releases.current["default"])
    return world


def action(**changes: Any) -> Action:
    fields: dict[str, Any] = {
        "id": "a" * 32,
        "person": "p-1",
        "tenant": "default",
        "node": "default/email:amy@example.com",
        "channel": "email",
        "address": "amy@example.com",
        "content": "em.answer",
        "release": "r1",
        "class_": "service",
        "language": "fr",
        "zone": "Europe/Paris",
        "values": {"name": "Amy", "text": "12 m² & plus <b>"},
        "valid_until": NOW + HOUR,
        "at": NOW,
    }
    return Action(**{**fields, **changes})


def tokens(text: str) -> list[str]:
    return re.findall(r"token=([\w.~-]+)", text)


async def test_an_answer_is_rendered_in_the_customers_language_with_links_signed_for_them(world: World) -> None:
    assert await world.send() == Delivered()
    (message,) = world.email.messages
    assert message.fields["subject"] == "Votre question, Amy"
    assert message.fields["body"].startswith("<p>12 m² &amp; plus &lt;b&gt; <a href=")
    (token,) = tokens(message.fields["body"])
    claims = verify(token, [KEY], NOW)
    assert claims.node == "default/email:amy@example.com"
    assert claims.expires_at == NOW + 24 * HOUR


async def test_a_second_attempt_says_the_same_to_the_byte(world: World) -> None:
    await world.send()
    await world.send()
    first, second = world.email.messages
    assert payload(action(), first) == payload(action(), second)


@pytest.mark.parametrize(
    ("language", "subject"), [("de", "Ihre"), ("de-CH", "Ihre"), ("de_CH", "Ihre"), ("it", "Votre"), ("", "Votre")]
)
async def test_the_default_language_stands_in(world: World, language: str, subject: str) -> None:
    await world.send(language=language)
    assert world.email.messages[0].fields["subject"].startswith(subject)
    assert ("DE" in world.email.messages[0].fields["body"]) == (subject == "Ihre")


async def test_where_no_language_may_stand_in_nothing_is_sent(world: World) -> None:
    assert await world.send(content="em.news", language="de") == Refused(Outcome.FAILED, "language_missing")
    assert world.email.messages == []


async def test_marketing_mail_carries_its_own_unsubscribe_token_and_no_other_on_that_link(world: World) -> None:
    await world.send(content="em.news", class_="marketing")
    (message,) = world.email.messages
    (token,) = tokens(message.unsubscribe_url)
    assert tokens(message.fields["body"]) == [token]
    claims = verify(token, [KEY], NOW, use="unsubscribe")
    assert (claims.node, claims.channel) == ("default/email:amy@example.com", "email")
    assert claims.token_id == action().id


async def test_links_of_a_plain_text_are_signed_too(world: World) -> None:
    await world.send(content="em.plain")
    (message,) = world.email.messages
    assert not message.html
    assert len(tokens(message.fields["body"])) == 2
    assert "https://lumo.example/p/lumo-1?token=" in message.fields["body"]


async def test_a_channel_that_does_not_sign_gets_links_without_token(world: World) -> None:
    await world.send(channel="push", address="d-1")
    (message,) = world.push.messages
    assert message.fields == {
        "title": "Réponse",
        "text": "12 m² & plus <b>",
        "link": "https://lumo.example/p/lumo-1",
        "image": "https://lumo.example/i/lumo.png",
    }


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"channel": "fax"}, Refused(Outcome.FAILED, "channel_not_configured")),
        ({"content": "em.nothing"}, Refused(Outcome.FAILED, "content_unknown")),
        ({"content": "em.news", "channel": "push"}, Refused(Outcome.FAILED, "variant_unknown")),
        ({"values": {}}, Refused(Outcome.FAILED, "template_error")),
        ({"release": "r2"}, Deferred("release_unknown", attempted=False)),
        ({"tenant": "other"}, Deferred("release_unknown", attempted=False)),
    ],
)
async def test_what_cannot_be_sent_says_why(world: World, changes: dict[str, Any], result: Result) -> None:
    assert await world.send(**changes) == result
    assert world.email.messages == []


async def test_without_a_key_nothing_goes_out_unsigned_and_nothing_is_given_up() -> None:
    world = World(keys=())
    publish(world.releases)
    assert await world.send() == Deferred("link_key_missing", attempted=False)
    assert await world.send(channel="push") == Delivered()


@pytest.mark.parametrize(
    ("any_key", "started", "fate"), [(False, False, "ends"), (False, True, "logs"), (True, False, "logs")]
)
async def test_a_missing_key_is_told_when_the_bundle_is_read_and_ends_only_a_start(
    world: World, caplog: pytest.LogCaptureFixture, any_key: bool, started: bool, fate: str
) -> None:
    parts = SimpleNamespace(
        connection={}, schemas=EventSchemas(), recorder=Recorder(), keys=lambda _: (), any_key=any_key
    )
    bundles = _Bundles(cast("Parts", parts), world.releases, world.contents)
    bundles._started = started
    if fate == "ends":
        with pytest.raises(
            LaneError, match=r"signs the links of its messages on email, and links\.key is not set: set it"
        ):
            bundles._check_key("default")
        return
    with caplog.at_level("ERROR", "orchestrator"):
        bundles._check_key("default")
    (told,) = caplog.messages
    assert told == (
        "links on email are to be signed, and links.key is not set: these messages wait for it, and are given up when "
        "their time is over"
    )


async def test_a_release_that_is_published_again_is_not_told_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    parts = SimpleNamespace(connection={}, schemas=EventSchemas(), recorder=Recorder(), keys=lambda _: (), any_key=True)
    bundles = _Bundles(cast("Parts", parts), world.releases, world.contents)
    bundles._caught_up = True
    with caplog.at_level("INFO", "orchestrator"):
        for at in (1, 2):
            word = msgspec.json.encode({"release": "r1", "published_at": at})
            await bundles._rows([(b"default/release", word)])
    (told,) = caplog.messages
    assert told.startswith("release r1 taken")


async def test_an_action_keeps_the_release_that_it_was_decided_on(world: World) -> None:
    changed = {**FILES, "answer.fr.liquid": b"<p>Nouveau</p>"}
    listed = {path: f"v2-{path}" for path in changed}
    for path, blob in changed.items():
        world.releases.apply(listed[path].encode(), blob)
    world.releases.apply(b"default/release/r2", msgspec.json.encode({"release": "r2", "files": listed}))
    await world.send(release="r1")
    await world.send(release="r2")
    bodies = [message.fields["body"] for message in world.email.messages]
    assert "Lumo" in bodies[0]
    assert bodies[1] == "<p>Nouveau</p>"


async def test_a_release_waits_for_its_last_file(world: World) -> None:
    world.releases.apply(
        b"default/release/r3", msgspec.json.encode({"release": "r3", "files": {"a.yaml": "h-a", "b.yaml": "h-b"}})
    )
    world.releases.apply(b"h-a", b"bundle: x\n")
    assert world.releases.files("default", "r3") is None
    world.releases.apply(b"h-b", b"")
    assert world.releases.files("default", "r3") == {"a.yaml": b"bundle: x\n", "b.yaml": b""}
    world.releases.apply(b"h-a", None)
    assert world.releases.files("default", "r3") is None


async def test_the_current_release_gives_limits_and_namespaces(world: World) -> None:
    assert world.contents.rate_limit("default", "email") == Limit(30, 60_000)
    assert world.contents.rate_limit("default", "push") is None
    assert world.contents.rate_limit("other", "email") is None
    assert world.contents.namespace("default", "r1", "email") == "email"
    assert world.contents.namespace("default", "unloaded", "push") == "device_id"
    assert world.contents.namespace("other", "r1", "email") is None


@pytest.mark.parametrize(
    ("zone", "clock", "fields", "until"),
    [
        ("Europe/Paris", "2026-03-02T20:59:59", {}, None),
        ("Europe/Paris", "2026-03-02T21:00:00", {}, "2026-03-03T08:00:00"),
        ("Europe/Paris", "2026-03-03T07:59:59", {}, "2026-03-03T08:00:00"),
        ("America/New_York", "2026-03-02T21:00:00", {}, "2026-03-03T08:00:00"),
        ("", "2026-03-02T21:00:00", {}, "2026-03-03T08:00:00"),
        ("Europe/Paris", "2026-03-02T21:00:00", {"class_": "service"}, None),
        ("Europe/Paris", "2026-03-02T21:00:00", {"class_": "transactional"}, None),
        ("Europe/Paris", "2026-03-02T21:00:00", {"channel": "push"}, None),
        ("Europe/Paris", "2026-03-02T21:00:00", {"tenant": "other"}, None),
    ],
)
async def test_quiet_hours_are_the_current_releases_on_the_customers_clock(
    world: World, zone: str, clock: str, fields: dict[str, Any], until: str | None
) -> None:
    here = ZoneInfo(zone or "UTC")
    message = action(**{"class_": "marketing", "zone": zone, **fields})
    expected = None if until is None else Quiet(moment(until, here))
    assert world.contents.quiet(message, moment(clock, here)) == expected


async def test_what_is_to_be_skipped_in_quiet_hours_does_not_wait_for_their_end(world: World) -> None:
    noon = moment("2026-03-02T12:30:00", ZoneInfo("UTC"))
    quiet = world.contents.quiet(action(class_="marketing", channel="push", zone="UTC"), noon)
    assert quiet == Quiet(moment("2026-03-02T13:00:00", ZoneInfo("UTC")), skip=True)


def moment(clock: str, where: ZoneInfo) -> int:
    return round(datetime.fromisoformat(clock).replace(tzinfo=where).timestamp() * 1000)


async def test_a_broken_release_never_replaces_the_one_before(world: World) -> None:
    edition = world.contents.edition
    publish(world.releases, "bad", {"a.yaml": b"content: [\n"})
    assert not await world.contents.take("default", world.releases.current["default"])
    assert world.contents.edition == edition
    assert world.contents.rate_limit("default", "email") == Limit(30, 60_000)
    assert await world.send(release="bad") == Refused(Outcome.FAILED, "release_refused")


def mail_way() -> MailWay:
    smtp = SmtpSender(SmtpServer(host="127.0.0.1", port=9, tls="never"))
    return MailWay(smtp, "Lumo <hello@lumo.example>", {"ag-1": "Ana <ana@lumo.example>"})


@pytest.mark.parametrize(
    ("named", "by_action", "sender"),
    [
        (None, "", "Lumo <hello@lumo.example>"),
        (None, "ag-1", "Ana <ana@lumo.example>"),
        ("ag-1", "", "Ana <ana@lumo.example>"),
        ("Shop <shop@lumo.example>", "ag-1", "Shop <shop@lumo.example>"),
        (None, "unknown-agent", "Lumo <hello@lumo.example>"),
    ],
)
def test_who_writes_is_the_contents_sender_else_the_agent_else_the_house(
    named: str | None, by_action: str, sender: str
) -> None:
    assert mail_way()._mailbox(action(sender=by_action), named) == sender


@pytest.mark.parametrize("changes", [{"address": "no address"}, {"address": "a@b.example\r\nBcc: c@d.example"}])
async def test_an_address_that_is_none_fails_without_a_conversation(changes: dict[str, Any]) -> None:
    message = Message(fields={"subject": "s", "body": "b"}, html=False, language="")
    assert await mail_way().deliver(action(**changes), message, NOW) == Refused(Outcome.FAILED, "bad_address")


async def test_an_empty_body_is_not_sent() -> None:
    message = Message(fields={"subject": "s"}, html=False, language="")
    assert await mail_way().deliver(action(), message, NOW) == Refused(Outcome.FAILED, "empty_body")


def test_a_webhooks_body_says_all_that_a_sender_needs() -> None:
    message = Message(fields={"text": "Hi"}, html=False, language="fr")
    body = msgspec.json.decode(payload(action(channel="sms", address="+33600000001", about=("lumo-1",)), message))
    assert body["type"] == "message.send"
    assert body["timestamp"] == "2026-02-25T06:13:20.000Z"
    assert body["data"] | {"valid_until": ""} == {
        "id": "a" * 32,
        "tenant": "default",
        "channel": "sms",
        "address": "+33600000001",
        "class": "service",
        "content": "em.answer",
        "topic": "",
        "about": ["lumo-1"],
        "language": "fr",
        "message": {"text": "Hi"},
        "thread": "",
        "sender": "",
        "valid_until": "",
    }


async def test_what_everybody_reads_carries_nobodys_token_and_knows_no_quiet_hours(world: World) -> None:
    told = {"channel": "wall", "content": "post.spring", "address": "", "class_": "", "kind": "publish"}
    assert await world.send(**told, values={"text": "Spring"}) == Delivered()
    (message,) = world.wall.messages
    assert message.fields == {
        "text": "Spring https://lumo.example/p/lumo-1", "image": "https://lumo.example/i/lumo.png",
        "hashtags": ["lumo", "air"],
    }  # fmt: skip
    assert world.contents.quiet(action(**told), NOW) is None
    assert msgspec.json.decode(payload(action(**told), message))["type"] == "message.publish"
