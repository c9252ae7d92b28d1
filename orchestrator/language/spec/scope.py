"""Names and functions that conditions may use, with their types."""

from __future__ import annotations

from typing import Final

from orchestrator.language.cel import (
    BOOL,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Function,
    Overload,
    Type,
    list_of,
    map_of,
    nullable,
    record,
)

META: Final = record(
    "event.meta",
    {
        "id": STRING,
        "type": STRING,
        "channel": STRING,
        "time": TIMESTAMP,
        "received": TIMESTAMP,
        "source": STRING,
        "thread": STRING,
        "late": BOOL,
    },
)
ANY_EVENT: Final = record("event", {"meta": META}, open=True)
TURN: Final = record(
    "turn",
    {
        "by": STRING,
        "text": nullable(STRING),
        "at": TIMESTAMP,
        "channel": STRING,
        "id": STRING,
        "agent": nullable(STRING),
    },
    open=True,
)
THREAD: Final = record(
    "thread",
    {
        "id": STRING,
        "turns": INT,
        "last": nullable(TURN),
        "asked": INT,
        "open": BOOL,
        "channels": list_of(STRING),
        "about": nullable(STRING),
    },
)
MESSAGE: Final = record(
    "message",
    {
        "content": STRING,
        "topic": STRING,
        "about": list_of(STRING),
        "offer": nullable(STRING),
        "thread": nullable(STRING),
        "channel": STRING,
        "at": TIMESTAMP,
    },
)
PLACE: Final = record("place", {"place": STRING, "qty": INT, "km": nullable(DOUBLE)})
LOCAL: Final = record("local", {"date": STRING, "time": STRING, "weekday": STRING, "hour": INT})
ASK: Final = record(
    "ask",
    {
        "slot": STRING,
        "channel": STRING,
        "identifier": nullable(STRING),
        "known": BOOL,
        "linked": BOOL,
        "language": STRING,
    },
    open=True,
)
OFFER: Final = record(
    "offer",
    {
        "name": STRING,
        "price": nullable(DOUBLE),
        "terms": map_of(STRING, DYN),
        "until": nullable(TIMESTAMP),
        "state": STRING,
    },
)
CONTENT_ITEM: Final = record(
    "item",
    {
        "name": STRING,
        "kind": STRING,
        "class": STRING,
        "purpose": STRING,
        "topic": STRING,
        "about": list_of(STRING),
        "stage": list_of(STRING),
        "level": list_of(STRING),
        "campaign": nullable(STRING),
        "claims": map_of(STRING, DYN),
    },
)
OFFER_ITEM: Final = record("item", {"name": STRING, "about": list_of(STRING)})
BASKET: Final = record(
    "basket",
    {
        "id": STRING,
        "lines": list_of(record("line", {"sku": STRING, "qty": INT})),
        "total": DOUBLE,
        "channel": STRING,
        "at": nullable(TIMESTAMP),
    },
)
PROFILE: Final[dict[str, Type]] = {
    "id": STRING,
    "known": BOOL,
    "name": nullable(STRING),
    "preferred_channel": nullable(STRING),
    "preferred_hours": DYN,
    "topics": list_of(STRING),
    "language": STRING,
    "zone": STRING,
    "segments": list_of(STRING),
    "offers": map_of(STRING, OFFER),
    "threads": map_of(STRING, THREAD),
    "open_questions": INT,
    "version": INT,
}
"""What is always known of a customer, beside traits, `consent` and `ids`."""

STEP_OUTPUTS: Final[dict[str, dict[str, Type]]] = {
    "send": {"sent": BOOL, "channel": nullable(STRING), "reason": nullable(STRING), "message": nullable(STRING)},
    "wait_until": {"matched": STRING},
    "silence": {"matched": STRING},
    "show": {
        "content": nullable(STRING),
        "offer": nullable(STRING),
        "slots": list_of(STRING),
        "until": nullable(TIMESTAMP),
        "placement": nullable(STRING),
    },
    "task": {"id": STRING, "due": nullable(TIMESTAMP), "assignee": nullable(STRING)},
    "decide": {"content": nullable(STRING), "offer": nullable(STRING), "items": list_of(DYN)},
    "experiment": {"variant": STRING},
    "award": {"entered": BOOL},
    "publish": {"channels": list_of(STRING), "reason": STRING},
}
"""What a step gives beside `outcome` and `at`."""

