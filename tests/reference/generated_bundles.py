"""Small bundles, drawn: a house that is always the same, and scenarios, traits, contents and a policy that are not."""

from __future__ import annotations

from typing import Any, Final

import yaml
from hypothesis import strategies as st

from orchestrator.language.bundle import EventSchemas

_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_ABOUT_MESSAGE = {"properties": {"message": _TEXT, "content": _TEXT}}
SCHEMAS: Final = EventSchemas.from_topics([
    {"topic": "channel.web", "events": {
        "seen": {"properties": {
            "page": _TEXT, "seconds": _NUMBER, "n": _WHOLE, "tags": {"type": "array", "items": _TEXT},
        }},
        "bought": {"properties": {"order": _TEXT, "total": _NUMBER}},
        "returned": {"properties": {"order": _TEXT, "share": _NUMBER}},
        "told": {"properties": {"word": _TEXT, "value": _TEXT}},
        "case_opened": {"properties": {"case": _TEXT}},
        "case_closed": {"properties": {"case": _TEXT}},
        "idle": {"properties": {"page": _TEXT}},
    }},
    {"topic": "channel.email", "events": {"opened": _ABOUT_MESSAGE, "clicked": _ABOUT_MESSAGE}},
])  # fmt: skip

HOUSE: Final = """
bundle: generated
language: en
zone: Europe/Paris
lateness: 10m
---
channels: all
define:
  email: {sends: push, address: email}
  push: {sends: push, address: device}
  sms: {sends: push, address: phone}
  web: {sends: pull, respond_within: 2h}
---
events: all
define:
  seen: {channel: [web], browsing: true}
  bought: {channel: [web]}
  returned: {channel: [web]}
  told: {channel: [web]}
  case_opened: {channel: [web]}
  case_closed: {channel: [web]}
  idle: {channel: [web], activity: false}
  opened: {channel: [email]}
  clicked: {channel: [email]}
---
identity: all
namespaces: {user_id: unique, email: unique, phone: shared, device: shared}
---
consent: all
rules:
  - {on: told, where: 'event.word == "yes"', grant: {channel: {is: event.value}, purpose: product}}
  - {on: told, where: 'event.word == "all of it"', grant: {channel: {is: event.value}, purpose: all}}
  - {on: told, where: 'event.word == "no"', deny: {channel: {is: event.value}, purpose: product}}
  - {on: told, where: 'event.word == "never"', deny: {channel: {is: event.value}, purpose: all}}
  - {on: told, where: 'event.word == "nothing"', deny: {channel: all, purpose: all}}
"""

PAGES: Final = ("a", "b", "c")
CHANNELS: Final = ("email", "push", "sms")
WAITS: Final = ("5m", "10m", "30m", "1h", "2h", "1d")

EVENT_CONDITIONS: Final[dict[str, tuple[str, ...]]] = {
    "seen": (
        'event.page == "a"', 'event.page != "b"', "event.seconds >= 30.0", "event.n > 1", "has(event.page)",
        'event.page in ["a", "c"]', 'count("seen", "30m") >= 2', "!event.meta.late",
    ),
    "bought": ("event.total > 50.0", 'event.order == "o1"', 'seen("seen", "1h")'),
    "returned": ('event.order == "o1"', "event.share > 0.3"),
    "told": ('event.word == "yes"', 'event.value == "email"'),
    "case_opened": ('event.case == "c1"',),
    "case_closed": ('event.case == "c1"',),
    "idle": ('event.page == "a"',),
    "opened": ("has(event.message)",),
    "clicked": ("has(event.message)",),
    "contact_sent": ('event.channel == "email"',),
    "contact_suppressed": ('event.reason == "capped"', 'event.reason != ""'),
    "entered": ('event.scenario == "s1"',),
    "exited": ('event.outcome == "won"', 'event.scenario == "s1"'),
    "consent_changed": ("event.granted",),
    "task_opened": ('event.queue == "care"',),
    "task_overdue": ('event.queue == "care"',),
}  # fmt: skip
CUSTOMER_EVENTS: Final = (
    "seen",
    "bought",
    "returned",
    "told",
    "case_opened",
    "case_closed",
    "idle",
    "opened",
    "clicked",
)
MADE_EVENTS: Final = ("contact_sent", "contact_suppressed", "entered", "exited", "consent_changed", "task_overdue")

