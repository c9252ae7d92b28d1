"""Every event that a process logs, declared once: its level, its words, its fields and the metric that it moves.

Levels say what an operator does: nothing (INFO), look when there is time (WARNING), act now (ERROR; data or messages
may be held up or lost). Fields are numbers, names from a bundle or a topic, and error classes: never a customer's data.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

from orchestrator.telemetry import metrics

if TYPE_CHECKING:
    from orchestrator.telemetry.metrics import Metric


@dataclass(frozen=True, slots=True)
class LogEvent:
    """What all have in common. A subclass's docstring says when it is logged."""

    level: ClassVar[int] = logging.INFO
    words: ClassVar[str] = ""
    metric: ClassVar[Metric | None] = None
    labels: ClassVar[tuple[str, ...]] = ()
    """The fields whose values are the metric's labels, after `fixed_labels`."""
    fixed_labels: ClassVar[tuple[str, ...]] = ()
    amount: ClassVar[str] = ""
    """The field that is added to the metric; 1 is added where there is none."""
    most_per_minute: ClassVar[int] = 600
    """More lines than that are left out (the metric counts on), so that a flood of faults does not fill the disk."""

    @classmethod
    def name(cls) -> str:
        """`PartitionRecovered` -> `partition_recovered`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def values(self) -> dict[str, str | int | float]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class ProcessStarted(LogEvent):
    """A process is up and begins to work."""

    words = "{process} started, version {version}"
    process: str
    version: str


@dataclass(frozen=True, slots=True)
class ProcessStopped(LogEvent):
    """A process ends as it was told to."""

    words = "{process} stopped"
    process: str


@dataclass(frozen=True, slots=True)
class ProcessFailed(LogEvent):
    """A process ends because something in it went wrong; a supervisor is to start it anew."""

    level = logging.ERROR
    words = "{process} failed: {error}"
    metric = metrics.FAILURES
    labels = ("process",)
    process: str
    error: str


@dataclass(frozen=True, slots=True)
class TopicsCreated(LogEvent):
    """Topics that were missing were created (development only)."""

    words = "created {count} topics"
    count: int


@dataclass(frozen=True, slots=True)
class PartitionsAssigned(LogEvent):
    """Partitions were assigned to this worker; recovery begins."""

    words = "{count} partitions assigned"
    metric = metrics.REBALANCES
    count: int


@dataclass(frozen=True, slots=True)
class PartitionRecovered(LogEvent):
    """A partition's customers are restored, and its first input may be applied."""

    words = "partition {partition} recovered: {restored} records in {seconds:.1f} s, {skipped} left aside"
    metric = metrics.ZOMBIE_VALUES
    amount = "skipped"
    partition: int
    restored: int
    skipped: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PartitionRevoked(LogEvent):
    """A partition went to another worker."""

    words = "partition {partition} revoked"
    partition: int


@dataclass(frozen=True, slots=True)
class RecordDeadLettered(LogEvent):
    """A record could not be applied; its bytes are on the dead-letter topic. It is counted with its batch, not here."""

    level = logging.WARNING
    words = (
        "record {topic}[{partition}]@{offset} went to dead-letter: {reason}. It is there as it came; tell who sends it"
    )
    most_per_minute = 60
    topic: str
    partition: int
    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class RecordFailed(LogEvent):
    """An event raised inside the engine, by a defect of ours, and is on the dead-letter topic; nothing of it counts.

    The others of its partition go on. After ten, and one more for each thousand records, the worker ends instead.
    """

    level = logging.ERROR
    words = (
        "record {topic}[{partition}]@{offset} raised {error} at {place}: it is on dead-letter, nothing of it was "
        "applied. Report this; write it to its topic again when it is repaired"
    )
    topic: str
    partition: int
    offset: int
    error: str
    place: str


@dataclass(frozen=True, slots=True)
class ScenarioFailed(LogEvent):
    """A scenario raised at run time; it lost this event, nothing else did. It is counted with its batch, not here."""

    level = logging.WARNING
    words = "scenario {scenario} failed at {step}: {error}"
    scenario: str
    step: str
    error: str


@dataclass(frozen=True, slots=True)
class UndeclaredType(LogEvent):
    """Events came of a type that no topic file and no bundle declares; once for each such type and process.

    They are kept with their customers, and no scenario can wait for them. `nearest` is a declared type that looks
    like theirs, or `none`.
    """

    level = logging.WARNING
    words = "events come in of a type that nobody declares; a declared one that looks like it: {nearest}"
    most_per_minute = 20
    nearest: str


@dataclass(frozen=True, slots=True)
class ScenarioStopped(LogEvent):
    """A scenario stopped itself by its `stop_when`: nobody enters and it sends no marketing until it is reopened."""

    level = logging.WARNING
    words = "scenario {scenario} stopped itself: {met} of {sent} messages; look, then `orchestrator reopen {scenario}`"
    metric = metrics.SCENARIOS_STOPPED
    labels = ("scenario",)
    scenario: str
    sent: int
    met: int


@dataclass(frozen=True, slots=True)
class WaitingForBundle(LogEvent):
    """No bundle is published yet; the worker waits for one and takes no events until then."""

    level = logging.WARNING
    words = "no bundle is published yet: run `orchestrator publish scenarios/`"


@dataclass(frozen=True, slots=True)
class Answering(LogEvent):
    """The worker answers questions of gateways."""

    words = "questions are answered on port {port}"
    port: int


