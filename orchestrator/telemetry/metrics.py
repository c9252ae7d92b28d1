"""Every metric of the product, declared once: its name, what it says, its labels and what bounds their values.

No label ever holds a customer, an address or an id. Where values come from a bundle or a client (event types,
scenarios, routes) the number of series is limited as well: what comes after `most_series` is counted under `other`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]

_LATENCY: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_HOPS: Final = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0, 50.0)
_SIZES: Final = (1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, 5_000.0, 10_000.0)


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric. Compared and hashed by identity, so that it is a cheap key on the hot path.

    Attributes:
        name: without the `_total` that counters get when shown.
        help: what it counts or measures, in one sentence.
        kind: counter, gauge or histogram.
        labels: names of the labels, in the order in which values are given.
        buckets: upper bounds of a histogram's buckets, ascending, without infinity.
        most_series: how many combinations of label values are kept apart.
    """

    name: str
    help: str
    kind: Kind
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    most_series: int = 1_000


METRICS: Final[list[Metric]] = []
"""All that are declared here, in order."""


def _declared(metric: Metric) -> Metric:
    METRICS.append(metric)
    return metric


def _counter(name: str, text: str, *labels: str) -> Metric:
    return _declared(Metric(f"orchestrator_{name}", text, "counter", labels))


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return _declared(Metric(f"orchestrator_{name}", text, "gauge", labels, most_series=10_000))


def _histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...] = _LATENCY) -> Metric:
    return _declared(Metric(f"orchestrator_{name}", text, "histogram", labels, buckets, most_series=200))


# --- what the worker did with its records
EVENTS: Final = _counter(
    "events",
    "Events by declared type (else undeclared, or unreadable) and outcome: applied, duplicate, passed_on, late, "
    "dead_letter.",
    "type",
    "outcome",
)
DEAD_LETTERS: Final = _counter("dead_letters", "Records put on the dead-letter topic, by reason.", "reason")
MESSAGES: Final = _counter("messages", "Messages between nodes that were applied (link, absorb, home ...).", "kind")
ACTIONS: Final = _counter("actions", "Messages to customers that were decided on.", "channel", "scenario")
SUPPRESSED: Final = _counter("suppressed", "Decisions not to send, by reason.", "reason")
PLACEMENTS: Final = _counter("placements", "What scenarios have placed in slots (show).", "scenario")
OFFERS: Final = _counter(
    "offers", "What became of offers: shown (theirs from then), redeemed, refused, expired.", "offer", "became"
)
ENTRIES: Final = _counter("entries", "Journeys entered, by scenario.", "scenario")
EXITS: Final = _counter("exits", "Journeys ended, by scenario and reason.", "scenario", "reason")
SCENARIO_ERRORS: Final = _counter(
    "scenario_errors", "Events lost to one scenario because it failed at run time.", "scenario"
)
SCENARIOS_STOPPED: Final = _counter(
    "scenarios_stopped", "Times that a scenario stopped itself (stop_when).", "scenario"
)
CONDITIONS_UNKNOWN: Final = _counter(
    "conditions_unknown", "Conditions that were unknown: what they read was not there."
)
IDENTITY_CONFLICTS: Final = _counter("identity_conflicts", "Links refused: they would have given a customer too many.")
LONG_ROUTES: Final = _counter("long_routes", "Events passed on more often than identity's protocol should need.")
MESSAGE_HOPS: Final = _histogram(
    "message_hops",
    "Trips through customer.inputs until a message, or an event whose customer lives under another name, was handled.",
    buckets=_HOPS,
)
EVENT_TO_ACTION: Final = _histogram(
    "event_to_action_seconds", "From the record time of an event to the acknowledgement of the action that it led to."
)
TIMER_LATENESS: Final = _histogram("timer_lateness_seconds", "From when a timer was due to when it fired.")
TIMERS: Final = _gauge("timers", "Customers with a timer that is still to fire.", "partition")