# Traits, each with what conditions may ask of it.
_SCORE_LINES: Final = [
    {"on": "seen", "add": 5, "once_per": "10m"},
    {"on": "bought", "add": 10},
    {"on": "seen", "where": "event.n > 1", "add": 3},
]
TRAITS: Final[dict[str, tuple[dict[str, Any], tuple[str, ...]]]] = {
    "visits": ({"on": "seen", "count": "true"}, ("profile.visits >= 2", "profile.visits < 3")),
    "long_visits": ({"on": "seen", "count": "event.seconds >= 30.0", "window": "30m"}, ("profile.long_visits >= 1",)),
    "spent": ({"on": "bought", "sum": "event.total"}, ("profile.spent >= 100.0",)),
    "spent_lately": ({"on": "bought", "sum": "event.total", "window": "1h"}, ("profile.spent_lately < 60.0",)),
    "first_page": ({"on": "seen", "first": "event.page"}, ('profile.first_page == "a"',)),
    "last_page": ({"on": ["seen", "idle"], "last": "event.page"},
                  ('profile.last_page == "a"', 'profile.last_page != "b"')),
    "page_now": ({"on": "seen", "last": "event.page", "keep_for": "30m"}, ('profile.page_now == ""',)),
    "level": ({"last": [
        {"on": "told", "where": 'event.word == "level"', "value": "event.value"},
        {"on": "seen", "where": "event.n > 1", "value": "event.page"},
    ]}, ('profile.level == "a"', 'profile.level != ""')),
    "pages": ({"on": "seen", "set": "event.page", "remove": [{"on": "idle", "value": "event.page"}]},
              ('"a" in profile.pages', "size(profile.pages) >= 2")),
    "tags": ({"on": "seen", "each": "event.tags", "set": "item"}, ('"x" in profile.tags',)),
    "recent": ({"on": "seen", "where": "has(event.page)", "list": "{'page': event.page}", "keep": 3},
               ("size(profile.recent) == 3",)),
    "heat": ({"score": _SCORE_LINES}, ("profile.heat >= 15.0",)),
    "warmth": ({"half_life": "1h", "score": _SCORE_LINES}, ("profile.warmth >= 12.0",)),
    "streak": ({"reset_after": "30m", "score": _SCORE_LINES}, ("profile.streak >= 10.0",)),
    "interest": ({"per": "event.page", "score": _SCORE_LINES[:1]}, ('profile.interest["a"] >= 10.0',)),
    "views": ({"on": "seen", "per": "event.page", "count": "true"}, ('profile.views["b"] >= 1',)),
    "stage": ({"per": "key_of(interest)", "choose": [
        {"when": "profile.interest[key] >= 10.0", "is": "hot"}, {"when": "profile.interest[key] >= 5.0", "is": "warm"},
    ], "else": "cold"}, ('profile.stage["a"] == "hot"',)),
    "points": ({"ledger": [
        {"on": "bought", "amount": "event.total", "ref": "event.order"},
        {"on": "returned", "reverse": "event.order", "share": "event.share"},
    ]}, ("profile.points >= 60.0",)),
    "case": ({"flag": {"on": "case_opened", "off": "case_closed", "longest": "2h"}}, ("profile.case", "!profile.case")),
    "mood": ({"stored": "string"}, ('profile.mood == "good"',)),
    "usual": ({"on": "seen", "where": "has(event.page)", "most": "event.page", "share": "50%"},
              ('profile.usual == "a"',)),
    "biggest": ({"on": "bought", "best": "event.order", "by": "event.total"}, ('profile.biggest == "o1"',)),
    "mail": ({"on": "contact_sent", "count": "true"}, ("profile.mail >= 1",)),
    "kind": ({"choose": [{"when": 'count("bought", "1h") > 0', "is": "buyer"}], "else": "visitor"},
             ('profile.kind == "buyer"',)),
    "preferred_channel": ({"on": "told", "where": 'event.word == "prefer"', "last": "event.value"}, ()),
    "topics": ({"on": "told", "where": 'event.word == "likes"', "set": "event.value"}, ()),
    "preferred_hours": ({"on": "told", "where": 'event.word == "hours"', "last": "event.value"}, ()),
}  # fmt: skip
ORDERED: Final = frozenset({"heat", "warmth", "streak", "interest", "stage"})
"""What the engine keeps in order for `lateness` only: no bundle has both these and events later than that."""
NEEDS: Final = {"stage": "interest"}
LASTING: Final = frozenset({"visits", "spent", "first_page", "last_page", "level", "pages", "tags", "recent", "points"})
"""What time alone does not change: when a pause began and ended is known of these."""
UNASKED: Final = ("long_visits", "spent_lately", "page_now", "views", "case", "usual", "biggest", "mail")
"""These are in every bundle, to be compared at the end; conditions read only what was drawn."""
CONSENTED: Final = "profile.consent.push.product"
ALWAYS_ASKED: Final = ('count("bought", "1h") > 0', 'seen("told", "2h")', CONSENTED, 'live("s1")')


