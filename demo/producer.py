"""Producers of events, as a company has them: some write to Kafka themselves, some post to the gateway."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from aiokafka import AIOKafkaProducer

STRENGTH: Final = ("user_id", "card_id", "email", "phone", "device_id", "anonymous_id", "order", "thread")
"""Namespaces as the bundle's `identity` orders them, then its references: the key is the node of the first of them."""


@dataclass(frozen=True)
class Happening:
    """Something that happened on a channel, before it is an event of its own.

    Attributes:
        channel: where.
        type: what, as the topic declares it.
        data: its properties, identifiers among them.
        source: the system that tells of it.
    """

    channel: str
    type: str
    data: dict[str, Any]
    source: str


@dataclass
class Producer:
    """Writes events, each with an id of its own, and waits until they are acknowledged.

    Attributes:
        kafka: a started producer; its partitioner is the Java client's.
        http: a client of the gateway.
    """

    kafka: AIOKafkaProducer
    http: httpx.AsyncClient
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def event(self, happening: Happening) -> dict[str, Any]:
        """The event as it goes over the wire, happening now."""
        return {
            "specversion": "1.0",
            "id": f"demo-{next(self._numbers)}",
            "source": happening.source,
            "type": happening.type,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "channel": happening.channel,
            "data": happening.data,
        }

    async def to_kafka(self, event: dict[str, Any]) -> str:
        """Write an event to its channel's topic; gives the record key that it used."""
        key = record_key(event["data"])
        value = json.dumps(event).encode()
        await self.kafka.send_and_wait(f"channel.{event['channel']}", value, key=key.encode() if key else None)
        return key

    async def over_http(self, event: dict[str, Any]) -> None:
        """Post an event to the gateway.

        Raises:
            httpx.HTTPStatusError: it was not accepted.
        """
        answer = await self.http.post("/v1/events", json=event)
        answer.raise_for_status()


def record_key(data: dict[str, Any]) -> str:
    """The node of the strongest identifier in `data`; empty for what concerns no single customer."""
    return next((f"default/{name}:{data[name]}" for name in STRENGTH if name in data), "")
