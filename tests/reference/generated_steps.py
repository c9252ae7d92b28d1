"""Stories, drawn: steps of every word, nested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.reference.generated_slots import show
from tests.reference.house import CALENDARS

if TYPE_CHECKING:
    from tests.reference.drawing import Draw

WAITS: Final = ("5m", "10m", "30m", "1h", "2h", "1d")


def story(d: Draw, depth: int, prefix: tuple[str, ...] = (), may_end: bool = False) -> list[dict[str, Any]]:
    """Steps of one list; `prefix` are sends that were passed on the way here; an end needs another way round it."""
    steps: list[dict[str, Any]] = []
    sends = list(prefix)
    for _ in range(d.one(1, 2, 3) if depth < 2 else d.one(2, 3, 4)):
        word = d.one(
            "send", "send", "send", "wait", "wait", "delay", "silence", "any", "when", "split", "task", "set", "award",
            "parallel", "experiment", *(["show", "show"] if d.shows else []),
        )  # fmt: skip
        if depth == 0 and word in {"split", "parallel", "any", "experiment"}:
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
    if d.maybe(4):
        send["fallback"] = {"after": d.one("5m", "10m", "1h"), "times": d.one(1, 2)}
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
            branch["then"] = story(d, depth - 1, tuple(sends))
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
    return {name: story(d, depth - 1, tuple(sends), len(drawn) < 2) for name in drawn}


def _delay(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    exactly = [{"for": wait} for wait in WAITS]
    of_the_clock = [
        {"time": "10:00"},
        {"time": "21:30", "days_later": 1},
        {"time": "09:00", "weekdays": ["wed", "sun"]},
        {"time": "02:30"},
    ]
    delay = d.one(*exactly, *of_the_clock, {"until": 'entry.meta.time + duration("20m")'})
    if d.maybe():
        delay = {**delay, "calendar": d.one(*CALENDARS)}
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
        {"when": d.one(*asked), "then": story(d, depth - 1, tuple(sends), not otherwise)} for _ in range(d.one(1, 2))
    ]
    return {"id": d.id("split"), "split": cases, **otherwise}


def _task(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    task: dict[str, Any] = {"queue": d.one("care", "shop")}
    if d.maybe(2):
        task["due"] = d.one("10m", "1h")
    if d.maybe():
        task["calendar"] = d.one(*CALENDARS)
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


def _experiment(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    weights = d.one(("50%", "50%"), ("10%", "90%"))
    variants = [
        {"name": name, "weight": weight, "then": story(d, depth - 1, tuple(sends))}
        for name, weight in zip(("a", "b"), weights, strict=True)
    ]
    return {"id": d.id("try"), "experiment": {"variants": variants}}


def _parallel(d: Draw, depth: int, sends: list[str]) -> dict[str, Any]:
    tracks = [{"name": name, "steps": story(d, 0, tuple(sends))} for name in ("left", "right")]
    return {"id": d.id("both"), "parallel": tracks}


_STEPS: Final[dict[str, Any]] = {
    "send": _send, "wait": _wait, "any": _any, "when": _when, "delay": _delay, "silence": _silence, "split": _split,
    "task": _task, "set": _set, "award": _award, "parallel": _parallel, "experiment": _experiment,
    "show": show,
}  # fmt: skip
