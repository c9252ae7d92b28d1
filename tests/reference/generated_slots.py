"""Slots and what is placed in them, drawn; and the moments of a stream at which they are asked and seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from tests.reference.generated_events import Arrival
from tests.reference.outcome import ASK, SHOWN

if TYPE_CHECKING:
    from tests.reference.drawing import Draw

CARDS: Final = ("c.1", "c.2", "c.3")
SLOTS: Final = ("home", "side")
NAMES: Final = ("home", "app", "side")
"""By which they are asked: `home` has another name."""
PAUSES: Final = (400, 1_400, 60_400, 300_400, 600_400, 3_600_400)
"""Later than the 0.3 s for which a tick is on its way, so that what is due before a question acts before it (ms)."""


def slots(d: Draw) -> list[dict[str, Any]]:
    """Contents that are shown, and two slots for them."""
    return [*(_card(d, name) for name in CARDS), _slot(d, "home"), _slot(d, "side")]


def _card(d: Draw, name: str) -> dict[str, Any]:
    title = {"web": {"title": "T"}, "email": {"subject": "S", "body": "B"}}
    told = d.one(("web",), ("web", "email"))
    card: dict[str, Any] = {
        "content": name, "class": d.one("marketing", "service"), "with": d.one({}, {"since": 'count("seen", "1h")'}),
        "about": d.one([], ["p1"]), "variants": {channel: title[channel] for channel in told},
    }  # fmt: skip
    if d.maybe(4):
        card["suits"] = d.condition()
    if d.maybe(4):
        card["requires"] = d.one('stock("A") > 0', d.condition())
        card |= d.one({}, {"instead": "c.1"}) if name != "c.1" else {}
    if d.maybe(6):
        card["once"] = d.condition()
    if d.maybe(6):
        card["valid_until"] = 'timestamp("2026-03-02T10:30:00Z")'
    return card


def _slot(d: Draw, name: str) -> dict[str, Any]:
    slot: dict[str, Any] = {"slot": name, "candidates": [_candidate(d) for _ in range(d.one(0, 1, 2))]}
    slot["default"] = d.one("none", "none", "c.1")
    if name == "home":
        slot["also"] = ["app"]
        slot |= d.one({}, {}, {}, {"include": {"beside": "side"}})
    if d.maybe(3):
        slot["items"] = 3
    if d.maybe(6):
        slot["only"] = d.condition()
    if d.maybe(4):
        slot["with"] = {"since": 'count("bought", "1h")', "zone": '"slot"'}
    return slot


def _candidate(d: Draw) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": d.one(*CARDS), "priority": d.one(30, 50, 50, 70)}
    if d.maybe():
        candidate["when"] = d.condition()
    if d.maybe():
        candidate["rank"] = d.one("1.0", "-1.0", 'double(count("seen", "1h"))')
    if d.maybe(4):
        candidate["with"] = {"zone": '"candidate"'}
    return candidate


def show(d: Draw, depth: int = 0, sends: list[str] | None = None) -> dict[str, Any]:
    """A step that places something."""
    named = d.one(["home"], ["app"], ["side"], ["home", "side"])
    step: dict[str, Any] = {"slots": named, "content": d.one(*CARDS)}
    if d.maybe(2):
        step["for"] = d.one("5m", "10m", "1h", "1d")
    if d.maybe(2):
        step["limit"] = d.one(1, 2)
    if d.maybe():
        step["priority"] = d.one(30, 50, 70)
    if d.maybe():
        step["with"] = {"since": "entry.meta.type", "zone": '"show"'}
    return {"id": d.id("show"), "show": step}


def showing(d: Draw) -> dict[str, Any]:
    """A short story of placements."""
    first, second = show(d), show(d)
    wait = {"on": d.one("slot_shown", "slot_shown", "clicked"), "of": first["id"], "timeout": d.one("10m", "1h")}
    waits = {"id": "wait", "wait_until": wait}
    delay = {"id": "stay", "delay": {"for": d.one("5m", "10m", "1h")}}
    again = {"id": "back", "go_to": {"step": first["id"], "limit": d.one(1, 2)}}
    branches = [{"name": "left", "steps": [second, delay]}, {"name": "right", "steps": [show(d)]}]
    beside = {"id": "both", "parallel": branches}
    steps = d.one(
        [first], [first, second], [first, waits, second], [first, delay, again], [first, waits, again], [beside],
        [first, delay, second], [first, delay],
    )  # fmt: skip
    goal = d.one({}, {}, {"goal": {"on": d.one("bought", "slot_shown"), "keep_watching": d.one("0s", "10m", "1h")}})
    ends = d.one({}, {}, {"exit": [{"on": d.one("returned", "slot_shown"), "reason": "left"}]}, {"lives": "7d"})
    key = d.one({}, {}, {"re_entry": {"after": "5m"}}, {"if_live": "restart"}, {"key": "event.page"})
    priority = {"priority": d.one(30, 50, 70)}
    return {**priority, **goal, **ends, "entry": {"on": "seen", **key}, "steps": steps}


@st.composite
def looked_at(draw: Any, stream: list[Arrival]) -> list[Arrival]:
    """The stream, with questions to slots in it, and now and then somebody sees what was placed."""
    found: list[Arrival] = []
    for number, one in enumerate(stream):
        found.append(one)
        if draw(st.integers(1, 2)) == 2:
            continue
        after = stream[number + 1].at if number + 1 < len(stream) else None
        at = one.at + draw(st.sampled_from(PAUSES))
        for part in range(draw(st.integers(1, 2))):
            if after is None or at < after:
                type_ = draw(st.sampled_from((ASK, ASK, SHOWN, SHOWN)))
                found.append(Arrival(at, at, f"{type_}{number}.{part}", type_, "", _looked(draw, type_), ""))
            at += 400
    return found


def _looked(draw: Any, type_: str) -> dict[str, Any]:
    if type_ == ASK:
        return {"slot": draw(st.sampled_from(NAMES)), "channel": draw(st.sampled_from(("web", "web", "email")))}
    return {"pick": draw(st.integers(0, 2)), "placement": draw(st.sampled_from((True, True, True, False)))}
