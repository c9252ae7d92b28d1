"""Small bundles, drawn: contents, a policy and scenarios, in a house that is always the same."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.reference.drawing import Draw
from tests.reference.generated_scenarios import scenario
from tests.reference.generated_traits import LASTING, ORDERED, TRAITS, UNASKED
from tests.reference.house import CHANNELS
from tests.reference.smallest import written


@st.composite
def bundles(draw: Any) -> tuple[str, bool]:
    """A bundle as YAML, and whether its events may come later than `lateness`."""
    d = Draw(draw)
    d.contents = [f"m.{number}" for number in range(1, d.one(2, 3) + 1)]
    defined = sorted({*d.traits, *LASTING, *UNASKED})
    documents: list[dict[str, Any]] = [{"traits": "all", "define": {name: TRAITS[name][0] for name in defined}}]
    documents += [_content(d, name) for name in d.contents]
    documents.append(_policy(d))
    documents += [scenario(d, f"s{number}") for number in range(1, d.one(2, 3, 4) + 1)]
    return written(documents), not ORDERED & set(d.traits)


def _content(d: Draw, name: str) -> dict[str, Any]:
    channels = d.draw(st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True))
    texts = {"email": {"subject": "S", "body": "B"}, "push": {"title": "T", "text": "X"}, "sms": {"text": "X"}}
    content: dict[str, Any] = {
        "content": name,
        "class": d.one("marketing", "marketing", "marketing", "service", "transactional"),
        "valid_for": d.one("10m", "2h", "3d"),
        "with": {"page": '"fixed"'},
        "variants": {channel: texts[channel] for channel in channels},
    }
    if d.maybe():
        content["topic"] = d.one("t1", "t2")
    if d.maybe():
        content["about"] = [d.one("p1", "p2")]
    if d.maybe(4):
        content["suits"] = d.condition()
    if d.maybe(4):
        content["requires"] = d.condition()
        content["class"] = "marketing"
        if name != "m.1":
            content["instead"] = "m.1"
    if d.maybe(6):
        content["once"] = d.condition()
    if name == "m.1":
        content["class"] = "marketing"
    return content


def _policy(d: Draw) -> dict[str, Any]:
    policy: dict[str, Any] = {"policy": "all", "preferred_order": list(d.draw(st.permutations(CHANNELS)))}
    if d.maybe(2):
        quiet = {"from": "21:00", "to": "08:00", "on_hit": d.one("hold", "hold", "skip")}
        policy["quiet_hours"] = [
            {**quiet, **({"channels": ["push", "sms"]} if d.maybe(2) else {"except": ["service"]})}
        ]
    if d.maybe(2):
        policy["caps"] = [_cap(d) for _ in range(d.one(1, 2))]
    if d.maybe(2):
        policy["redundancy"] = {"per": "topic", "for": d.one("10m", "2h", "7d")}
        if d.maybe():
            policy["redundancy"]["channels"] = ["email", "push"]
    if d.maybe():
        policy["min_gap"] = [
            {"class": "marketing", "gap": d.one("5m", "1h"), "on_hit": d.one("skip", "hold", "next_channel")}
        ]
        if d.maybe(2):
            policy["min_gap"][0]["channel"] = d.one(*CHANNELS)
    if d.maybe(2):
        policy["pauses"] = [_pause(d)]
    if d.maybe(4):
        policy["one_per_moment"] = d.one([], ["marketing", "service"])
    if d.maybe(2):
        policy["browse_delay"] = d.one("10m", "0s")
    return policy


def _cap(d: Draw) -> dict[str, Any]:
    cap: dict[str, Any] = {"limit": d.one(1, 1, 2), "per": d.one("10m", "2h", "1d", "day", "week")}
    if d.maybe(2):
        cap["class"] = "marketing"
    if d.maybe(2):
        cap["channel"] = d.one(*CHANNELS)
    if d.maybe(5):
        cap["scenario"] = "s1"
    cap["on_hit"] = d.one("skip", "hold", "next_channel") if "channel" in cap else d.one("skip", "hold")
    return cap


def _pause(d: Draw) -> dict[str, Any]:
    pause: dict[str, Any] = {"name": "pause_1", "while": d.one(*d.lasting), "class": "marketing"}
    if d.maybe(2):
        pause["and_then"] = d.one("10m", "1h")
    if d.maybe():
        pause["longest"] = d.one("30m", "2h")
    if d.maybe(4):
        pause["on_hit"] = "cancel"
    return pause
