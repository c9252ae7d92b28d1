"""Bundles are read from the beginning before anything is delivered, and then as they come."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from orchestrator.delivery.following import followed
from orchestrator.stream.broker import EmbeddedKafka

pytestmark = pytest.mark.kafka


async def made(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"cleanup.policy": "compact"})])
    await admin.close()


async def test_what_is_there_comes_first_and_what_comes_later_is_taken_too(
    kafka: EmbeddedKafka, unique: Callable[[str], str], eventually_async: Callable[..., Any]
) -> None:
    topic, taken = unique("bundles"), list[tuple[bytes, bytes | None]]()
    await made(kafka.bootstrap, topic)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    for number in range(50):
        await producer.send(topic, b"%d" % number, key=b"k%d" % number)
    await producer.flush()

    async def take(key: bytes, value: bytes | None) -> None:
        taken.append((key, value))

    failures: list[BaseException] = []
    async with followed({"bootstrap_servers": kafka.bootstrap}, take, failures.append, topic):
        assert taken == [(b"k%d" % number, b"%d" % number) for number in range(50)]
        await producer.send_and_wait(topic, None, key=b"k1")
        await eventually_async(lambda: taken[-1] == (b"k1", None))
    await producer.stop()
    assert failures == []


async def test_an_empty_topic_holds_nobody_up(kafka: EmbeddedKafka, unique: Callable[[str], str]) -> None:
    topic = unique("bundles")
    await made(kafka.bootstrap, topic)

    async def take(key: bytes, value: bytes | None) -> None:
        pytest.fail("there is nothing to take")

    failures: list[BaseException] = []
    async with asyncio.timeout(20), followed({"bootstrap_servers": kafka.bootstrap}, take, failures.append, topic):
        pass
    assert failures == []


async def test_a_record_that_cannot_be_taken_ends_the_following_and_says_so(
    kafka: EmbeddedKafka, unique: Callable[[str], str], eventually_async: Callable[..., Any]
) -> None:
    topic = unique("bundles")
    await made(kafka.bootstrap, topic)
    failures: list[BaseException] = []

    async def take(key: bytes, value: bytes | None) -> None:
        raise ValueError("no release")

    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    async with followed({"bootstrap_servers": kafka.bootstrap}, take, failures.append, topic):
        await producer.send_and_wait(topic, b"{", key=b"default/release")
        await eventually_async(lambda: failures)
    await producer.stop()
    assert isinstance(failures[0], ValueError)
