"""What a worker tells its operators: metrics by batch, log events as things happen."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator.language.source.nearest import nearest
from orchestrator.stream.lane.statistics import NOT_EVENTS
from orchestrator.stream.lane_settings import BatchCounts, RestoreProgress
from orchestrator.telemetry import events, metrics
from orchestrator.telemetry.lag import set_lag
from orchestrator.telemetry.log import EventLog
from orchestrator.telemetry.recorder import Recorder

if TYPE_CHECKING:
    from orchestrator.stream.lane.core import CustomerCore
    from orchestrator.stream.lane.statistics import Statistics


UNREADABLE = "unreadable"
"""The event type of what could not be read."""


class WorkerFigures:
    """Turns the core's counts into metrics, and what happens into log events."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._log = EventLog(recorder)
        self._under_way: dict[int, deque[tuple[float, list[int]]]] = {}
        self._began: dict[int, float] = {}
        self._restored: dict[int, RestoreProgress] = {}
        self._behind: set[tuple[str, int]] = set()
        self._undeclared: set[str] = set()

    # Batches.

    def batch(self, batch: BatchCounts, core: "CustomerCore") -> None:
        """The core has decided a batch: its counts, and when what it sends was first received."""
        recorder = self._recorder
        recorder.observe(metrics.BATCH_RECORDS, batch.records)
        recorder.add(metrics.CHANGELOG_RECORDS, amount=batch.changelog)
        recorder.add(metrics.CHANGELOG_BYTES, amount=batch.changelog_bytes)
        counted = core.statistics.take()
        self._count(counted)
        for scenario, sent, met in counted.stopped:
            self._log.emit(events.ScenarioStopped(scenario, sent, met))
        for rejected in counted.rejected:
            self._log.emit(events.RecordDeadLettered(*rejected))
        for failed in counted.failed:
            self._log.emit(events.RecordFailed(*failed))
        self._tell_undeclared(counted.undeclared)
        if batch.records:
            self._under_way.setdefault(batch.partition, deque()).append((time.monotonic(), counted.received))

    def _count(self, counted: "Statistics") -> None:
        recorder = self._recorder
        for (type_, outcome), number in counted.events.items():
            metric = metrics.MESSAGES if type_ in _MESSAGES else metrics.EVENTS
            labels = (type_,) if metric is metrics.MESSAGES else (type_ or UNREADABLE, outcome)
            recorder.add(metric, *labels, amount=number)
        for labels, number in counted.actions.items():
            recorder.add(metrics.ACTIONS, *labels, amount=number)
        for scenario, number in counted.failures.items():
            recorder.add(metrics.SCENARIO_ERRORS, scenario, amount=number)
            self._log.emit(events.ScenarioFailed(scenario, "", "raised"))
        for metric, numbers in (
            (metrics.SUPPRESSED, counted.not_acting),
            (metrics.DEAD_LETTERS, counted.dead_letters),
            (metrics.PLACEMENTS, counted.placed),
            (metrics.ENTRIES, counted.entered),
        ):
            for label, number in numbers.items():
                recorder.add(metric, label, amount=number)
        for labels, number in counted.offers.items():
            recorder.add(metrics.OFFERS, *labels, amount=number)
        for labels, number in counted.ended.items():
            recorder.add(metrics.EXITS, *labels, amount=number)
        recorder.add(metrics.CONDITIONS_UNKNOWN, amount=counted.unknown)
        recorder.add(metrics.IDENTITY_CONFLICTS, amount=counted.conflicts)
        recorder.add(metrics.LONG_ROUTES, amount=counted.many_hops)
        if counted.hops:
            recorder.observe_all(metrics.MESSAGE_HOPS, counted.hops.elements())
        if counted.lateness:
            recorder.observe_all(metrics.TIMER_LATENESS, [late / 1000 for late in counted.lateness])

    def _tell_undeclared(self, types: Mapping[str, frozenset[str]]) -> None:
        """Say once of each type that nobody declares it, and what it looks like; never the name, which is anything."""
        for type_, declared in types.items():
            if type_ not in self._undeclared and len(self._undeclared) < _MOST_TOLD:
                self._undeclared.add(type_)
                self._log.emit(events.UndeclaredType(nearest(type_, declared) or "none"))

    def durable(self, partition: int, now: int) -> None:
        """The oldest batch under way is acknowledged: its actions are out, or about to be."""
        waiting = self._under_way.get(partition)
        if waiting:
            decided, received = waiting.popleft()
            self._recorder.observe(metrics.BATCH_SECONDS, time.monotonic() - decided)
            if received:
                self._recorder.observe_all(metrics.EVENT_TO_ACTION, [max(0, now - at) / 1000 for at in received])

    # Recovery and partitions.

    def progress(self, progress: RestoreProgress) -> None:
        partition = str(progress.partition)
        self._began.setdefault(progress.partition, time.monotonic())
        self._restored[progress.partition] = progress
        self._recorder.set(metrics.RESTORED, progress.restored, partition)
        self._recorder.set(metrics.TO_RESTORE, progress.total, partition)

    def ready(self, partition: int, core: "CustomerCore") -> None:
        progress = self._restored.pop(partition, None)
        seconds = time.monotonic() - self._began.pop(partition, time.monotonic())
        self._recorder.observe(metrics.RECOVERY_SECONDS, seconds)
        restored, skipped = (progress.restored, progress.skipped) if progress is not None else (0, 0)
        self._log.emit(events.PartitionRecovered(partition, restored, skipped, seconds))
        self._sizes(core)

    def looked(self, behind: Mapping[tuple[str, int], int], core: "CustomerCore") -> None:
        """The broker has said how far the inputs go; a time to look at what is held, too."""
        set_lag(self._recorder, self._behind, behind)
        self._behind = set(behind)
        self._sizes(core)

    def _sizes(self, core: "CustomerCore") -> None:
        owned, recorder = core.all_owned(), self._recorder
        recorder.set(metrics.PARTITIONS, len(owned))
        for partition in owned:
            index = str(partition.index)
            recorder.set(metrics.CUSTOMERS, partition.size(), index)
            recorder.set(metrics.STATE_BYTES, partition.size_in_bytes(), index)
            recorder.set(metrics.TIMERS, partition.timers(), index)

    def revoked(self, partition: int) -> None:
        self._under_way.pop(partition, None)
        for metric in (metrics.CUSTOMERS, metrics.STATE_BYTES, metrics.TIMERS):
            self._recorder.forget(metric, str(partition))
        self._log.emit(events.PartitionRevoked(partition))

    # Bundles and failures.

    def assigned(self, partitions: int) -> None:
        """The group has given out partitions anew; so many are this worker's."""
        self._log.emit(events.PartitionsAssigned(partitions))

    def link_key_missing(self, channels: Sequence[str]) -> None:
        """The release signs links on these channels, and this worker has no key to read their tokens with."""
        self._log.emit(events.LinkKeyMissing(", ".join(channels), "who follows a link is not recognised"))

    def bundle_taken(self, release: str, scenarios: int) -> None:
        self._log.emit(events.BundleTaken(release, scenarios))

    def holds(self, releases: int) -> None:
        """So many releases are in memory, for somebody may be on them."""
        self._recorder.set(metrics.RELEASES, releases)

    def bundle_refused(self, release: str, errors: int, code: str, place: str) -> None:
        self._log.emit(events.BundleRefused(release, errors, code, place))

    def left_aside(self, topic: str) -> None:
        """A record of a topic that is held whole cannot be read; what counted before goes on counting."""
        self._recorder.add(metrics.DEAD_LETTERS, f"unreadable_{topic}")

    def waiting_for_bundle(self) -> None:
        self._log.emit(events.WaitingForBundle())

    def answering(self, port: int) -> None:
        self._log.emit(events.Answering(port))

    def failed(self, error: BaseException) -> None:
        """Something that the worker cannot go on without; also an answer of ours that failed."""
        self._log.emit(events.ProcessFailed("worker", type(error).__name__))

    # Questions (asking.AskObserver).

    def asked(self, outcome: str, seconds: float) -> None:
        self._recorder.add(metrics.ASKS, outcome)
        self._recorder.observe(metrics.ASK_SECONDS, seconds)


_MESSAGES = NOT_EVENTS - {""}
_MOST_TOLD = 1_000
"""Of so many types it is known that they have been told of; no more are told, and all are counted."""
