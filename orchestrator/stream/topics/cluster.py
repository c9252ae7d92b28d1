"""Holds what is declared against what a Kafka cluster has, and creates what is missing."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from orchestrator.stream.topics.declaration import TopicDeclaration

_ALREADY_EXISTS: Final = 36
_NOT_AUTHORIZED: Final = 29
_HIDDEN: Final = "may not be looked at by this user: grant it DESCRIBE and DESCRIBE_CONFIGS on the topic"
_VISIBLE_WITHIN: Final = 30.0
_CHECKED: Final = ("cleanup.policy", "message.timestamp.type", "max.message.bytes")


@dataclass(frozen=True, slots=True)
class TopicFault:
    """What is wrong with one topic of the cluster, and what to do about it."""

    topic: str
    message: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.message}"


class TopicsError(Exception):
    """Topics of the cluster that are not as declared; one line per topic."""

    def __init__(self, faults: Iterable[TopicFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class _Found:
    partitions: int
    settings: Mapping[str, str]


async def check(
    connection: Mapping[str, Any], declarations: Sequence[TopicDeclaration], inputs: int
) -> tuple[TopicFault, ...]:
    """The topics that are missing or not as declared, one fault each; none if all is well.

    Args:
        connection: how to reach the cluster, as aiokafka's clients take it: `bootstrap_servers` and security.
        declarations: what there should be.
        inputs: partitions of an input topic.

    Raises:
        aiokafka.errors.KafkaError: the cluster cannot be reached, or refuses to be described.
    """
    async with _admin(connection) as admin:
        found, hidden = await _describe(admin, [each.topic for each in declarations])
    faults = (
        TopicFault(each.topic, _HIDDEN) if each.topic in hidden else _compare(each, found.get(each.topic), inputs)
        for each in declarations
    )
    return tuple(fault for fault in faults if fault is not None)


async def apply(
    connection: Mapping[str, Any], declarations: Sequence[TopicDeclaration], inputs: int, *, replication: int = 1
) -> tuple[str, ...]:
    """Creates the topics that are missing, and returns their names once the cluster knows them. Changes no topic.

    Args:
        connection: how to reach the cluster, as for `check`.
        declarations: what there should be.
        inputs: partitions of an input topic.
        replication: copies of each partition of a new topic.

    Raises:
        TopicsError: the cluster refuses to create some.
        aiokafka.errors.KafkaError: the cluster cannot be reached.
        TimeoutError: created topics did not appear.
    """
    async with _admin(connection) as admin:
        there = set(await admin.list_topics())
        missing = [each for each in declarations if each.topic not in there]
        if not missing:
            return ()
        new = [NewTopic(d.topic, d.partition_count(inputs), replication, topic_configs=d.settings()) for d in missing]
        answer = (await admin.create_topics(new)).to_object()
        refused = [
            TopicFault(each["topic"], _refusal(each))
            for each in answer["topic_errors"]
            if each["error_code"] not in {0, _ALREADY_EXISTS}  # another process may have been quicker
        ]
        if refused:
            raise TopicsError(refused)
        names = tuple(each.topic for each in missing)
        await asyncio.wait_for(_until_known(admin, names), _VISIBLE_WITHIN)
        return names


@contextlib.asynccontextmanager
async def _admin(connection: Mapping[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**connection)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def _describe(admin: AIOKafkaAdminClient, names: Sequence[str]) -> tuple[dict[str, _Found], set[str]]:
    """Topics as they are, and those that may not be looked at."""
    described = await admin.describe_topics(list(names))
    hidden = {topic["topic"] for topic in described if topic["error_code"] == _NOT_AUTHORIZED}
    there = {topic["topic"]: topic for topic in described if not topic["error_code"]}
    if not there:
        return {}, hidden
    settings: dict[str, dict[str, str]] = {}
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
    for answer in await admin.describe_configs(wanted):
        for code, _message, _kind, name, entries in answer.resources:
            settings[name] = {entry[0]: entry[1] for entry in entries}
            if code == _NOT_AUTHORIZED:
                hidden.add(name)
    return {name: _Found(len(topic["partitions"]), settings.get(name, {})) for name, topic in there.items()}, hidden


async def _until_known(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    while True:
        topics = await admin.describe_topics(list(names))
        ready = [
            topic
            for topic in topics
            if not topic["error_code"] and all(not each["error_code"] for each in topic["partitions"])
        ]
        if len(ready) == len(names):
            return
        await asyncio.sleep(0.05)


def _compare(declared: TopicDeclaration, found: _Found | None, inputs: int) -> TopicFault | None:
    if found is None:
        return TopicFault(declared.topic, "is not there; create it with: orchestrator topics apply")
    parts = [] if found.partitions == (wanted := declared.partition_count(inputs)) else [_other_count(found, wanted)]
    declared_settings = declared.settings()
    wrong = {name: declared_settings[name] for name in _CHECKED if not _fits(name, found.settings, declared_settings)}
    if wrong:
        is_now = ", ".join(f"{name} is {found.settings.get(name)}, not {value}" for name, value in wrong.items())
        change = ",".join(f"{name}={value}" for name, value in wrong.items())
        parts.append(f"{is_now}: change it with kafka-configs --alter --topic {declared.topic} --add-config {change}")
    return TopicFault(declared.topic, "; ".join(parts)) if parts else None


def _fits(name: str, found: Mapping[str, str], declared: Mapping[str, str]) -> bool:
    if name == "max.message.bytes":
        return int(found.get(name) or 0) >= int(declared[name])
    return found.get(name) == declared[name]


def _other_count(found: _Found, wanted: int) -> str:
    return (
        f"has {found.partitions} partitions, not {wanted}: keys would move if that were changed, so declare "
        f"{found.partitions} (input topics: the setting kafka.partitions), or start with new topics"
    )


def _refusal(error: Mapping[str, Any]) -> str:
    kind = for_code(error["error_code"])
    return f"the cluster does not create it ({kind.__name__}): {error.get('error_message') or kind.description}"
