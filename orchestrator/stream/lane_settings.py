"""What the lane can be told, what it tells, and how it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from orchestrator.stream.connection import Connection


class LaneError(Exception):
    """The lane cannot go on without risking a loss; the message says what is wrong and what to do."""


class WatchdogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When the watchdog ends the process. All in ms; 0 switches a check off."""

    loop_stuck_after: int = 30_000
    """The event loop has not run anything."""
    no_progress_after: int = 60_000
    """There are unread records, but none was committed."""
    recovery_stuck_after: int = 120_000
    """A recovery goes on, but restored nothing and did not move on."""
    stop_within: int = 45_000
    """The worker was told to stop (or failed) and still runs."""
    check_every: int = 500


class LaneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One lane: which Faust application, which table, how it reads, writes and commits. Durations in ms.

    The changelog is the topic `<app_id>-<table>-changelog`; it and all input topics have `partitions` partitions.
    All of them exist already: the lane never creates a topic.
    """

    app_id: str
    table: str
    connection: Connection
    partitions: int
    data_dir: Path
    session_timeout: int = 6_000
    fetch_max_wait: int = 100
    fetch_bytes: int = 1 << 20
    """How much one fetch takes of one partition of one topic."""
    batch_records: int = 8_000
    """The most records a core is given at once."""
    batch_time: int = 40
    """How long the core may take for one batch, about: batches are cut so that the loop never stands still longer."""
    batch_time_behind: int = 300
    """The same while more waits than one such batch: then throughput counts, and large batches have more of it."""
    backlog_records: int = 10_000
    """From how many records in hand on a topic's partition is not fetched for a while."""
    backlog_bytes: int = 16 << 20
    """The same for their bytes: large events do not take the memory that many small ones may."""
    batches_in_flight: int = 4
    """How many batches of a partition may wait for acknowledgements at once."""
    patience: int = 1_000
    """How long a topic that is behind may hold up the others of its partition."""
    commit_interval: int = 200
    turn_interval: int = 200
    """How often a core is asked for ticks and woken."""
    request_timeout: int = 60_000
    """How long a write may wait for its turn at the producer. One under way is tried until it succeeds: a worker
    outlives an outage of its broker; the watchdog ends one that makes no progress while there is a broker."""
    compression: str | None = "zstd"
    """What the lane writes is packed with `zstd` (or `gzip`, or not at all): records of customers shrink to a fifth,
    on the wire, on the broker's disk, and for who recovers from them."""
    stop_patience: int = 10_000
    """How long a worker that is told to stop waits for a broker that does not answer."""
    watchdog: WatchdogSettings = WatchdogSettings()

    @property
    def changelog(self) -> str:
        """The table's changelog topic, named as Faust names it."""
        return f"{self.app_id}-{self.table}-changelog"


class BatchCounts(msgspec.Struct, frozen=True):
    """One batch in numbers, for metrics."""

    partition: int
    records: int
    changelog: int
    sends: int
    oldest: int
    """Record time of the first record, in ms; 0 for a batch without records (`wake`, `assigned`)."""
    changelog_bytes: int = 0
    """Of its changelog, keys and values."""


class RestoreProgress(msgspec.Struct, frozen=True):
    """How far the recovery of a partition is, in changelog records."""

    partition: int
    restored: int
    total: int
    """An upper bound: compaction may have left fewer."""
    skipped: int
    """Values of a worker that had lost the partition (the zombie rule)."""


def _nothing(*_args: object) -> None:
    """What a hook does that nobody asked for."""


class LaneHooks(msgspec.Struct, frozen=True, kw_only=True):
    """Called by the lane in its loop's thread. They must not block; what they raise ends the worker."""

    on_assigned: Callable[[int], None] = _nothing
    """The group has given out partitions anew: so many are ours, and their recovery begins."""
    on_ready: Callable[[int], None] = _nothing
    """A partition is recovered and its first input may come."""
    on_revoked: Callable[[int], None] = _nothing
    """A partition is no longer ours; everything in hand was finished."""
    on_progress: Callable[[RestoreProgress], None] = _nothing
    """During a recovery: about every 0.5 s and at its end."""
    on_batch: Callable[[BatchCounts], None] = _nothing
    """A core decided on a batch."""
    on_durable: Callable[[int, Mapping[str, int]], None] = _nothing
    """What these offsets (topic -> next offset) of a partition led to is acknowledged in the changelog."""
    on_commit: Callable[[int], None] = _nothing
    """Offsets of that many topic partitions were committed."""
    on_lag: Callable[[Mapping[tuple[str, int], int]], None] = _nothing
    """Every few seconds: (topic, partition) -> records that are not committed yet, of every partition at work."""
