"""Declared topics on a real Apache Kafka: created as declared, and told apart from what is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import MessageSizeTooLargeError

from orchestrator.stream.topics import TopicDeclaration, TopicsError, apply, check, load_declarations
from orchestrator.stream.topics.files import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.stream.broker import EmbeddedKafka

pytestmark = pytest.mark.kafka


@pytest.fixture
def connection(kafka: EmbeddedKafka) -> dict[str, Any]:
    return {"bootstrap_servers": kafka.bootstrap}


@pytest.fixture
def topic(unique: Callable[[str], str]) -> TopicDeclaration:
    values = {"topic": unique("kept"), "key": "k", "partitions": 3, "cleanup": "compact", "description": "d"}
    return TopicDeclaration.model_validate(values)


async def create(connection: dict[str, Any], topic: str, partitions: int, **settings: str) -> None:
    admin = AIOKafkaAdminClient(**connection)
    await admin.start()
    named = {name.replace("_", "."): value for name, value in settings.items()}
    await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=named)])
    async with asyncio.timeout(20):
        while any(each["error_code"] for each in await admin.describe_topics([topic])):  # noqa: ASYNC110  # the broker tells nobody
            await asyncio.sleep(0.02)
    await admin.close()


async def test_all_that_ships_can_be_created_and_is_then_as_declared(
    connection: dict[str, Any], unique: Callable[[str], str]
) -> None:
    declared = [each.model_copy(update={"topic": unique(each.topic)}) for each in load_declarations(PACKAGED)]
    created = await apply(connection, declared, 2)
    assert set(created) == {each.topic for each in declared}
    assert await check(connection, declared, 2) == ()
    assert await apply(connection, declared, 2) == ()


async def test_a_missing_topic_says_how_to_create_it(connection: dict[str, Any], topic: TopicDeclaration) -> None:
    (fault,) = await check(connection, [topic], 8)
    assert str(fault) == f"{topic.topic}: is not there; create it with: orchestrator topics apply"


async def test_each_wrong_topic_has_one_fault_that_says_all_and_what_to_do(
    connection: dict[str, Any], topic: TopicDeclaration
) -> None:
    await create(connection, topic.topic, 4, cleanup_policy="delete", max_message_bytes="1000")
    (fault,) = await check(connection, [topic], 8)
    assert fault.topic == topic.topic
    assert "has 4 partitions, not 3: keys would move" in fault.message
    assert "cleanup.policy is delete, not compact, max.message.bytes is 1000, not 2097152" in fault.message
    assert f"--topic {topic.topic} --add-config cleanup.policy=compact,max.message.bytes=2097152" in fault.message


async def test_the_producers_clock_on_an_input_topic_is_a_fault(
    connection: dict[str, Any], unique: Callable[[str], str]
) -> None:
    name = f"{unique('in')}"
    values = {"topic": name, "key": "k", "partitions": 1, "cleanup": "delete", "retention": "7d", "description": "d"}
    declared = TopicDeclaration.model_validate({**values, "record_time": "broker"})
    await create(connection, name, 1, max_message_bytes="4000000")
    (fault,) = await check(connection, [declared], 8)
    assert fault.message.startswith("message.timestamp.type is CreateTime, not LogAppendTime: change it with")


async def test_a_record_of_two_megabytes_fits_and_a_larger_one_does_not(
    connection: dict[str, Any], topic: TopicDeclaration
) -> None:
    await apply(connection, [topic], 8)
    async with AIOKafkaProducer(**connection, max_request_size=4_000_000) as producer:
        await producer.send_and_wait(topic.topic, b"x" * (2 * 1024 * 1024 - 1000), key=b"k")
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(topic.topic, b"x" * (2 * 1024 * 1024 + 1000), key=b"k")


async def test_what_the_cluster_refuses_is_told_by_topic_with_its_reason(
    connection: dict[str, Any], topic: TopicDeclaration
) -> None:
    with pytest.raises(TopicsError, match=f"{topic.topic}: the cluster does not create it .InvalidReplicationFactor"):
        await apply(connection, [topic], 8, replication=3)


async def test_two_processes_may_create_the_same_topics_at_once(
    connection: dict[str, Any], topic: TopicDeclaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = AIOKafkaAdminClient.list_topics

    async def just_before_the_other_created_it(admin: AIOKafkaAdminClient) -> list[str]:
        names: list[str] = await listed(admin)
        await create(connection, topic.topic, 3, cleanup_policy="compact", max_message_bytes="2097152")
        return names

    monkeypatch.setattr(AIOKafkaAdminClient, "list_topics", just_before_the_other_created_it)
    assert await apply(connection, [topic], 8) == (topic.topic,)
    assert await check(connection, [topic], 8) == ()