class Draw:
    """What is drawn for one bundle."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.steps = 0
        names = draw(st.lists(st.sampled_from(sorted(TRAITS)), min_size=2, max_size=4, unique=True))
        self.traits = sorted({*names, *(NEEDS[name] for name in names if name in NEEDS)})
        self.conditions = [*ALWAYS_ASKED, *(one for name in self.traits for one in TRAITS[name][1])]
        self.lasting = [*(one for name in self.traits if name in LASTING for one in TRAITS[name][1]), CONSENTED]
        self.contents: list[str] = []

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def maybe(self, chance: int = 3) -> bool:
        """True one time in so many."""
        return bool(self.draw(st.integers(1, chance)) == chance)

    def condition(self) -> str:
        return str(self.one(*self.conditions))

    def heard(self, *more: str) -> dict[str, Any]:
        """`on`, and sometimes `where`."""
        on = self.one(*CUSTOMER_EVENTS, "seen", "seen", "bought", *more)
        heard: dict[str, Any] = {"on": on}
        if self.maybe(3):
            heard["where"] = self.one(*EVENT_CONDITIONS[on])
        if "where" not in heard and self.maybe(4):
            heard["on"] = [on, *{"clicked", "bought"} - {on}]
        return heard

    def id(self, word: str) -> str:
        self.steps += 1
        return f"{word}{self.steps}"


class _Plain(yaml.SafeDumper):
    """YAML without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@st.composite
def bundles(draw: Any) -> tuple[str, bool]:
    """A bundle as YAML, and whether its events may come later than `lateness`."""
    d = Draw(draw)
    d.contents = [f"m.{number}" for number in range(1, d.one(2, 3) + 1)]
    defined = sorted({*d.traits, *LASTING, *UNASKED})
    documents: list[dict[str, Any]] = [{"traits": "all", "define": {name: TRAITS[name][0] for name in defined}}]
    documents += [_content(d, name) for name in d.contents]
    documents.append(_policy(d))
    documents += [_scenario(d, f"s{number}") for number in range(1, d.one(2, 3, 4) + 1)]
    text = yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=118)
    return HOUSE + "---\n" + text, not ORDERED & set(d.traits)


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


