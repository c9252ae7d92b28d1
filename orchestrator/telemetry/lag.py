"""The consumer lag of a process that reads partitions: what is theirs now, and nothing of what went elsewhere."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from orchestrator.telemetry import metrics
from orchestrator.telemetry.recorder import Recorder


def set_lag(recorder: Recorder, before: AbstractSet[tuple[str, int]], behind: Mapping[tuple[str, int], int]) -> None:
    """Show how many records each (topic, partition) is behind; those of `before` that are gone are shown no more."""
    for topic, partition in before - behind.keys():
        recorder.forget(metrics.LAG, topic, str(partition))
    for (topic, partition), records in behind.items():
        recorder.set(metrics.LAG, records, topic, str(partition))
