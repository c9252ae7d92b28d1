"""`orchestrator deliver` as a real process on a real Kafka, killed where it hurts."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiosmtpd.smtp import SMTP, Envelope, Session

from orchestrator.delivery.channels.signing import read_secret, verify
from orchestrator.delivery.run import APP_ID, RECORDS_PER_TURN
from orchestrator.model.effect import Action, Withdrawal
from orchestrator.model.ids import made_id
from orchestrator.model.partition import partition_of
from orchestrator.stream import topics
from orchestrator.stream.broker import EmbeddedKafka, JarsError, JavaError
from tests.consumer_groups import forget_the_dead

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(180)]

PARTITIONS = 2
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1_772_000_000_000
FOREVER = 4_000_000_000_000
BUNDLE = b"""
bundle: lumo
language: fr
---
channels: default
define:
  email: {sends: push, address: email, sign_links: true}
  sms: {sends: push, address: phone}
  push: {sends: push, address: device_id}
---
identity: default
namespaces: {email: unique, phone: shared, device_id: shared}
---
content: em.answer
class: service
variants:
  email: {subject: "Bonjour {{ name }}", body: "<p>Voir <a href='/p/lumo-1'>Lumo</a></p>"}
  sms: {text: "Bonjour {{ name }}"}
"""


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of this module's own: the topics of delivery have fixed names."""
    broker = EmbeddedKafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield broker.start()
    except (JarsError, JavaError) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    finally:
        broker.stop()


@dataclass
class Sinks:
    """A mail server and a webhook receiver; `on_send` is called when either has taken a message."""

    mails: list[str] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    on_send: Callable[[], None] = lambda: None
    refuse: bool = False
    smtp_port: int = 0
    http_port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse:
            return "451 later"
        mail = message_from_bytes(bytes(envelope.content or b""))
        self.mails.append(str(mail["Message-ID"]).strip("<>").partition("@")[0])
        self.bodies.append(bytes(envelope.content or b""))
        self.on_send()
        return "250 OK"

    async def handle_post(self, request: web.Request) -> web.Response:
        headers, body = request.headers, await request.read()
        sent_at = headers["webhook-timestamp"]
        verify(headers["webhook-id"], sent_at, body, headers["webhook-signature"], [read_secret(SECRET)], int(sent_at))
        self.hooks.append(headers["webhook-id"])
        self.on_send()
        return web.Response(status=204)


@pytest.fixture
async def sinks() -> AsyncIterator[Sinks]:
    sinks = Sinks()
    smtp = await asyncio.get_running_loop().create_server(lambda: SMTP(sinks), "127.0.0.1", 0)
    sinks.smtp_port = smtp.sockets[0].getsockname()[1]
    app = web.Application()
    app.router.add_post("/", sinks.handle_post)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sinks.http_port = runner.addresses[0][1]
    yield sinks
    smtp.close()
    await runner.cleanup()


class Deliverer:
    """The process, started and killed as often as a test wants."""

    def __init__(self, bootstrap: str, sinks: Sinks, folder: Path) -> None:
        self.process: asyncio.subprocess.Process | None = None
        self.log = folder / "deliver.log"
        self.environment = {
            **os.environ,
            "ORCHESTRATOR_DATA_DIR": str(folder),
            "ORCHESTRATOR_KAFKA__BOOTSTRAP": bootstrap,
            "ORCHESTRATOR_KAFKA__PARTITIONS": str(PARTITIONS),
            "ORCHESTRATOR_LINKS__KEY": "ab" * 32,
            "ORCHESTRATOR_DELIVERY__METRICS_PORT": "0",
            "ORCHESTRATOR_DELIVERY__FIRST_RETRY": "0.2",
            "ORCHESTRATOR_DELIVERY__SMTP__PORT": str(sinks.smtp_port),
            "ORCHESTRATOR_DELIVERY__SMTP__TLS": "never",
            "ORCHESTRATOR_DELIVERY__SMTP__SENDER": "Lumo <hello@lumo.example>",
            "ORCHESTRATOR_DELIVERY__WEBHOOKS__SMS__URL": f"http://127.0.0.1:{sinks.http_port}/",
            "ORCHESTRATOR_DELIVERY__WEBHOOKS__SMS__SECRET": SECRET,
            "ORCHESTRATOR_DELIVERY__WEBHOOKS__SMS__ALLOW_HOSTS": '["127.0.0.1"]',
        }

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(str(Path(sys.executable).parent / "orchestrator"), "deliver"),
                *("--site-url", "https://lumo.example"),
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)

    async def ended(self) -> int:
        assert self.process is not None
        return await self.process.wait()