ENGINE_EVENTS: Final[dict[str, dict[str, Type]]] = {
    "contact_sent": {"content": STRING, "channel": STRING, "reason": nullable(STRING)},
    "contact_suppressed": {"content": STRING, "channel": nullable(STRING), "reason": STRING},
    "slot_shown": {
        "slot": STRING,
        "content": nullable(STRING),
        "offer": nullable(STRING),
        "item": nullable(STRING),
        "placement": nullable(STRING),
    },
    "offer_shown": {"offer": STRING, "by": STRING},
    "offer_redeemed": {"offer": STRING, "was": STRING},
    "offer_refused": {"offer": STRING, "was": STRING},
    "offer_expired": {"offer": STRING},
    **{
        f"task_{state}": {"queue": STRING, "key": STRING, "thread": nullable(STRING)}
        for state in ("opened", "accepted", "closed", "overdue")
    },
    "entered": {"scenario": STRING},
    "exited": {"scenario": STRING, "outcome": STRING, "reason": STRING},
    "merged": {"ids": list_of(STRING)},
    "identifier_changed": {"namespace": STRING, "old": STRING, "new": STRING},
    "consent_changed": {"channel": STRING, "purpose": STRING, "granted": BOOL},
}
"""Events the engine makes; no document declares them."""


def _function(name: str, *overloads: tuple[tuple[Type, ...], Type], names: str, method: str = "") -> Function:
    ways = tuple(Overload(parameters, result) for parameters, result in overloads)
    return Function(name, ways, method, names=tuple(names.split()))


def functions(catalog: Type, price: Type = DOUBLE) -> tuple[Function, ...]:
    """The functions of section 2.2 that the context of an evaluation answers.

    Args:
        catalog: Type of a row of the fact `catalog`.
        price: Type of a price.
    """
    history = ((STRING, STRING), (STRING, STRING, STRING, DYN))
    return (
        _function("count", *((parameters, INT) for parameters in history), names="event window property value"),
        _function("seen", *((parameters, BOOL) for parameters in history), names="event window property value"),
        _function("last", ((STRING,), ANY_EVENT), names="event"),
        _function("since", ((STRING,), DURATION), names="event"),
        _function("in_segment", ((STRING,), BOOL), names="segment"),
        _function("live", ((STRING,), BOOL), ((STRING, STRING), BOOL), names="scenario key"),
        _function("offer_state", ((STRING,), STRING), names="offer"),
        _function("stock", ((STRING,), INT), ((STRING, STRING), INT), names="sku place"),
        _function("stock_places", ((STRING,), list_of(PLACE)), names="sku"),
        _function("price", ((STRING,), price), names="sku"),
        _function("catalog", ((STRING,), catalog), names="sku"),
        _function("rows", ((STRING,), list_of(DYN)), names="fact"),
        _function("promised", ((STRING,), DOUBLE), names="sku"),
        _function("message", ((STRING,), MESSAGE), names="id_or_content"),
        _function("thread", ((STRING,), THREAD), names="id"),
        _function("thread_of", ((STRING,), STRING), names="id_or_content"),
        _function("top", ((map_of(STRING, DOUBLE),), STRING), names="values"),
        _function("open", ((STRING,), BOOL), ((STRING, TIMESTAMP), BOOL), names="calendar time", method="open_"),
        _function("local", ((TIMESTAMP,), LOCAL), names="time"),
        _function("intent", ((STRING,), STRING), ((STRING, list_of(STRING)), STRING), names="text intents"),
        _function("found", ((STRING, STRING), STRING), names="text name"),
        _function("percent", ((DOUBLE, STRING), BOOL), names="share salt"),
    )


NAMED_BY_FUNCTION: Final[dict[str, tuple[str, int]]] = {
    "count": ("event", 0),
    "seen": ("event", 0),
    "last": ("event", 0),
    "since": ("event", 0),
    "in_segment": ("segment", 0),
    "live": ("scenario", 0),
    "offer_state": ("offer", 0),
    "rows": ("fact", 0),
    "open": ("calendar", 0),
}
"""Functions with a name of the bundle as a literal argument: what it names, and which argument."""
WINDOWED: Final = frozenset({"count", "seen"})
LONGEST_WINDOW: Final = 400 * 86_400_000
