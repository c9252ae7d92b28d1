"""What comes of a story, as plain data; and what both who tell it have to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orchestrator.language.cel import Timestamp

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from tests.reference.generated_events import Arrival

WHO: Final = "user_id:amy"
OTHER: Final = "email:amy@example.com"
BOTH: Final = "both"
"""Who does an event that names both halves of a customer."""
IDS: Final = {"user_id": "amy", "email": "amy@example.com", "phone": "+33600000001", "device": "d1"}
GRANTED: Final = ("email", "push")
RELEASE: Final = "$release"
"""The type of an arrival that is no event: the next of the bundles is published."""
ASK: Final = "$ask"
"""The type of an arrival that is no event: every half of the customer is asked for a slot."""
AT_THE_END: Final = -1
SHOWN: Final = "$shown"
"""The type of an arrival that becomes `slot_shown`: somebody has seen what was placed."""
BEFORE: Final = 3_600_000
AFTERWARDS: Final = 9 * 24 * 3_600_000
ON_ITS_WAY: Final = 300
TOLD: Final = frozenset({
    "sent", "suppressed", "held", "entered", "ended", "not_entered", "task", "task_added", "task_closed",
    "task_withdrawn", "task_overdue",
})  # fmt: skip


class Outcome(NamedTuple):
    """What came of it, as plain data."""

    told: list[tuple[Any, ...]]
    messages: list[dict[str, Any]]
    withdrawn: list[tuple[int, str, str]]
    traits: dict[str, Any]
    instances: list[Any]
    tasks: list[Any]
    threads: dict[str, Any]
    stopped: dict[str, dict[str, int]]
    facts: dict[str, Any]
    refused: list[tuple[int, str, str]]
    answers: list[tuple[int, str, str, dict[str, Any]]]


def halves(stream: list[Arrival]) -> dict[str, dict[str, str]]:
    """Root -> identifiers of the customers at the start: one, or two who turn out to be one."""
    if not any(one.who == BOTH for one in stream):
        return {WHO: IDS}
    theirs = {name: IDS[name] for name in ("email", "phone")}
    return {WHO: {name: IDS[name] for name in ("user_id", "device")}, OTHER: theirs}


def named(arrival: Arrival) -> list[str]:
    """The nodes that an event names, the strongest first."""
    return [WHO, OTHER] if arrival.who == BOTH else [arrival.who] if arrival.who else []


def nodes(ids: dict[str, str]) -> list[str]:
    return [f"{namespace}:{value}" for namespace, value in ids.items()]


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """What is compared of the answer to a slot."""
    found = {name: answer.get(name) or "" for name in ("content", "placement", "reason")}
    found["values"] = plain(answer.get("values") or {})
    items = [told(one) for one in answer.get("items", ())]
    included = {name: told(one) for name, one in answer.get("include", {}).items()}
    return {**found, "items": items, "include": included}


def unordered(bundle: Bundle, name: str, value: Any) -> Any:
    """A set has no order."""
    return sorted(value, key=str) if bundle.traits[name].kind == "set" else value


def plain(value: Any) -> Any:
    """A value that can be compared: maps by key, numbers rounded to what floats can hold."""
    if isinstance(value, dict):
        return {key: plain(value[key]) for key in sorted(value.keys())}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 6)
    return value.ms if isinstance(value, Timestamp) else value
