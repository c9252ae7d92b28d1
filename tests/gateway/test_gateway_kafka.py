"""The gateway as a process, on a real Apache Kafka: what was called accepted is in the topic, whatever happens next."""

import asyncio
import hashlib
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from orchestrator.model.ids import node_key
from orchestrator.model.partition import partition_of
from orchestrator.stream.broker import EmbeddedKafka
from orchestrator.stream.topics import apply, load_declarations

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

KEY = "a-key-for-tests-of-the-gateway"
BUNDLE = b"""
bundle: tiny
---
channels: default
define:
  web: {sends: pull}
  stock: {sends: no}
---
events: all
define:
  page_read: {channel: [web]}
  level_changed: {channel: [stock], for: brand}
---
identity: default
namespaces: {user_id: unique, email: unique, anonymous_id: shared}
normalise: {email: [trim, lower]}
---
content: ct.overview
variants: {web: {title: Overview}}
---
content: ct.detail
variants: {web: {title: Detail}}
---
slot: web.lp.body
candidates:
  - {content: ct.detail, when: 'seen("page_read", "1h")'}
default: ct.overview
"""


@dataclass
class Process:
    """A gateway of its own for one tenant."""

    bootstrap: str
    tenant: str
    handle: asyncio.subprocess.Process
    client: httpx.AsyncClient
    log: Path

    async def send(self, events: Any) -> httpx.Response:
        return await self.client.post("/v1/events", json=events)

    async def send_until_taken(self, events: Any) -> httpx.Response:
        """As a client does: a 503 (a broker under load has not acknowledged in time) is asked again as it says."""
        async with asyncio.timeout(60):
            while (answer := await self.send(events)).status_code == 503:  # noqa: ASYNC110  it says itself when
                await asyncio.sleep(float(answer.headers["retry-after"]))
        return answer

    async def stop(self, number: signal.Signals) -> int:
        if self.handle.returncode is None:
            self.handle.send_signal(number)
        return await asyncio.wait_for(self.handle.wait(), 30)


def event(number: int) -> dict[str, Any]:
    data = {"email": f" Amy{number % 7}@Example.com", "page": "/lp/lumo-1", "seconds": number}
    return {"id": f"e-{number}", "source": "test", "type": "page_read", "channel": "web", "data": data}


async def publish(bootstrap: str, tenant: str) -> None:
    content, release = hashlib.sha256(BUNDLE).hexdigest(), "r1"
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for key, value in (
            (content, BUNDLE),
            (f"{tenant}/release/{release}", msgspec.json.encode({"release": release, "files": {"all.yaml": content}})),
            (f"{tenant}/release", msgspec.json.encode({"release": release, "published_at": 0})),
        ):
            await producer.send_and_wait("bundles", value, key.encode())


