"""Writing events to Kafka: done when the broker has acknowledged, and not before."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalStateError, KafkaError

from orchestrator.gateway.events import Ready
from orchestrator.gateway.refusals import Unavailable
from orchestrator.gateway.silence import PATIENCE, Silence
from orchestrator.model.partition import partition_of

RETRY_AFTER: Final = 2.0
_RENEW_EVERY: Final = 1.0


class EventLog(Protocol):
    """Where events are written."""

    @property
    def ready(self) -> bool:
        """Whether a write has a chance."""
        ...

    async def append(self, events: Sequence[Ready], seconds: float) -> None:
        """Write events, in their order; return when every one of them is acknowledged by all in-sync replicas.

        Args:
            events: what to write.
            seconds: how long the acknowledgements may take.

        Raises:
            Unavailable: not all were acknowledged in time. Some may have been written, some may still be;
                whoever writes them again writes them under the same ids, so no harm is done.
        """
        ...


class KafkaEventLog:
    """An `EventLog` on one idempotent producer, which is replaced when it has broken down for good.

    A producer breaks down for good when it has lost count of its sequence numbers (a batch was given up while
    a partition had no leader). What was in its hands has then been answered with 503. While Kafka acknowledges
    nothing, writes are refused at once.
    """

    def __init__(
        self, make_producer: Callable[[], AIOKafkaProducer], on_renewal: Callable[[], None], silence: Silence
    ) -> None:
        self._make_producer = make_producer
        self._on_renewal = on_renewal
        self._silence = silence
        self._producer: AIOKafkaProducer | None = None
        self._renewal: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        return self._producer is not None

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaError: no broker answers.
        """
        producer = self._make_producer()
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self, seconds: float) -> None:
        """Wait for what is in hand, for at most `seconds`, and disconnect; where Kafka is silent, for one second."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer, min(seconds, PATIENCE) if self._silence.lasts else seconds)

    async def append(self, events: Sequence[Ready], seconds: float) -> None:
        producer = self._producer
        if producer is None:
            raise Unavailable("the broker cannot be reached", retry_after=RETRY_AFTER)
        if not self._silence.admits():
            raise Unavailable("the broker acknowledges nothing at the moment", retry_after=RETRY_AFTER)
        try:
            with self._silence.writing():
                async with asyncio.timeout(seconds):
                    await _send_all(producer, events)
        except TimeoutError:
            raise Unavailable(f"the broker did not acknowledge within {seconds:g} s", retry_after=RETRY_AFTER) from None
        except (KafkaError, IllegalStateError) as error:
            self._judge(producer, error)
            raise Unavailable("the broker did not acknowledge", retry_after=RETRY_AFTER) from error

    def _judge(self, producer: AIOKafkaProducer, error: Exception) -> None:
        """Replace the producer if this error is the kind that every later write would meet too."""
        lasting = isinstance(error, IllegalStateError) or not getattr(error, "retriable", False)
        if lasting and producer is self._producer:
            self._producer = None
            self._renewal = asyncio.create_task(self._renew(producer))

    async def _renew(self, broken: AIOKafkaProducer) -> None:
        self._on_renewal()
        await _stop(broken, _RENEW_EVERY)
        while self._producer is None:
            try:
                await self.start()
            except KafkaError:
                await asyncio.sleep(_RENEW_EVERY)


def kafka_producer(connection: Mapping[str, Any]) -> AIOKafkaProducer:
    """A producer for events: all replicas acknowledge, retries make no duplicates, partitions as Java's client.

    Args:
        connection: how to reach the cluster, as aiokafka's clients take it: `bootstrap_servers` and security.
    """
    return AIOKafkaProducer(
        client_id="orchestrator-gateway",
        acks="all",
        enable_idempotence=True,
        max_batch_size=256 * 1024,
        max_request_size=2 * 1024 * 1024,
        request_timeout_ms=10_000,
        partitioner=_partition,
        **connection,
    )


def _partition(key: bytes, partitions: list[int], _available: list[int]) -> int:
    return partitions[partition_of(key, len(partitions))]


async def _send_all(producer: AIOKafkaProducer, events: Sequence[Ready]) -> None:
    acknowledgements: list[Awaitable[Any]] = []
    try:
        for event in events:
            acknowledgements.append(  # noqa: PERF401 - those handed over before one fails are waited for as well
                await producer.send(event.topic, event.value, event.key)
            )
    finally:
        outcomes = await asyncio.gather(*acknowledgements, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _stop(producer: AIOKafkaProducer, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await producer.stop()
    except (TimeoutError, KafkaError):
        # What is left has not been acknowledged to anyone: the callers have their 503 and come again.
        await producer.client.close()
