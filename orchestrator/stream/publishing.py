"""Putting a bundle on the topic `bundles`: files by their hash, the release's list, last the word that it counts."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer

from orchestrator.stream.releases import Listed

TOPIC: Final = "bundles"
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def release_records(
    tenant: str,
    release: str,
    files: Mapping[str, bytes],
    published_at: int,
    versions: Mapping[str, int] | None = None,
) -> list[tuple[bytes, bytes]]:
    """The records that publish a bundle, in the order in which they must be acknowledged.

    Args:
        tenant: whose bundle it is.
        release: its content hash.
        files: path -> bytes, as they were checked.
        published_at: ms.
        versions: scenario -> version; what nobody is on any more is told from them without reading the files.
    """
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    contents = {hashes[path]: content for path, content in files.items()}
    listed = Listed(release, hashes, published_at, None if versions is None else dict(versions))
    return [
        *((name.encode(), content) for name, content in contents.items()),
        list_record(tenant, listed),
        (f"{tenant}/release".encode(), _encode({"release": release, "published_at": published_at})),
    ]


def list_record(tenant: str, listed: Listed) -> tuple[bytes, bytes]:
    """The record that says what a release is made of, and whether it is retired."""
    return f"{tenant}/release/{listed.release}".encode(), _encode(listed)


async def publish_records(connection: Mapping[str, Any], records: list[tuple[bytes, bytes]]) -> None:
    """Write them, each acknowledged before the next: a reader never sees the word before what it speaks of.

    Raises:
        KafkaError: one could not be written; nothing that counted before has changed.
    """
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, max_request_size=2 << 20, **connection)
    try:
        await producer.start()
        for key, value in records:
            await producer.send_and_wait(TOPIC, value, key=key, partition=0)
    finally:
        await producer.stop()