# --- how the worker is
PARTITIONS: Final = _gauge("partitions", "Partitions that this worker owns and has recovered.")
LAG: Final = _gauge(
    "consumer_lag_records", "Records of an input topic that are not yet committed.", "topic", "partition"
)
CUSTOMERS: Final = _gauge("state_customers", "Nodes held in memory.", "partition")
STATE_BYTES: Final = _gauge("state_bytes", "Bytes of the encoded values held in memory.", "partition")
BATCH_RECORDS: Final = _histogram("batch_records", "Records that were decided on together.", buckets=_SIZES)
BATCH_SECONDS: Final = _histogram(
    "batch_seconds", "From the decision on a batch to its acknowledgement in the changelog."
)
CHANGELOG_RECORDS: Final = _counter("changelog_records", "Records written to the changelog.")
CHANGELOG_BYTES: Final = _counter("changelog_bytes", "Bytes written to the changelog, keys and values.")
RESTORED: Final = _gauge(
    "recovery_restored_records", "Changelog records restored in the running recovery.", "partition"
)
TO_RESTORE: Final = _gauge(
    "recovery_total_records", "Changelog records that the running recovery has to read.", "partition"
)
ZOMBIE_VALUES: Final = _counter("zombie_values", "Changelog values left aside: their writer had lost the partition.")
RECOVERY_SECONDS: Final = _histogram("recovery_seconds", "From the assignment of a partition until it takes inputs.")
REBALANCES: Final = _counter("rebalances", "Times that partitions were assigned anew to this worker.")
BUNDLES: Final = _counter("bundles", "Releases of the bundle, by outcome: taken or refused.", "outcome")
RELEASES: Final = _gauge("releases", "Releases of the bundle in memory: the one that counts, and earlier ones.")
ASKS: Final = _counter("asks", "Questions answered from memory, by outcome.", "outcome")
ASK_SECONDS: Final = _histogram("ask_seconds", "From a question's arrival at its owner to the answer.")

# --- delivery
DELIVERIES: Final = _counter(
    "deliveries",
    "Actions that are done with, by outcome: delivered, bounced, failed, expired, withdrawn.",
    "channel",
    "outcome",
)
ATTEMPTS: Final = _counter("delivery_attempts", "Attempts to hand an action over, by result.", "channel", "result")
ATTEMPT_SECONDS: Final = _histogram("delivery_attempt_seconds", "How long an attempt took.", "channel")
DUPLICATES: Final = _counter("delivery_duplicates", "Actions that came again after they had been done with.", "channel")
HELD: Final = _counter(
    "delivery_held", "Actions that were to leave and wait: their customer has quiet hours.", "channel", "reason"
)
WAITING: Final = _gauge("delivery_waiting", "Actions that wait for their next attempt.", "channel")
RENDER_ERRORS: Final = _counter("render_errors", "Contents that could not be rendered, by content.", "content")

# --- gateway
REQUESTS: Final = _counter("gateway_requests", "Requests by route and status.", "route", "status")
REQUEST_SECONDS: Final = _histogram("gateway_request_seconds", "How long a request took, by route.", "route")
GATEWAY_EVENTS: Final = _counter(
    "gateway_events", "Events that the broker acknowledged, by declared type, else undeclared.", "channel", "type"
)
GATEWAY_UNDECLARED: Final = _counter(
    "gateway_undeclared",
    "Accepted events with something that nobody declares: undeclared_type, undeclared_property.",
    "channel",
    "code",
)
REFUSALS: Final = _counter("gateway_refusals", "Requests that were refused, by reason.", "reason")
TOKENS: Final = _counter("gateway_tokens", "Signed link tokens: linked, invalid, expired, conflict.", "outcome")
PRODUCE_SECONDS: Final = _histogram("gateway_produce_seconds", "From a write to its acknowledgement by the broker.")
QUESTION_SECONDS: Final = _histogram(
    "gateway_question_seconds", "From a question to the owner's answer, or to the fallback.", "outcome"
)
PRODUCER_RENEWALS: Final = _counter("gateway_producer_renewals", "Times that a producer broke down and was replaced.")
BROKER_SILENCES: Final = _counter(
    "gateway_broker_silences", "Times that Kafka began to acknowledge nothing; events were refused until it did."
)
FAILURES: Final = _counter("failures", "Errors of ours that a caller was told of or that ended a process.", "where")
