"""Policies, drawn: rules that meet each other, and one rule alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from tests.reference.house import CHANNELS

if TYPE_CHECKING:
    from tests.reference.drawing import Draw


def policy(d: Draw) -> dict[str, Any]:
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


def one_rule(d: Draw, name: str) -> dict[str, Any]:
    """A policy of one rule."""
    drawn: dict[str, Any] = {"policy": "all", "preferred_order": list(d.draw(st.permutations(CHANNELS)))}
    return {**drawn, **RULES[name](d)}


RULES: Final[dict[str, Any]] = {
    "none": lambda _: {},
    "cap": lambda d: {"caps": [{"limit": 1, "per": d.one("10m", "1h"), **d.one({}, {}, {"on_hit": "hold"})}]},
    "any cap": lambda d: {"caps": [_cap(d), _cap(d)]},
    "gap": lambda d: {"min_gap": [{"gap": d.one("10m", "1h"), "on_hit": d.one("skip", "hold", "next_channel")}]},
    "redundancy": lambda d: {"redundancy": {"per": "topic", "for": d.one("10m", "1h")}},
    "pause": lambda d: {"pauses": [{**_pause(d), "and_then": d.one("10m", "1h")}]},
    "quiet": lambda d: {"quiet_hours": [{"from": "21:00", "to": "08:00", "on_hit": d.one("hold", "skip")}]},
    "browse": lambda d: {"browse_delay": d.one("10m", "30m")},
}
"""Policies of one rule, by what it is about."""