def _scenario(d: Draw, name: str) -> dict[str, Any]:
    scenario: dict[str, Any] = {"scenario": name, "priority": d.one(30, 50, 50, 70)}
    if d.maybe(5):
        scenario["audience"] = d.condition()
    if d.maybe(6):
        scenario["while"] = d.condition()
    if d.maybe(4):
        scenario["owns"] = [d.one("p1", "p2")]
    if d.maybe(5):
        scenario["score"] = d.one('double(count("seen", "1h"))', "1.5")
    scenario["entry"] = _entry(d)
    if d.maybe(2):
        scenario["goal"] = {**d.heard(), "keep_watching": d.one("0s", "30m", "7d")}
    if d.maybe(2):
        ends: list[dict[str, Any]] = []
        if d.maybe(2):
            ends.append({**d.heard(), "reason": "left"})
        if not ends or d.maybe():
            ends.append({"when": d.condition(), "reason": "level"})
        scenario["exit"] = ends
    if d.maybe(6):
        scenario["lives"] = d.one("7d", "20d")
    scenario["steps"] = _steps(d, 2)
    return scenario


def _entry(d: Draw) -> dict[str, Any]:
    kind = d.one("on", "on", "on", "on", "each", "becomes", "sequence")
    entry: dict[str, Any] = {}
    if kind == "on":
        entry = d.heard(*MADE_EVENTS)
        if entry["on"] == "seen" and d.maybe(3):
            entry["key"] = "event.page"
    elif kind == "each":
        entry = {"on": "seen", "each": "event.tags", "key": "item"}
        if d.maybe(2):
            entry["where"] = 'item != "y"'
    elif kind == "becomes":
        entry = {"becomes": d.condition()}
        if "visits" in d.traits and d.maybe(2):
            entry = {"becomes": "profile.visits >= 2", "key": "string(profile.visits / 2)"}
    else:
        second = d.one("event.page != first.page", "event.page == first.page", "event.seconds >= 30.0")
        entry = {
            "sequence": [{"as": "first", "on": "seen"}, {"on": "seen", "where": second}],
            "within": d.one("5m", "30m"),
        }
    if entry.get("on") in MADE_EVENTS or kind == "becomes":  # else scenarios could start each other for ever
        entry["re_entry"] = d.one("never", {"after": "1d"})
    elif d.maybe():
        entry["re_entry"] = d.one("never", {"after": "30m"}, {"after": "1d"})
    if d.maybe():
        entry["if_live"] = "restart"
    return entry


def _steps(d: Draw, depth: int, prefix: tuple[str, ...] = (), may_end: bool = False) -> list[dict[str, Any]]:
    """Steps of one list; `prefix` are sends that were passed on the way here; an end needs another way round it."""
    steps: list[dict[str, Any]] = []
    sends = list(prefix)
    for _ in range(d.one(1, 2, 3) if depth < 2 else d.one(2, 3, 4)):
        word = d.one(
            "send", "send", "send", "wait", "wait", "delay", "silence", "any", "when", "split", "task", "set", "award",
            "parallel",
        )  # fmt: skip
        if depth == 0 and word in {"split", "parallel", "any"}:
            word = "send"
        steps.append(_STEPS[word](d, depth, sends))
        if "send" in steps[-1]:
            sends.append(steps[-1]["id"])
    if depth == 2 and d.maybe(5):
        steps.append({"id": d.id("back"), "go_to": {"step": steps[0]["id"], "limit": d.one(1, 2)}})
    elif may_end and d.maybe(4):
        steps.append(
            {"id": d.id("end"), "end": d.one({}, {"outcome": "won"}, {"outcome": "lost", "reason": "given_up"})}
        )
    return steps


