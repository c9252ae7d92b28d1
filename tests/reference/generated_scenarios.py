"""Scenarios, drawn: who enters, what ends it, and a story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.reference.generated_steps import story
from tests.reference.house import MADE_EVENTS

if TYPE_CHECKING:
    from tests.reference.drawing import Draw

TIMES: Final = ("09:00", "10:30", "21:30", "02:30")
MOMENTS: Final = (
    "2026-03-02T12:00:00+01:00", "2026-03-03T02:00:00", "2026-03-02T10:20:00", "2026-03-29T02:30:00",
    "2026-03-02T20:45:30",
)  # fmt: skip


def scenario(d: Draw, name: str) -> dict[str, Any]:
    """A scenario of that name."""
    drawn: dict[str, Any] = {"scenario": name, "priority": d.one(30, 50, 50, 70)}
    if d.maybe(6):
        drawn["while"] = d.condition()
    if d.maybe(4):
        drawn["owns"] = [d.one("p1", "p2")]
    if d.maybe(5):
        drawn["score"] = d.one('double(count("seen", "1h"))', "1.5")
    drawn["entry"] = _entry(d)
    if d.maybe(5):
        drawn["audience"] = d.condition()
    elif "every" in drawn["entry"] or "at" in drawn["entry"]:
        drawn["audience"] = "profile.known"
    if d.maybe(6):
        drawn["holdout"] = d.one("30%", "60%")
    return {**drawn, **_ends(d), "steps": story(d, 2)}


def _ends(d: Draw) -> dict[str, Any]:
    """Goal, exits, and how long it lives."""
    drawn: dict[str, Any] = {}
    if d.maybe(2):
        drawn["goal"] = {**d.heard(), "keep_watching": d.one("0s", "30m", "7d")}
    if d.maybe(2):
        ends: list[dict[str, Any]] = []
        if d.maybe(2):
            ends.append({**d.heard(), "reason": "left"})
        if not ends or d.maybe():
            ends.append({"when": d.condition(), "reason": "level"})
        drawn["exit"] = ends
    if d.maybe(6):
        drawn["lives"] = d.one("7d", "20d")
    return drawn


def _entry(d: Draw) -> dict[str, Any]:
    kind = d.one("on", "on", "on", "on", "each", "becomes", "sequence", "absent", "every", "at")
    entry: dict[str, Any] = _ENTRIES[kind](d)
    if entry.get("on") in MADE_EVENTS or kind == "becomes":  # else scenarios could start each other for ever
        entry["re_entry"] = d.one("never", {"after": "1d"})
    elif d.maybe():
        entry["re_entry"] = d.one("never", {"after": "30m"}, {"after": "1d"})
    if d.maybe():
        entry["if_live"] = "restart"
    return entry


def _on(d: Draw) -> dict[str, Any]:
    entry = d.heard(*MADE_EVENTS)
    if entry["on"] == "seen" and d.maybe(3):
        entry["key"] = "event.page"
    return entry


def _each(d: Draw) -> dict[str, Any]:
    entry = {"on": "seen", "each": "event.tags", "key": "item"}
    return {**entry, "where": 'item != "y"'} if d.maybe(2) else entry


def _becomes(d: Draw) -> dict[str, Any]:
    if "visits" in d.traits and d.maybe(2):
        return {"becomes": "profile.visits >= 2", "key": "string(profile.visits / 2)"}
    return {"becomes": d.condition()}


def _every(d: Draw) -> dict[str, Any]:
    days = d.one(["mon", "wed"], ["2", "4", "28"], ["sat", "sun", "tue"])
    return {"every": {"days": days, "time": d.one(*TIMES), "zone": d.one("customer", "customer", "brand")}}


def _at(d: Draw) -> dict[str, Any]:
    return {"at": d.one(*MOMENTS)}


def _sequence(d: Draw) -> dict[str, Any]:
    elements: list[dict[str, Any]] = [{"as": "first", "on": "seen"}]
    if d.maybe():
        elements.append({"as": "between", "on": ["seen", "put"], "where": "event.meta.type != first.meta.type"})
    where = d.one("event.page != first.page", "event.page == first.page", "event.seconds >= 30.0")
    elements.append(d.one({"on": "seen", "where": where}, {"on": "seen", "where": where}, {"on": "bought"}))
    entry: dict[str, Any] = {"sequence": elements, "within": d.one("5m", "30m")}
    if d.maybe(4):
        entry |= {"each": "event.tags", "key": "item"} if elements[-1]["on"] == "seen" else {}
    return entry


def _absent(d: Draw) -> dict[str, Any]:
    entry = _sequence(d)
    absent = {"absent": d.one("bought", "seen", ["idle", "put"]), "for": d.one("5m", "10m", "1h")}
    if absent["absent"] == "seen" and d.maybe(2):
        absent["where"] = "event.page == first.page"
    return {**entry, "sequence": [*entry["sequence"][: d.one(1, 2)], absent]}


_ENTRIES: Final[dict[str, Any]] = {
    "on": _on, "each": _each, "becomes": _becomes, "every": _every, "at": _at, "sequence": _sequence,
    "absent": _absent,
}  # fmt: skip
