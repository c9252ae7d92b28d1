"""Bundles of one rule and a few short stories, in which few durations meet: they aim at the edges of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.reference.drawing import FACTS_ASKED
from tests.reference.generated_conversations import conversation, conversing
from tests.reference.generated_policies import RULES, one_rule
from tests.reference.generated_slots import showing, slots
from tests.reference.generated_traits import LASTING, NEEDS, ORDERED, TRAITS, UNASKED, UNSPOKEN
from tests.reference.smallest import written

if TYPE_CHECKING:
    from tests.reference.drawing import Draw

SPOKEN: Final = frozenset(TRAITS) - UNSPOKEN - {*NEEDS, "zone", "preferred_channel", "preferred_hours", "topics"}
OF_A_ZONE: Final = frozenset({"quiet", "clock", "schedule"})
ONCE: Final = ("none", "any cap", "gap", "redundancy", "quiet", "pause")
"""Rules that a message on its next channel meets."""
VARIANTS: Final = {
    "email": {"subject": "S", "body": "B"}, "push": {"title": "T", "text": "X"}, "sms": {"text": "X"},
}  # fmt: skip


def small(d: Draw, about: str = "") -> tuple[str, bool]:
    """A bundle as YAML, and whether its events may come later than `lateness`.

    Args:
        d: draws.
        about: a rule (`RULES`) or a story (`STORIES`), any without.
    """
    about = about or d.one(*RULES, *STORIES)
    more = SPOKEN if about == "traits" else {"zone"} if about in OF_A_ZONE else {"cart"} if about == "basket" else set()
    defined = sorted({*d.traits, *LASTING, *UNASKED, *more})
    documents: list[dict[str, Any]] = [{"traits": "all", "define": {name: TRAITS[name][0] for name in defined}}]
    values = {name: f"profile.{name}" for name in SPOKEN & {*defined}} if about == "traits" else d.values()
    documents.append({
        "content": "m.1", "valid_for": d.one("10m", "1h", "3d", "3d"), "with": values, "variants": VARIANTS,
    })  # fmt: skip
    if about == "fallback":
        documents[-1]["class"] = d.one("marketing", "service", "transactional")
    if about == "owner" or d.maybe():
        documents[-1]["about"] = ["p1"]
    if about == "conversation":
        documents.append(conversation(d))
    if about == "showing":
        documents += slots(d)
    documents.append(one_rule(d, about if about in RULES else d.one(*ONCE) if about == "fallback" else "none"))
    stories = [STORIES[about](d)] if about in STORIES else [_sends(d)]
    if d.maybe() or about == "owner":
        stories.append(showing(d) if about == "showing" else _sends(d))
    on = "told" if about in OF_A_ZONE else d.one("seen", "bought", "case_opened")
    for number, story in enumerate(stories, 1):
        documents.append({"scenario": f"s{number}", "entry": {"on": on}, **story})
    return written(documents), not ORDERED & set(defined)


def _sends(d: Draw) -> dict[str, Any]:
    first = d.one([], [], [{"id": "wait", "delay": {"for": d.one("10m", "1h")}}])
    return {"steps": [*first, _send("one"), *d.one([], [_send("two")])]}


def _send(name: str) -> dict[str, Any]:
    return {"id": name, "send": {"content": "m.1"}}


def _wait(d: Draw) -> dict[str, Any]:
    wait = {"on": d.one("put", "bought", "seen"), "timeout": d.one("10m", "1h"), **d.one({}, {"grace": "10m"})}
    return {"steps": [{"id": "wait", "wait_until": wait, "then": [_send("then")], "on_timeout": [_send("late")]}]}


def _silence(d: Draw) -> dict[str, Any]:
    silence = {"of": [d.one("seen", "idle", "put")], "for": d.one("10m", "1h"), **d.one({}, {"grace": "5m"})}
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


def _becomes(d: Draw) -> dict[str, Any]:
    return {"entry": {"becomes": d.condition(), "re_entry": {"after": "10m"}}, "steps": [_send("one")]}


def _unknown(d: Draw) -> dict[str, Any]:
    """What it asks is known only when something was bought."""
    asked = 'since("bought") < duration("30m")'
    ends = d.one({"while": asked}, {"exit": [{"when": asked, "reason": "level"}]})
    return {**ends, "steps": [{"id": "far", "delay": {"for": "1h"}}, _send("one")]}


def _basket(d: Draw) -> dict[str, Any]:
    """It hears of nothing but what comes into a basket and goes out of it."""
    wait = {"on": ["put", "taken"], "timeout": d.one("10m", "1h")}
    return {
        "entry": {"on": ["put", "taken"]},
        "exit": [{"on": "emptied", "reason": "left"}],
        "steps": [{"id": "wait", "wait_until": wait}],
    }


def _held_out(d: Draw) -> dict[str, Any]:
    return {"holdout": d.one("30%", "50%", "70%"), "steps": [_send("one")], **d.one({}, {"goal": {"on": "bought"}})}


def _late(d: Draw) -> dict[str, Any]:
    """Who may end it has happened already when it begins, now and then."""
    return {"exit": [{**d.heard(), "reason": "left"}], "steps": [{"id": "far", "delay": {"for": "1h"}}]}


def _follow(d: Draw) -> dict[str, Any]:
    """Two tracks side by side, of which each may be on its way still when the next version comes."""
    left = {"id": "quiet", "silence": {"of": ["put"], "for": d.one("5m", "10m", "1h")}}
    right = {"id": "wait", "wait_until": {"on": d.one("put", "seen"), "timeout": d.one("5m", "1h")}}
    late = {"id": "late", "delay": {"for": d.one("10m", "1h", "2h")}}
    send = {"id": "one", "send": {"content": "m.1", **d.one({}, {"fallback": {"after": d.one("10m", "1h")}})}}
    tracks = [[left, *d.one([send], [{"id": "later", "delay": {"for": "1h"}}])], [*d.one([right], []), late]]
    both = [{"name": name, "steps": steps} for name, steps in zip(("left", "right"), tracks, strict=True)]
    inner = {"id": "both", "parallel": both}
    if d.maybe():
        outer = {"name": "inside", "steps": [inner, {"id": "rest", "delay": {"for": "10m"}}]}
        beside = {"name": "beside", "steps": [{"id": "far", "delay": {"for": d.one("5m", "1h")}}]}
        inner = {"id": "all", "parallel": [outer, beside]}
    return {"steps": [inner, {"id": "then", "delay": {"for": "5m"}}, *d.one([], [_send("end")])]}


def _stopping(d: Draw) -> dict[str, Any]:
    """It stops itself when customers do not like what it says."""
    rule = {
        "on": d.one("case_opened", ["clicked", "told"]), "over": d.one("0%", "30%", "50%"),
        "in": d.one("10m", "1h", "1d"), "at_least": d.one(1, 1, 2, 3),
    }  # fmt: skip
    fallback = d.one({}, {}, {"fallback": {"after": d.one("5m", "10m")}})
    later = [{"id": "wait", "delay": {"for": d.one("5m", "10m")}}, _send("two")]
    return {"stop_when": rule, "steps": [{"id": "one", "send": {"content": "m.1", **fallback}}, *d.one([], later)]}


def _facts(d: Draw) -> dict[str, Any]:
    """What it waits for, and what ends it, is the same for everyone."""
    fact = d.one(*FACTS_ASKED)
    wait = {"id": "level", "wait_until": {"when": d.one(*FACTS_ASKED[fact]), "timeout": d.one("10m", "1h", "1d")}}
    split = {"id": "split", "split": [{"when": d.one(*FACTS_ASKED[fact]), "then": [_send("two")]}]}
    level = d.one(*FACTS_ASKED[d.one(fact, *FACTS_ASKED)])
    ends = d.one({}, {"while": level}, {"exit": [{"when": level, "reason": "level"}]})
    entry = d.one({}, {}, {"entry": {"becomes": d.one(*FACTS_ASKED[fact]), "re_entry": {"after": "10m"}}})
    rest = d.one({}, {"goal": {"on": "case_closed", "keep_watching": "1h"}})
    first = d.one([wait], [wait], [{"id": "wait", "delay": {"for": "1h"}}], [split, wait])
    return {**entry, **ends, **rest, "steps": [*first, _send("one")]}


def _referring(d: Draw) -> dict[str, Any]:
    """Of an order or a case, of which later only the number is told."""
    order = {"on": "bought", "key": "event.order"}
    case = {"on": "case_opened", "key": "event.case"}
    told = {
        "bought": ("returned", "event.order == entry.order"),
        "case_opened": ("case_closed", "event.case == entry.case"),
    }
    entry = d.one(order, case)
    on, where = told[entry["on"]]
    wait = {"id": "wait", "wait_until": {"on": on, "where": where, "timeout": d.one("10m", "1h")}}
    silence = {"id": "quiet", "silence": {"of": [on], "for": d.one("10m", "1h")}}
    ends = d.one({}, {"exit": [{"on": on, "where": where, "reason": "left"}]}, {"goal": {"on": on}})
    return {"labels": {"about": "references"}, "entry": entry, **ends, "steps": [d.one(wait, silence), _send("one")]}


def _fallback(d: Draw) -> dict[str, Any]:
    """It goes out again while the story goes on, and an answer to either may be waited for."""
    send = {"content": "m.1", "fallback": {"after": d.one("5m", "10m", "1h"), "times": d.one(1, 2, 2)}}
    wait = {"id": "wait", "wait_until": {"on": "opened", "of": "one", "timeout": d.one("10m", "1h")}}
    goal = d.one({}, {"goal": {"on": "bought", "keep_watching": d.one("10m", "1h")}})
    return {**goal, "steps": [{"id": "one", "send": send}, *d.one([], [wait], [_send("two")], [wait, _send("two")])]}


STORIES: Final[dict[str, Any]] = {
    "wait": _wait, "silence": _silence, "level": _level, "owner": _owner, "goal": _goal, "again": _again,
    "sequence": _sequence, "clock": _clock, "schedule": _schedule, "short": _short, "held out": _held_out,
    "traits": _sends, "basket": _basket, "late": _late, "becomes": _becomes, "unknown": _unknown,
    "references": _referring, "stopping": _stopping, "facts": _facts, "conversation": conversing, "fallback": _fallback,
    "follow": _follow, "showing": showing,
}  # fmt: skip
"""Stories, by what they are about."""
