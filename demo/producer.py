"""Producers of events, as a company has them: some write to Kafka themselves, some post to the gateway."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiokafka import AIOKafkaProducer

STRENGTH: Final = ("user_id", "card_id", "email", "phone", "device_id", "anonymous_id", "order", "thread")
"""Namespaces as the bundle's `identity` orders them, then its references: the key is the node of the first of them."""

COME_AGAIN: Final = (429, 503)
INSIST_FOR: Final = 60.0


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
            RefusedError: it was not accepted.
        """
        await post(self.http, "/v1/events", event)


class RefusedError(Exception):
    """The gateway refused a request, or did not answer for long. The text says what it answered."""


async def post(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post to the gateway until it has answered for good; gives the answer.

    Whoever is not sure whether an event arrived sends it again under the same id: it counts once.

    Raises:
        RefusedError: it was refused, or has not been answered within `INSIST_FOR` seconds.
    """
    until = time.monotonic() + INSIST_FOR
    while True:
        try:
            answer = await http.post(path, json=body)
        except httpx.TransportError as error:
            said, wait = type(error).__name__, 1.0
        else:
            if answer.is_success:
                found: dict[str, Any] = answer.json()
                return found
            said, wait = f"{answer.status_code}: {answer.text}", float(answer.headers.get("retry-after", 1))
            if answer.status_code not in COME_AGAIN:
                raise RefusedError(f"POST {path} was answered with {said}")
        if time.monotonic() > until:
            raise RefusedError(f"POST {path} was not taken within {INSIST_FOR:.0f} s, and last: {said}")
        await asyncio.sleep(wait)


def record_key(data: dict[str, Any]) -> str:
    """The node of the strongest identifier in `data`; empty for what concerns no single customer."""
    return next((f"default/{name}:{data[name]}" for name in STRENGTH if name in data), "")