@dataclass(frozen=True, slots=True)
class BundleTaken(LogEvent):
    """A release of the bundle was read and compiled; partitions change to it at their release tick."""

    words = "release {release} taken: {scenarios} scenarios"
    metric = metrics.BUNDLES
    fixed_labels = ("taken",)
    release: str
    scenarios: int


@dataclass(frozen=True, slots=True)
class BundleRefused(LogEvent):
    """A release of the bundle has errors; the one before stays."""

    level = logging.ERROR
    words = (
        "release {release} refused: {errors} errors, the first is {code} at {place}. The one before stays; "
        "`orchestrator lint` shows all of them: correct and publish"
    )
    metric = metrics.BUNDLES
    fixed_labels = ("refused",)
    release: str
    errors: int
    code: str
    place: str


@dataclass(frozen=True, slots=True)
class WatchdogEnded(LogEvent):
    """The watchdog ended the process because it did not do its work; a supervisor is to start it anew."""

    level = logging.ERROR
    words = "the watchdog ends this process, so that it can be started anew: {complaint}"
    complaint: str


@dataclass(frozen=True, slots=True)
class LeftWithoutBroker(LogEvent):
    """A process was told to stop and Kafka did not answer, so it left without it."""

    level = logging.WARNING
    words = (
        "Kafka does not answer, leaving after {seconds:.0f} s without it: {records} records of {partitions} partitions "
        "are decided and not committed. Nothing is lost: they are read again at the next start, and what has left "
        "goes out again under the same ids"
    )
    seconds: float
    records: int
    partitions: int


@dataclass(frozen=True, slots=True)
class DeliveryGivenUp(LogEvent):
    """An action could not be delivered and is not tried again; the outcome goes to the journey."""

    level = logging.WARNING
    words = "action {action} on {channel} given up after {attempts} attempts: {reason}; {advice}"
    action: str
    channel: str
    attempts: int
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class DeliveryDeferred(LogEvent):
    """Messages are put off by their channel, one by one, and are tried again; told once a minute for each reason."""

    level = logging.WARNING
    words = "{attempts} attempts on {channel} were put off ({reason}), the messages are tried again: {advice}"
    most_per_minute = 60
    channel: str
    reason: str
    attempts: int
    advice: str


@dataclass(frozen=True, slots=True)
class AttemptRaised(LogEvent):
    """An attempt raised, by a defect of ours; its message is tried again until its time is over."""

    level = logging.ERROR
    words = "an attempt on {channel} raised {error}; its message is tried again. This is a defect: report it"
    metric = metrics.FAILURES
    fixed_labels = ("delivery",)
    most_per_minute = 60
    channel: str
    error: str


@dataclass(frozen=True, slots=True)
class ChannelUnreachable(LogEvent):
    """A channel's server does not answer or refuses us; its actions wait."""

    level = logging.ERROR
    words = "channel {channel} cannot be reached ({error}); next attempt in {seconds:.0f} s: {advice}"
    channel: str
    error: str
    seconds: float
    advice: str


@dataclass(frozen=True, slots=True)
class ContentUnrenderable(LogEvent):
    """A content failed to render; its action is given up."""

    level = logging.ERROR
    words = "content {content} of release {release} cannot be rendered: {error}"
    metric = metrics.RENDER_ERRORS
    labels = ("content",)
    content: str
    release: str
    error: str


@dataclass(frozen=True, slots=True)
class RequestFailed(LogEvent):
    """A request met an error of ours and was answered with 500."""

    level = logging.ERROR
    words = "request {request} failed: {error}"
    metric = metrics.FAILURES
    fixed_labels = ("gateway",)
    request: str
    error: str


@dataclass(frozen=True, slots=True)
class LinkKeyMissing(LogEvent):
    """Messages are to carry signed links, and this process has no key for them."""

    level = logging.ERROR
    words = "links on {channels} are to be signed, and links.key is not set: {effect}"
    most_per_minute = 2
    channels: str
    effect: str


@dataclass(frozen=True, slots=True)
class WorkerRefusesKey(LogEvent):
    """A worker does not take the key that this gateway presents: its customers get fallbacks until that is mended."""

    level = logging.ERROR
    words = "worker {worker} does not take our key: worker.ask_key must be the same for workers and gateways"
    metric = metrics.FAILURES
    fixed_labels = ("ask_key",)
    most_per_minute = 6
    worker: str


@dataclass(frozen=True, slots=True)
class ProducerRenewed(LogEvent):
    """A producer of the gateway had broken down for good and was replaced."""

    level = logging.WARNING
    words = "the gateway's producer was replaced"
    metric = metrics.PRODUCER_RENEWALS


@dataclass(frozen=True, slots=True)
class BrokerSilent(LogEvent):
    """Kafka acknowledges nothing that this gateway writes; events are refused with 503 until it does."""

    level = logging.ERROR
    words = (
        "Kafka has acknowledged nothing for a second: events are answered with 503 at once, questions that bring one "
        "with fallbacks, until it does again. Look at its brokers; nothing is to be done here"
    )
    metric = metrics.BROKER_SILENCES
    most_per_minute = 6


@dataclass(frozen=True, slots=True)
class BrokerAcknowledges(LogEvent):
    """Kafka acknowledges again what this gateway writes; events are taken as before."""

    words = "Kafka acknowledges again: events are taken"
    most_per_minute = 6
