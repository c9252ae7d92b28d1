"""From a record to an event: what cannot be taken in is told apart here, with its reason."""

from typing import Any, Final, NamedTuple

import msgspec

from orchestrator.engine.identity.rules import BadIdentifierError
from orchestrator.engine.program.plan import EventPlan, Program
from orchestrator.model import reason
from orchestrator.model.event import MAX_EVENT_BYTES, MOST_AHEAD, Event, EventRecord, decode_event, milliseconds
from orchestrator.model.ids import event_hash

CHANNEL: Final = "channel."
_JSON_NUMBERS: Final = frozenset({int, float})


class Refused(NamedTuple):
    """A record goes to dead-letter, with this reason."""

    reason: str


class Taken(NamedTuple):
    """An event, what it may touch, and how it came."""

    event: Event
    plan: EventPlan
    tenant: str


def parse(raw: bytes) -> EventRecord | Refused:
    """Decode the bytes of an event."""
    if len(raw) > MAX_EVENT_BYTES:
        return Refused(reason.TOO_LARGE)
    try:
        return decode_event(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Refused(reason.UNDECODABLE)


def read_event(raw: bytes, channel: str, received: int, program: Program) -> Taken | Refused:
    """An event ready for the engine, or why it cannot be one.

    Args:
        raw: the bytes as they came.
        channel: as the topic says; "" where the event itself does.
        received: record time at which the broker first took it, ms.
        program: the release that says how it is read.
    """
    record = parse(raw)
    if not isinstance(record, EventRecord):
        return record
    if record.tenant != program.tenant:
        return Refused(reason.UNKNOWN_TENANT)
    at = milliseconds(record.time) if record.time is not None else received
    if not 0 <= at <= received + MOST_AHEAD:
        return Refused(reason.FUTURE_TIME if at > 0 else reason.BAD_PROPERTY)
    came_by = channel or record.channel or ""
    plan = program.plans.get((record.type, came_by)) or program.event_plan(record.type, came_by)
    data = record.data
    misfit = _misfit(data, plan)
    if misfit:
        return Refused(misfit)
    try:
        identifiers = program.identity.identifiers(data)
    except BadIdentifierError:
        return Refused(reason.BAD_PROPERTY)
    event = Event(
        record.id, record.source, record.type, plan.channel, at, received, data, identifiers, "", False,
        event_hash(record.source, record.id),
    )  # fmt: skip
    return Taken(event, plan, record.tenant)


def _misfit(data: dict[str, Any], plan: EventPlan) -> str:
    """Why properties are not as the topic declares them, "" where they are; conditions rely on it."""
    odd = set(zip(data, map(type, data.values()), strict=True)) - plan.typed
    if odd and any(name in plan.checks and type_ not in plan.checks[name] for name, type_ in odd):
        return reason.BAD_PROPERTY
    for name in plan.required:
        if data.get(name) is None:
            return reason.MISSING_PROPERTY
    return ""
