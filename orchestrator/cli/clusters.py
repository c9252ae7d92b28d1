"""What commands need of a cluster: a way in, and the declared topics, there as declared."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from orchestrator.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orchestrator.cli.settings import KafkaSettings, Settings
    from orchestrator.stream.topics import TopicDeclaration


def declared_topics(settings: Settings) -> tuple[TopicDeclaration, ...]:
    """The topic files.

    Raises:
        UserError: one has faults.
    """
    from orchestrator.stream.topics import DeclarationError, load_declarations  # noqa: PLC0415

    try:
        return load_declarations(settings.topics_dir)
    except DeclarationError as error:
        raise UserError(str(error)) from error


@contextlib.contextmanager
def reaching(kafka: KafkaSettings) -> Iterator[None]:
    """Around calls to the cluster, outside any event loop: what Kafka's clients raise becomes one line.

    Where no client could start, the cluster is tried once more to learn why: a wrong password, a certificate that is
    not trusted, a listener of another protocol, or nobody there.

    Raises:
        UserError: the cluster cannot be reached, or refuses; it says what to do.
    """
    from aiokafka.errors import KafkaConnectionError, KafkaError  # noqa: PLC0415

    from orchestrator.stream.connection import why_refused  # noqa: PLC0415
    from orchestrator.stream.topics import TopicsError  # noqa: PLC0415

    clients = logging.getLogger("aiokafka")
    level = clients.level
    clients.setLevel(logging.CRITICAL)  # what they would log is in the error below
    try:
        yield
    except TopicsError as error:
        raise UserError(str(error)) from error
    except (KafkaConnectionError, ConnectionError, TimeoutError) as error:
        reason = asyncio.run(why_refused(kafka.connection()))
        raise UserError(f"cannot use Kafka: {reason or f'{kafka.bootstrap} does not answer in time'}") from error
    except KafkaError as error:
        raise UserError(f"Kafka at {kafka.bootstrap} refused: {_refusal(error, kafka)}") from error
    finally:
        clients.setLevel(level)


def read_topic(
    settings: Settings, topic: str, take: Callable[[Sequence[tuple[bytes, bytes | None]]], None], what: str
) -> None:
    """Read a compacted topic as it is now, with a bar that says so.

    Args:
        settings: where the cluster is.
        topic: its name.
        take: given records as (key, value), None for a deletion; oldest first within a partition.
        what: is being done, for the bar.

    Raises:
        UserError: the cluster or the topic cannot be read.
    """
    from orchestrator.cli.progress import Progress  # noqa: PLC0415 - --help does without
    from orchestrator.stream.lane_settings import LaneError  # noqa: PLC0415
    from orchestrator.stream.whole_topic import read_whole  # noqa: PLC0415

    connection = settings.kafka.connection()
    try:
        with reaching(settings.kafka), Progress(what, None) as progress:
            asyncio.run(read_whole(topic, take, connection, progress))
    except LaneError as error:
        raise UserError(str(error)) from error


def read_customers(settings: Settings, take: Callable[[bytes, bytes | None], None]) -> None:
    """Read every record of the customers' changelog, with a bar that says so.

    Args:
        settings: where the cluster is.
        take: given key and value, None for a deletion; of a partition the oldest first.

    Raises:
        UserError: the cluster cannot be read, or holds something that only a newer version can.
    """
    from orchestrator.model.codec import UnknownVersionError  # noqa: PLC0415 - --help does without
    from orchestrator.stream.worker import CHANGELOG  # noqa: PLC0415

    def take_all(rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, value in rows:
            take(key, value)

    try:
        read_topic(settings, CHANGELOG, take_all, "Reading customers")
    except UnknownVersionError as error:
        raise UserError(f"{CHANGELOG}: {error}") from error


def _refusal(error: Exception, kafka: KafkaSettings) -> str:
    if "Authorization" in type(error).__name__:
        who = f"user {kafka.username!r}" if kafka.username else "this client"
        return (
            f"{who} lacks a right ({type(error).__name__}: {error}); which it needs stands in the guide for operators"
        )
    missing = "; is a topic missing? `orchestrator topics check` says" if _of_a_topic(error) else ""
    return f"{type(error).__name__}: {error}{missing}"


def _of_a_topic(error: Exception) -> bool:
    return type(error).__name__ in {"UnknownTopicOrPartitionError", "KafkaTimeoutError"}


def check_topics(settings: Settings, declared: Sequence[TopicDeclaration]) -> None:
    """Create what is missing where that is wished for, and refuse to start on topics that are not as declared.

    Raises:
        UserError: the cluster cannot be used, or a topic is not as declared.
    """
    from orchestrator.stream import topics  # noqa: PLC0415
    from orchestrator.telemetry import emit, events  # noqa: PLC0415

    kafka = settings.kafka
    connection = kafka.connection()
    with reaching(kafka):
        if kafka.create_topics:
            apply = topics.apply(connection, declared, kafka.partitions, replication=kafka.replication)
            if created := asyncio.run(apply):
                emit(events.TopicsCreated(len(created)))
        faults = asyncio.run(topics.check(connection, declared, kafka.partitions))
    if faults:
        raise UserError("\n".join(str(fault) for fault in faults))
