"""Requests of people to nodes: messages on `customer.inputs`, and the receipts that come back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from orchestrator.model.effect import ERASURES, INPUTS, ErasureReceipt
from orchestrator.model.ids import node_key
from orchestrator.model.message import Erase, Reopen, Reset, encode_message
from orchestrator.model.partition import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LIMIT: Final = 2 << 20
POLL_MS: Final = 100

decode_receipt: Final = msgspec.json.Decoder(ErasureReceipt).decode


async def send_request(
    connection: Mapping[str, Any], partitions: int, tenant: str, *requests: Reset | Erase | Reopen
) -> None:
    """Write requests to the nodes that they are about; done when the broker has acknowledged all of them.

    Raises:
        KafkaError: one could not be written.
    """
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, max_request_size=LIMIT, **connection)
    try:
        await producer.start()
        for request in requests:
            key = node_key(tenant, request.target)
            place = partition_of(key, partitions)
            await producer.send_and_wait(INPUTS, encode_message(request), key=key, partition=place)
    finally:
        await producer.stop()


async def await_receipt(
    connection: Mapping[str, Any], tenant: str, receipt: str, seconds: float, told: Callable[[ErasureReceipt], None]
) -> ErasureReceipt | None:
    """Follow a receipt until it is complete, or the time is over; the newest that was read.

    Args:
        connection: how to reach the cluster.
        tenant: whose customer it was.
        receipt: its id.
        seconds: how long to wait.
        told: called with each state of it.
    """
    consumer = AIOKafkaConsumer(group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", **connection)
    newest: ErasureReceipt | None = None
    try:
        await consumer.start()
        part = TopicPartition(ERASURES, 0)
        consumer.assign([part])
        await consumer.seek_to_beginning(part)
        async with asyncio.timeout(seconds):
            while newest is None or newest.state != "complete":
                for record in (await consumer.getmany(timeout_ms=POLL_MS)).get(part, []):
                    if record.key == f"{tenant}/{receipt}".encode() and record.value is not None:
                        newest = decode_receipt(record.value)
                        told(newest)
    except TimeoutError:
        pass
    finally:
        await consumer.stop()
    return newest