@pytest.fixture
async def deliverer(bootstrap: str, sinks: Sinks, tmp_path: Path) -> AsyncIterator[Deliverer]:
    deliverer = Deliverer(bootstrap, sinks, tmp_path)
    yield deliverer
    if deliverer.process is not None and deliverer.process.returncode is None:
        deliverer.kill()
        await deliverer.ended()


class Stream:
    """What producers write and consumers read."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.events: list[dict[str, Any]] = []

    async def open(self) -> None:
        declared = topics.load_declarations()
        await topics.apply({"bootstrap_servers": self.bootstrap}, declared, PARTITIONS, replication=1)
        self.producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await self.producer.start()
        self.consumer = AIOKafkaConsumer(
            "channel.email", "channel.sms", "channel.push", bootstrap_servers=self.bootstrap, auto_offset_reset="latest"
        )
        await self.consumer.start()
        await self.consumer.seek_to_end()

    async def close(self) -> None:
        await self.consumer.stop()
        await self.producer.stop()

    async def publish(self) -> None:
        put = self.producer.send_and_wait
        await put("bundles", BUNDLE, key=b"hash-1")
        await put(
            "bundles",
            json.dumps({"release": "r1", "files": {"lumo.yaml": "hash-1"}}).encode(),
            key=b"default/release/r1",
        )
        await put("bundles", json.dumps({"release": "r1", "published_at": NOW}).encode(), key=b"default/release")

    async def act(self, *actions: Action | Withdrawal) -> None:
        for each in actions:
            key = each.person.encode()
            await self.producer.send(
                "actions", msgspec.json.encode(each), key=key, partition=partition_of(key, PARTITIONS)
            )
        await self.producer.flush()

    async def outcomes(self) -> dict[str, str]:
        """Action id -> how it ended; an id that ended in two ways fails the test."""
        for records in (await self.consumer.getmany(timeout_ms=50)).values():
            self.events += [json.loads(record.value) for record in records]
        found: dict[str, str] = {}
        for event in self.events:
            assert found.setdefault(event["data"]["message"], event["type"]) == event["type"]
            assert event["id"] == made_id(event["data"]["message"], event["type"])
        return found


@pytest.fixture
async def stream(bootstrap: str) -> AsyncIterator[Stream]:
    stream = Stream(bootstrap)
    await stream.open()
    await stream.publish()
    yield stream
    await stream.close()


def action(number: int, run: str, channel: str = "email", **changes: Any) -> Action:
    fields: dict[str, Any] = {
        "id": made_id(run, channel, number),
        "person": f"p-{number}",
        "tenant": "default",
        "node": f"default/email:c{number}@example.com",
        "channel": channel,
        "address": f"c{number}@example.com" if channel == "email" else f"+336{number:08}",
        "content": "em.answer",
        "release": "r1",
        "class_": "service",
        "values": {"name": f"C{number}"},
        "valid_until": FOREVER,
        "at": NOW,
    }
    return Action(**{**fields, **changes})


Until = Callable[..., Awaitable[Any]]


async def test_killed_between_sending_and_remembering_every_message_arrives_and_copies_are_few(
    stream: Stream, sinks: Sinks, deliverer: Deliverer, eventually_async: Until
) -> None:
    kills, per_channel = 3, 80
    actions = [action(n, "kill", channel) for n in range(per_channel) for channel in ("email", "sms")]
    wanted = {each.id for each in actions}
    await stream.act(*actions)
    for number in range(kills):
        left = [25 + 7 * number]

        def count(left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                deliverer.kill()

        sinks.on_send = count
        await deliverer.start()
        assert await asyncio.wait_for(deliverer.ended(), 60) == -signal.SIGKILL
        await forget_the_dead(stream.bootstrap, APP_ID)
    sinks.on_send = lambda: None
    await deliverer.start()

    async def all_told() -> bool:
        return set(await stream.outcomes()) >= wanted

    await eventually_async(all_told, timeout=60.0)
    assert set((await stream.outcomes()).values()) == {"delivered"}
    mails, hooks = Counter(sinks.mails), Counter(sinks.hooks)
    assert set(mails) | set(hooks) == wanted, "every message arrived"
    extra = sum(mails.values()) - len(mails) + sum(hooks.values()) - len(hooks)
    print(f"{kills} kills: {extra} extra copies")  # noqa: T201
    assert extra <= kills * PARTITIONS * RECORDS_PER_TURN


async def test_records_that_come_again_send_nothing_again_and_withdrawals_hold(
    stream: Stream, sinks: Sinks, deliverer: Deliverer, eventually_async: Until
) -> None:
    await deliverer.start()
    kept, taken_back, late, mute = (action(n, "again") for n in range(4))
    taken_back.channel = "email"
    gone = Withdrawal(taken_back.id, taken_back.person, "default", taken_back.node, "no_consent", NOW)
    late.valid_until = NOW
    mute.channel, mute.address = "push", "d-1"
    await stream.act(gone, kept, taken_back, late, mute, kept, kept)

    async def told() -> dict[str, str] | None:
        found = await stream.outcomes()
        return found if {kept.id, taken_back.id, late.id, mute.id} <= found.keys() else None

    found = await eventually_async(told, timeout=60.0)
    assert found[kept.id] == "delivered"
    assert found[taken_back.id] == "withdrawn"
    assert found[late.id] == "expired"
    assert found[mute.id] == "failed"
    reasons = {event["data"]["message"]: event["data"].get("reason") for event in stream.events}
    assert reasons[mute.id] == "channel_not_configured"
    assert sinks.mails == [kept.id]
    assert b"https://lumo.example/p/lumo-1?token=3Dt1." in sinks.bodies[0].replace(b"=\r\n", b"")
    assert deliverer.process is not None
    deliverer.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(deliverer.ended(), 30) == 0


async def test_a_mail_that_waits_for_its_retry_survives_a_kill_and_nothing_personal_is_logged(
    stream: Stream, sinks: Sinks, deliverer: Deliverer, eventually_async: Until
) -> None:
    sinks.refuse = True
    await deliverer.start()
    waiting = action(1, "retry")
    await stream.act(waiting)
    tried = "smtp_451"
    await eventually_async(lambda: deliverer.log.exists() and sinks.refuse, timeout=5.0)
    consumer = AIOKafkaConsumer(
        "orchestrator-delivery-deliveries-changelog",
        bootstrap_servers=stream.bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    seen: list[bytes] = []

    async def is_pending() -> bool:
        for records in (await consumer.getmany(timeout_ms=50)).values():
            seen.extend(record.value or b"" for record in records if record.key == waiting.id.encode())
        return any(tried.encode() in value for value in seen)

    try:
        await eventually_async(is_pending, timeout=60.0)
    finally:
        await consumer.stop()
    deliverer.kill()
    await deliverer.ended()
    await forget_the_dead(stream.bootstrap, APP_ID)
    sinks.refuse = False
    await deliverer.start()

    async def told() -> bool:
        return (await stream.outcomes()).get(waiting.id) == "delivered"

    await eventually_async(told, timeout=60.0)
    assert sinks.mails == [waiting.id]
    log = deliverer.log.read_text()
    assert "c1@example.com" not in log
    assert "C1" not in log
    assert SECRET not in log
