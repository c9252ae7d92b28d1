"""Delivery's metrics and log lines, by the declarations of `orchestrator.telemetry`."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from orchestrator.delivery.advice import advice
from orchestrator.delivery.decide import Deferred, Delivered, Refused, Result
from orchestrator.delivery.ledger import Outcome, Settled
from orchestrator.model.effect import Action
from orchestrator.stream.lane.records import Record
from orchestrator.telemetry import EventLog, Recorder, events, metrics
from orchestrator.telemetry.lag import set_lag

WAITING: Final = "these messages wait for it, and are given up when their time is over"
_TOLD_EVERY: Final = 60.0
_TOLD_ELSEWHERE: Final = frozenset({"link_key_missing", "internal_error"})
_GIVEN_UP: Final = frozenset({Outcome.BOUNCED, Outcome.FAILED, Outcome.EXPIRED})


class Figures:
    """A watch that counts and logs."""

    def __init__(self, recorder: Recorder, clock: Callable[[], float] = time.monotonic) -> None:
        """Counts into `recorder`; its log lines move metrics there too. `clock` is a monotonic one, s."""
        self._recorder = recorder
        self._log = EventLog(recorder)
        self._clock = clock
        self._deferred = Counter[tuple[str, str]]()
        self._told_at: dict[tuple[str, str], float] = {}
        self._waiting: dict[int, Mapping[str, int]] = {}
        self._shown: set[str] = set()
        self._behind: set[tuple[str, int]] = set()

    def attempted(self, channel: str, result: Result, seconds: float) -> None:
        self._recorder.add(metrics.ATTEMPTS, channel, _word(result))
        self._recorder.observe(metrics.ATTEMPT_SECONDS, seconds, channel)
        if isinstance(result, Deferred) and not result.channel_wide and result.reason not in _TOLD_ELSEWHERE:
            self._put_off(channel, result.reason)

    def _put_off(self, channel: str, reason: str) -> None:
        """Say that messages are put off: at once, and then each minute how often that was."""
        key, now = (channel, reason), self._clock()
        self._deferred[key] += 1
        if now - self._told_at.get(key, now - _TOLD_EVERY) >= _TOLD_EVERY:
            self._told_at[key] = now
            self._log.emit(events.DeliveryDeferred(channel, reason, self._deferred.pop(key), advice(channel, reason)))

    def held(self, channel: str, reason: str) -> None:
        self._recorder.add(metrics.HELD, channel, reason)

    def paused(self, channel: str, reason: str, wait: int) -> None:
        self._log.emit(events.ChannelUnreachable(channel, reason, wait / 1000, advice(channel, reason)))

    def settled(self, action: Action, settled: Settled, attempts: int) -> None:
        self._recorder.add(metrics.DELIVERIES, action.channel, settled.outcome)
        if settled.outcome in _GIVEN_UP:
            what = advice(action.channel, settled.reason)
            self._log.emit(events.DeliveryGivenUp(action.id, action.channel, attempts, settled.reason, what))

    def repeated(self, channel: str) -> None:
        self._recorder.add(metrics.DUPLICATES, channel)

    def rejected(self, record: Record, reason: str) -> None:
        self._recorder.add(metrics.DEAD_LETTERS, reason)
        self._log.emit(events.RecordDeadLettered(record.topic, record.partition, record.offset, reason))

    def waiting(self, partition: int, actions: Mapping[str, int]) -> None:
        self._waiting[partition] = actions
        total = Counter[str]()
        for each in self._waiting.values():
            total.update(each)
        for channel in self._shown | total.keys():
            self._recorder.set(metrics.WAITING, total[channel], channel)
        self._shown |= total.keys()

    def looked(self, behind: Mapping[tuple[str, int], int]) -> None:
        """The broker has said how far the actions go: (topic, partition) -> records that are not committed."""
        set_lag(self._recorder, self._behind, behind)
        self._behind = set(behind)

    def assigned(self, partitions: int) -> None:
        """The group has given out partitions anew; so many are this process's."""
        self._log.emit(events.PartitionsAssigned(partitions))

    def broke(self, channel: str, error: str) -> None:
        self._log.emit(events.AttemptRaised(channel, error))

    def unrenderable(self, content: str, release: str, error: str) -> None:
        self._log.emit(events.ContentUnrenderable(content, release, error))

    def unsigned(self, channel: str) -> None:
        self._log.emit(events.LinkKeyMissing(channel, WAITING))


def _word(result: Result) -> str:
    if isinstance(result, Delivered):
        return Outcome.DELIVERED
    return result.outcome if isinstance(result, Refused) else "deferred"
