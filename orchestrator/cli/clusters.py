"""What commands need of a cluster: the declared topics, there as declared."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from orchestrator.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.cli.settings import Settings
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


def check_topics(settings: Settings, declared: Sequence[TopicDeclaration]) -> None:
    """Create what is missing where that is wished for, and refuse to start on topics that are not as declared.

    Raises:
        UserError: the cluster cannot be used, or a topic is not as declared.
    """
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from orchestrator.stream import topics  # noqa: PLC0415

    kafka = settings.kafka
    connection = kafka.connection()
    try:
        if kafka.create_topics:
            asyncio.run(topics.apply(connection, declared, kafka.partitions, replication=kafka.replication))
        faults = asyncio.run(topics.check(connection, declared, kafka.partitions))
    except (KafkaError, topics.TopicsError) as error:
        raise UserError(
            f"cannot use Kafka at {kafka.bootstrap} ({type(error).__name__}): start one with `orchestrator kafka`, "
            "or name one with --bootstrap"
        ) from error
    if faults:
        raise UserError("\n".join(str(fault) for fault in faults))
