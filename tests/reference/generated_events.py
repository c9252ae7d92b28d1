"""Streams of events, drawn: near each other and near the edges of timers, twice, late, and out of order."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from tests.reference.house import BRAND_EVENTS, CHANNELS, CUSTOMER_EVENTS, OUTCOMES, PAGES, REFERRING, TURNS, ZONES

S: Final = 1000
M: Final = 60 * S
H: Final = 60 * M
STARTS: Final = (
    1_772_442_000_000,  # Monday, 10:00 in Paris
    1_772_479_800_000,  # Monday, 20:30: quiet hours are near
    1_774_734_300_000,  # Saturday, 22:45: in the night to come the clock jumps from 2:00 to 3:00
)
NEWEST: Final = "$newest"
BEFORE_IT: Final = "$before it"
"""Stand for the ids of the newest message and the one before, which are known only when it is played."""


REOPEN: Final = "$reopen"
"""The type of an arrival that is no event: a person lets the scenario s1 go on."""


class Arrival(NamedTuple):
    """An event that arrives at `at`, and happened at `time`; ms after the start."""

    at: int
    time: int
    id: str
    type: str
    channel: str
    data: dict[str, Any]
    who: str = "user_id:amy"


_STEPS = st.sampled_from((0, 1, S, 30 * S, M, 5 * M, 5 * M, 10 * M, 10 * M, 20 * M, 30 * M, H, 2 * H, 24 * H))
_EDGES = st.sampled_from((-S, -1, 0, 0, 1, 150, 400, S))
_WITHIN = st.sampled_from((0, 0, 0, 0, 1, S, M, 5 * M, 10 * M - 1, 10 * M, -S, -2 * M, -5 * M))
_BEYOND = st.sampled_from((0, 0, 0, S, 10 * M, 10 * M + 1, 11 * M, 12 * M, H))
_TURN: dict[str, tuple[Any, ...]] = {
    "thread": (None, None, None, "th1", "th2"),
    "text": ("yes", "no", "spam"),
    "about": ("p1", "p2"),
    "agent": ("ag1", "ag2"),
    "in_reply_to": (None, None, "m.1", NEWEST, BEFORE_IT),
}
CHANGES: Final = {"gauge": "measured", "stock(": "counted", "price(": "priced"}
"""The event that changes a fact, by how a bundle asks for it."""
_VALUES: dict[str, dict[str, tuple[Any, ...]]] = {
    "seen": {"page": PAGES, "seconds": (5.0, 30.0, 90.5), "n": (1, 2), "tags": (["x"], ["y", "x"], ["x", "z"])},
    "bought": {"order": ("o1", "o2"), "total": (20.0, 60.0, 120.0)},
    "returned": {"order": ("o1", "o2"), "share": (0.5, 1.0)},
    "told": {
        "word": ("yes", "no", "never", "all of it", "nothing", "prefer", "likes", "level", "hours", "zone", "zone"),
        "value": CHANNELS,
    },
    "case_opened": {"case": ("c1", "c2")},
    "case_closed": {"case": ("c1", "c2")},
    "idle": {"page": PAGES},
    "put": {"cart": ("k1", "k2"), "sku": ("A", "B", "C"), "qty": (1, 2)},
    "taken": {"cart": ("k1",), "sku": ("A", "B"), "qty": (1, 2)},
    "emptied": {"cart": ("k1",)},
    "opened": {"message": (NEWEST,), "content": ("m.1",)},
    "clicked": {"message": (NEWEST,)},
    "measured": {"gauge": ("g1", "g1", "g2"), "level": (2.0, 7.0, 12.0), "mood": ("good", "bad")},
    "counted": {"sku": ("A", "A", "B"), "place": ("p1", "p2"), "qty": (0, 1, 2)},
    "priced": {"sku": ("A", "A", "B"), "price": (2.5, 5.0, 20.0)},
    **dict.fromkeys(TURNS, _TURN),
    **{name: {"message": (NEWEST, NEWEST, NEWEST, BEFORE_IT)} for name in OUTCOMES},
}
_FITTING: dict[str, tuple[Any, ...]] = {
    "likes": ("p1", "p2"),
    "level": PAGES,
    "hours": ("9-12", "18-20"),
    "zone": ZONES,
}
_ALWAYS: Final = frozenset({"word", "value", "gauge", "place"})


_NEAR = st.sampled_from((-1, 0, 0, 0, 1))
_ARRIVES_AFTER = st.sampled_from((0, 0, 0, 1, M, 5 * M - 1, 5 * M, 5 * M + 1, 10 * M - 1))
_UNITS: Final = {"s": S, "m": M, "h": H, "d": 24 * H, "w": 7 * 24 * H}


@st.composite
def streams(draw: Any, text: str, beyond: bool) -> list[Arrival]:
    """Events by arrival; many as long after another one as one of the durations in the bundle, to the millisecond.

    Args:
        draw: Hypothesis.
        text: the bundle.
        beyond: whether some may be later than `lateness`.
    """
    found: list[Arrival] = []
    at = 0
    types, durations = _types(text), _durations(text)
    one_type, one_duration = draw(types), draw(durations)  # most of a stream is about these
    for number in range(draw(st.integers(6, 16))):
        if found and draw(st.integers(1, 8)) == 8:
            at += draw(_STEPS)
            again = draw(st.sampled_from(found))
            found.append(again._replace(at=at))
            continue
        type_ = draw(st.sampled_from((one_type, draw(types))))
        if found and draw(st.booleans()):
            time = draw(st.sampled_from(found[-3:])).time + draw(st.sampled_from((one_duration, draw(durations))))
            time += draw(_NEAR)
            at = max(at, time + draw(_ARRIVES_AFTER))
            late = min(at - time, 10 * M)
        else:
            at = max(at, at + draw(_STEPS) + draw(_EDGES))
            late = draw(_BEYOND if beyond else _WITHIN)
        found.append(Arrival(at, at - late, f"e{number}", type_, _channel(draw, type_), _data(draw, type_)))
        if type_ in REFERRING and "references" in text and draw(st.booleans()):
            found[-1] = found[-1]._replace(who="")
    return draw(reopened(found)) if "stop_when:" in text and draw(st.integers(1, 3)) == 3 else found


def _durations(text: str) -> st.SearchStrategy[int]:
    """The durations that a bundle names, ms."""
    rules = text[text.index("\npolicy:") :]
    named = [int(number) * _UNITS[unit] for number, unit in re.findall(r"\b(\d+)([smhdw])\b", rules)]
    return st.sampled_from(sorted(one for one in [*named, M] if 0 < one <= 24 * H))


def _types(text: str) -> st.SearchStrategy[str]:
    """Types of events: those that a bundle names come more often."""
    rules = text[text.index("\npolicy:") :]
    heard = [name for name in CUSTOMER_EVENTS for _ in range(min(3, len(re.findall(rf"\b{name}\b", rules))))]
    heard += [*TURNS, *TURNS, "wrote", "wrote"] if "conversation:" in text else []
    heard += [event for fact, event in CHANGES.items() if fact in text for _ in range(4)]
    heard += [*OUTCOMES, "bounced", "failed", "opened"] if "fallback:" in rules else []
    return st.sampled_from((*CUSTOMER_EVENTS, "seen", "seen", "bought", *heard, *heard, *heard))


@st.composite
def halved(draw: Any, stream: list[Arrival]) -> list[Arrival]:
    """The same stream, of two halves of a customer, until an event names both; a copy goes where the first one went.

    Shortly before they meet, both do the same.
    """
    nobodys = {*BRAND_EVENTS, REOPEN}
    theirs = [place for place, one in enumerate(stream) if place and one.who and one.type not in nobodys]
    if not theirs:
        return stream
    meets = draw(st.sampled_from(theirs))
    halves = {one.id: draw(st.sampled_from(("user_id:amy", "email:amy@example.com"))) for one in stream}
    found = [one._replace(who=one.who and halves[one.id]) for one in stream]
    found[meets] = found[meets]._replace(id=f"{found[meets].id}-meets", who="both")
    before = found[meets - 1]
    other = "user_id:amy" if before.who != "user_id:amy" else "email:amy@example.com"
    return [*found[:meets], before._replace(id=f"{before.id}-too", who=other), *found[meets:]]


@st.composite
def reopened(draw: Any, stream: list[Arrival]) -> list[Arrival]:
    """The stream, and a moment in it at which a person lets a scenario go on."""
    at = draw(st.sampled_from(stream)).at + draw(_ARRIVES_AFTER)
    reopening = Arrival(at, at, "", REOPEN, "", {})
    return [*(one for one in stream if one.at <= at), reopening, *(one for one in stream if one.at > at)]


def _channel(draw: Any, type_: str) -> str:
    if type_ in OUTCOMES:
        return str(draw(st.sampled_from(CHANNELS)))
    if type_ == "wrote":
        return str(draw(st.sampled_from(("web", "email"))))
    return "email" if type_ in {"opened", "clicked"} else "web"


def _data(draw: Any, type_: str) -> dict[str, Any]:
    """Properties; now and then one is missing."""
    data: dict[str, Any] = {}
    for name, values in _VALUES[type_].items():
        if name not in _ALWAYS and type_ not in {"counted", "priced"} and draw(st.integers(1, 6)) == 6:
            continue
        data[name] = draw(st.sampled_from(_FITTING.get(data.get("word", ""), values) if name == "value" else values))
    return data
