"""Bundles of one rule and a few short stories, in which few durations meet: they aim at the edges of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.reference.generated_policies import one_rule
from tests.reference.generated_traits import LASTING, ORDERED, TRAITS, UNASKED
from tests.reference.smallest import written

if TYPE_CHECKING:
    from tests.reference.drawing import Draw

VARIANTS: Final = {
    "email": {"subject": "S", "body": "B"}, "push": {"title": "T", "text": "X"}, "sms": {"text": "X"},
}  # fmt: skip


def small(d: Draw) -> tuple[str, bool]:
    """A bundle as YAML, and whether its events may come later than `lateness`."""
    defined = sorted({*d.traits, *LASTING, *UNASKED})
    documents: list[dict[str, Any]] = [{"traits": "all", "define": {name: TRAITS[name][0] for name in defined}}]
    documents.append({
        "content": "m.1", "valid_for": d.one("10m", "1h", "3d", "3d"), "with": d.values(), "variants": VARIANTS,
    })  # fmt: skip
    if d.maybe():
        documents[-1]["about"] = ["p1"]
    if d.maybe(2):
        documents.append(one_rule(d))
        stories = [d.one(*_SENDS)(d) for _ in range(d.one(1, 1, 2))]
    else:
        documents.append({"policy": "all", "preferred_order": ["email", "push", "sms"]})
        stories = [d.one(*_STORIES)(d) for _ in range(d.one(1, 1, 2))]
    on = d.one("seen", "bought", "case_opened")
    for number, story in enumerate(stories, 1):
        documents.append({"scenario": f"s{number}", "entry": {"on": on}, **story})
    return written(documents), not ORDERED & set(d.traits)


def _send(name: str) -> dict[str, Any]:
    return {"id": name, "send": {"content": "m.1"}}


def _wait(d: Draw) -> dict[str, Any]:
    wait = {**d.heard(), "timeout": d.one("5m", "1h"), **d.one({}, {"grace": "5m"}, {"grace": "10m"})}
    return {"steps": [{"id": "wait", "wait_until": wait, "then": [_send("then")], "on_timeout": [_send("late")]}]}


def _silence(d: Draw) -> dict[str, Any]:
    silence = {"of": [d.one("seen", "idle", "put")], "for": d.one("5m", "1h"), **d.one({}, {"grace": "5m"})}
    return {"steps": [{"id": "quiet", "silence": silence}, _send("then")]}


def _level(d: Draw) -> dict[str, Any]:
    wait = {"when": d.condition(), "timeout": d.one("10m", "1h")}
    return {"steps": [{"id": "level", "wait_until": wait}, _send("then")]}


def _owner(d: Draw) -> dict[str, Any]:
    """It owns what the other one's message is about, for a while."""
    rest = {"goal": {"on": "case_closed", "keep_watching": d.one("30m", "1h")}} if d.maybe(2) else {}
    return {"owns": ["p1"], **rest, "steps": [{"id": "hold", "delay": {"for": d.one("5m", "1h")}}]}


def _goal(d: Draw) -> dict[str, Any]:
    goal = {"on": d.one("bought", "case_closed"), "keep_watching": d.one("10m", "1h")}
    return {"goal": goal, "steps": [_send("one")]}


def _again(d: Draw) -> dict[str, Any]:
    """Who may enter anew, and when."""
    entry: dict[str, Any] = {
        "on": d.one("seen", "bought"),
        "re_entry": d.one({"after": "10m"}, {"after": "2h"}, "never"),
    }
    if entry["on"] == "seen":
        entry["key"] = "event.page"
    steps = [_send("one"), {"id": "stay", "delay": {"for": d.one("5m", "10m")}}]
    return {"entry": {**entry, **d.one({}, {"if_live": "restart"})}, "steps": steps}


def _sequence(d: Draw) -> dict[str, Any]:
    elements: list[dict[str, Any]] = [{"as": "first", "on": "seen"}]
    if d.maybe(2):
        elements.append({"on": "bought"})
    if len(elements) == 1 or d.maybe(2):
        elements.append({"absent": d.one("put", "bought"), "for": d.one("5m", "1h")})
    return {"entry": {"sequence": elements, "within": d.one("5m", "30m")}, "steps": [_send("one")]}


def _clock(d: Draw) -> dict[str, Any]:
    delay = d.one({"time": "10:00"}, {"time": "02:30"}, {"time": "21:30", "days_later": 1}, {"for": "10m"})
    return {"steps": [{"id": "wait", "delay": delay}, _send("then")]}


def _schedule(d: Draw) -> dict[str, Any]:
    days = d.one(["mon", "tue"], ["sun", "mon"], ["2", "3", "4"])
    every = {"every": {"days": days, "time": d.one("10:30", "21:30", "02:30"), "zone": d.one("customer", "brand")}}
    return {"entry": every, "audience": "profile.known", "steps": [_send("one")]}


def _short(d: Draw) -> dict[str, Any]:
    return {"lives": d.one("30m", "2h"), "steps": [{"id": "far", "delay": {"for": "20m"}}, _send("one")]}


_SENDS: Final[tuple[Any, ...]] = (
    lambda _: {"steps": [_send("one")]},
    lambda _: {"steps": [_send("one"), _send("two")]},
    lambda d: {"steps": [{"id": "wait", "delay": {"for": d.one("10m", "1h")}}, _send("one")]},
    _owner,
)
_STORIES: Final[tuple[Any, ...]] = (
    _wait, _silence, _level, _owner, _goal, _again, _sequence, _clock, _schedule, _short,
)  # fmt: skip