async def written(bootstrap: str, tenant: str) -> list[tuple[int, bytes, dict[str, Any]]]:
    """All events of a tenant on channel.web: partition, key, value."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with consumer:
        partitions = [TopicPartition("channel.web", number) for number in range(8)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        found = []
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [(one.partition, one.key, msgspec.json.decode(one.value)) for one in records]
    return [one for one in found if one[2]["tenant"] == tenant]


async def start_gateway(bootstrap: str, tenant: str, folder: Path, **more: str) -> Process:
    environment = {
        **os.environ,
        "ORCHESTRATOR_GATEWAY__KEYS__TEST__KEY": KEY,
        "ORCHESTRATOR_GATEWAY__KEYS__TEST__TENANT": tenant,
        **more,
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "gateway.log"
    handle = await asyncio.create_subprocess_exec(
        *(Path(sys.executable).with_name("orchestrator"), "gateway", "--port", str(port), "--bootstrap", bootstrap),
        env=environment,
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=log.open("wb"),
    )
    client = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {KEY}"}, timeout=30
    )
    return Process(bootstrap, tenant, handle, client, log)


async def ready(process: Process) -> bool:
    assert process.handle.returncode is None, process.log.read_text()
    try:
        return (await process.client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
async def process(
    kafka: EmbeddedKafka, unique: Callable[[str], str], tmp_path: Path, eventually_async: Any
) -> AsyncIterator[Process]:
    tenant = unique("tenant")
    await apply({"bootstrap_servers": kafka.bootstrap}, load_declarations(), 8)
    await publish(kafka.bootstrap, tenant)
    one = await start_gateway(kafka.bootstrap, tenant, tmp_path)
    await eventually_async(lambda: ready(one), timeout=30)
    yield one
    await one.stop(signal.SIGKILL)
    await one.client.aclose()


async def test_what_was_accepted_is_in_the_topic_although_the_process_is_killed_at_once(process: Process) -> None:
    response = await process.send([event(number) for number in range(75)])
    await process.stop(signal.SIGKILL)
    assert response.json()["accepted"] == 75
    records = await written(process.bootstrap, process.tenant)
    assert sorted(value["id"] for *_, value in records) == sorted(f"e-{number}" for number in range(75))
    for partition, key, value in records:
        assert key == node_key(process.tenant, f"email:{value['data']['email'].strip().lower()}")
        assert partition == partition_of(key, 8), "not where Java's producer would have put it"


async def test_sigterm_finishes_what_is_under_way_and_nothing_accepted_is_lost(process: Process) -> None:
    async def post(number: int) -> str | None:
        try:
            return f"e-{number}" if (await process.send(event(number))).status_code == 202 else None
        except httpx.TransportError:
            return None  # the door was closed already: not accepted

    first = await post(0)
    posts = [asyncio.create_task(post(number)) for number in range(1, 100)]
    await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
    assert await process.stop(signal.SIGTERM) == 0
    accepted = {first, *(await asyncio.gather(*posts))} - {None}
    assert len(accepted) > 1
    assert accepted <= {value["id"] for *_, value in await written(process.bootstrap, process.tenant)}


async def test_a_new_owner_is_asked_as_soon_as_it_announces_itself(process: Process) -> None:
    """The gateway follows the topic `workers`; a worker that is a plain socket here sees the question arrive."""
    asked = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.findall(rb"(?i)content-length: (\d+)", head)[0])
        await reader.readexactly(length)  # a socket that is closed with something unread takes its answer back
        asked.set()
        body = b'{"version":1,"person":"p","answers":{"web.lp.body":{"content":"ct"}}}'
        answer = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(answer.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    partition = partition_of(node_key(process.tenant, "email:amy@example.com"), 8)
    question = {"identifier": "email:amy@example.com", "channel": "web", "slots": ["web.lp.body"], "deadline_ms": 9000}
    async with AIOKafkaProducer(bootstrap_servers=process.bootstrap, acks="all") as producer:
        asking = asyncio.create_task(process.client.post("/v1/decide", json=question))
        value = msgspec.json.encode({"worker": "w", "address": f"127.0.0.1:{port}", "number": time.time_ns()})
        await producer.send_and_wait("workers", value, str(partition).encode())
    response = await asking
    if not asked.is_set():  # under load the announcement may come after the deadline, which is at most 10 s
        response = await process.client.post("/v1/decide", json=question)
    assert response.status_code == 200, response.text
    server.close()
    assert asked.is_set(), (response.text, process.log.read_text())
    assert response.json()["answers"] == {"web.lp.body": {"content": "ct"}}


async def test_nothing_of_a_customer_is_in_logs_or_metrics(process: Process) -> None:
    canary = "canary.amy@example.com"
    good, bad = event(1), {**event(2), "id": f"{canary}\n", "type": canary + "!", "channel": canary}
    good["data"] |= {"email": canary, "token": canary, canary: {canary: 1}}
    answers = [
        await process.send_until_taken(good),
        await process.send([good, {**bad, canary: canary}]),
        await process.client.get(f"/v1/customers/email:{canary}/context", params={"deadline_ms": 10, canary: canary}),
        await process.client.get(f"/v1/{canary}", headers={"x-request-id": canary}),
        await process.client.post(
            "/v1/decide", json={"identifier": f"email:{canary}", "channel": "web", "slots": [canary], "deadline_ms": 10}
        ),
    ]
    metrics = (await process.client.get("/metrics")).text
    await process.stop(signal.SIGTERM)
    assert [answer.status_code for answer in answers] == [202, 422, 503, 404, 200]
    assert 'orchestrator_gateway_events_total{channel="web",type="page_read"} 1.0' in metrics
    assert 'orchestrator_gateway_tokens_total{outcome="invalid"} 1.0' in metrics
    for text in (metrics, process.log.read_text(), *(answer.text for answer in answers[:4])):
        assert canary not in text
    assert process.log.read_text(), "there is a log to look into"


async def test_while_the_broker_is_down_nothing_is_accepted_and_afterwards_it_goes_on(
    kafka: EmbeddedKafka, tmp_path: Path, unique: Callable[[str], str], eventually_async: Any
) -> None:
    tenant = unique("tenant")
    broker = EmbeddedKafka(tmp_path / "broker")
    broker.start()
    await apply({"bootstrap_servers": broker.bootstrap}, load_declarations(), 8)
    await publish(broker.bootstrap, tenant)
    process = await start_gateway(broker.bootstrap, tenant, tmp_path)
    try:
        await eventually_async(lambda: ready(process), timeout=30)
        assert (await process.send(event(1))).status_code == 202
        broker.kill()
        refused = await process.send(event(2))
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        await broker.start_async()

        async def accepted() -> bool:
            return (await process.send([event(2), event(3)])).status_code == 202

        await eventually_async(accepted, timeout=60)
        ids = [value["id"] for *_, value in await written(broker.bootstrap, tenant)]
        assert {"e-1", "e-2", "e-3"} == set(ids)
    finally:
        await process.stop(signal.SIGKILL)
        await process.client.aclose()
        broker.stop()


@pytest.mark.e2e
async def test_a_request_sees_its_own_event_and_a_visitor_is_found_again_where_they_live(
    kafka: EmbeddedKafka, tmp_path: Path, eventually_async: Any
) -> None:
    """Gateway and worker as processes: decide with an event, then the same customer under either name."""
    broker = EmbeddedKafka(tmp_path / "broker")
    broker.start()
    await apply({"bootstrap_servers": broker.bootstrap}, load_declarations(), 8)
    await publish(broker.bootstrap, "default")
    process = await start_gateway(broker.bootstrap, "default", tmp_path)
    worker = await asyncio.create_subprocess_exec(
        *(Path(sys.executable).with_name("orchestrator"), "worker", "--port", "0", "--metrics-port", "0"),
        *("--bootstrap", broker.bootstrap),
        env={**os.environ, "ORCHESTRATOR_DATA_DIR": str(tmp_path / "data")},
        cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=(tmp_path / "worker.log").open("wb"),
    )

    async def decide(**question: Any) -> dict[str, Any]:
        body = {"channel": "web", "slots": ["web.lp.body"], "deadline_ms": 5000, **question}
        answer: dict[str, Any] = (await process.client.post("/v1/decide", json=body)).json()
        return answer

    async def answered() -> bool:
        return (await decide(identifier="anonymous_id:nobody"))["version"] is not None

    async def person(identifier: str) -> str | None:
        found = await process.client.get(f"/v1/customers/{identifier}/context", params={"deadline_ms": 5000})
        return found.json()["person"] if found.status_code == 200 else None

    try:
        await eventually_async(lambda: ready(process), timeout=60)
        await eventually_async(answered, timeout=60)
        stranger = await decide(identifier="anonymous_id:a1")
        assert (stranger["person"], stranger["answers"]["web.lp.body"]["content"]) == (None, "ct.overview")
        for number in range(20):
            seen = event(number) | {"data": {"anonymous_id": f"a{number}", "page": "/", "seconds": 1}}
            answer = await decide(event=seen)
            assert answer["event"]["accepted"]
            assert answer["answers"]["web.lp.body"]["content"] == "ct.detail", "the request did not see its own event"
        visitor = await person("anonymous_id:a1")
        assert visitor is not None
        known = event(100) | {"data": {"anonymous_id": "a1", "email": "amy@example.com", "page": "/", "seconds": 1}}
        assert (await process.send(known)).status_code == 202
        await eventually_async(lambda: _same(person, "anonymous_id:a1", "email:Amy%40example.com"), timeout=20)
        assert await person("anonymous_id:nobody") is None
    finally:
        worker.terminate()
        await process.stop(signal.SIGTERM)
        await process.client.aclose()
        await asyncio.wait_for(worker.wait(), 60)
        broker.stop()


async def _same(person: Callable[[str], Any], one: str, other: str) -> bool:
    """Whether both names lead to one and the same known customer."""
    found = await person(one)
    return found is not None and found == await person(other)