def _send(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    send: dict[str, Any] = {"content": d.one(*d.contents)}
    if d.maybe(2):
        send["channel"] = d.one("email", "push", ["sms", "preferred"], "last_used", ["last_used", "email"])
    if d.maybe(4):
        send["with"] = {"times": 'count("seen", "1h")', "since": "entry.meta.type"}
    if d.maybe(6):
        send["on_unsent"] = "exit"
    return {"id": d.id("send"), "send": send}


def _wait(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    wait: dict[str, Any] = d.heard("contact_sent", "task_overdue")
    if sends and d.maybe(2):
        wait = {"on": d.one("opened", "clicked", "email.opened"), "of": d.one(*sends)}
    wait["timeout"] = d.one(*WAITS)
    if d.maybe():
        wait["grace"] = d.one("5m", "10m")
    return {"id": d.id("wait"), "wait_until": wait, **_beside(d, depth, sends, "then", "on_timeout")}


def _any(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    branches = []
    for name in ("one", "two"):
        branch = {"name": f"{name}{d.steps}", **d.heard()}
        if d.maybe(2):
            branch["then"] = _steps(d, depth - 1, tuple(sends))
        branches.append(branch)
    wait: dict[str, Any] = {"any": branches, "timeout": d.one(*WAITS)}
    if d.maybe():
        wait["grace"] = "5m"
    return {"id": d.id("any"), "wait_until": wait, **_beside(d, depth, sends, "on_timeout")}


def _when(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    wait = {"when": d.condition(), "timeout": d.one(*WAITS)}
    return {"id": d.id("when"), "wait_until": wait, **_beside(d, depth, sends, "then", "on_timeout")}


def _beside(d: Draw, depth: int, sends: list[str], *branches: str) -> dict[str, Any]:
    drawn = [name for name in branches if depth and d.maybe(3)]
    return {name: _steps(d, depth - 1, tuple(sends), len(drawn) < 2) for name in drawn}


def _delay(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    exactly = [{"for": wait} for wait in WAITS]
    of_the_clock = [
        {"time": "10:00"},
        {"time": "21:30", "days_later": 1},
        {"time": "09:00", "weekdays": ["wed", "sun"]},
    ]
    delay = d.one(*exactly, *of_the_clock, {"until": 'entry.meta.time + duration("20m")'})
    return {"id": d.id("delay"), "delay": delay}


def _silence(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    heard = d.heard()
    of = heard.pop("on")
    silence = {"of": of if isinstance(of, list) else [of], **heard, "for": d.one(*WAITS)}
    if d.maybe():
        silence["grace"] = d.one("5m", "10m")
    return {"id": d.id("silence"), "silence": silence}


def _split(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    asked = [d.condition(), *(f"steps.{send}.sent" for send in sends)]
    otherwise = _beside(d, depth, sends, "else")
    cases = [
        {"when": d.one(*asked), "then": _steps(d, depth - 1, tuple(sends), not otherwise)} for _ in range(d.one(1, 2))
    ]
    return {"id": d.id("split"), "split": cases, **otherwise}


def _task(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    task: dict[str, Any] = {"queue": d.one("care", "shop")}
    if d.maybe(2):
        task["due"] = d.one("10m", "1h")
    if d.maybe():
        task["key"] = '"shared"'
    if d.maybe():
        task["close_on"] = [d.heard()]
    if d.maybe():
        task["on_exit"] = "withdraw"
    task["with"] = {"n": 'count("seen", "1h")', "since": "entry.meta.type"}
    return {"id": d.id("task"), "task": task}


def _set(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"vars": {"n": 'count("seen", "2h")'}}
    if "mood" in d.traits:
        values["profile"] = {"mood": d.one('"good"', '"bad"')}
    return {"id": d.id("set"), "set": values}


def _award(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    if "points" not in d.traits:
        return _set(d, depth, sends)
    return {"id": d.id("award"), "award": {"ledger": "points", "amount": "10.0", "ref": d.one('"once"', '"o1"')}}


def _parallel(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    tracks = [{"name": name, "steps": _steps(d, 0, tuple(sends))} for name in ("left", "right")]
    return {"id": d.id("both"), "parallel": tracks}


_STEPS: Final[dict[str, Any]] = {
    "send": _send, "wait": _wait, "any": _any, "when": _when, "delay": _delay, "silence": _silence, "split": _split,
    "task": _task, "set": _set, "award": _award, "parallel": _parallel,
}  # fmt: skip
