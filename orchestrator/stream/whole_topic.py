"""A compacted topic read once, from its beginning to where it ends now: for commands that look and go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from orchestrator.stream.shared_topics import CompactedTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOOK_SECONDS: Final = 0.2


async def read_whole(
    topic: str,
    on_rows: Callable[[Sequence[tuple[bytes, bytes | None]]], None],
    connection: Mapping[str, Any],
    progress: Callable[[int], None],
) -> None:
    """Hand over every record that is in the topic now, oldest first within a partition.

    Args:
        topic: its name.
        on_rows: given the records of a fetch, as (key, value) with None for a deletion.
        connection: the way into the cluster.
        progress: told how many records have been read so far.

    Raises:
        LaneError: there is no such topic.
        KafkaError: the cluster cannot be read.
        Exception: what `on_rows` raises.
    """
    async with CompactedTopic(topic, on_rows, connection=connection) as reading:
        ready = asyncio.ensure_future(reading.ready())
        while not ready.done():
            await asyncio.wait([ready], timeout=LOOK_SECONDS)
            progress(reading.rows)
        ready.result()
