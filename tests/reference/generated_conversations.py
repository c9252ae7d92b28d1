"""Conversations, drawn: how turns become threads, and stories about what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.reference.drawing import Draw

ASKED: Final = (
    "profile.open_questions > 0",
    "profile.open_questions == 0",
    "size(profile.threads) > 1",
    'thread("th1").last.by == "agent"',
    'thread("th1").turns > 2',
    'thread("th2").open',
)


def conversation(d: Draw) -> dict[str, Any]:
    """The document of a bundle."""
    turns: list[dict[str, Any]] = [
        {"on": "wrote", "by": "customer", "text": "event.text", "about": "event.about"},
        {"on": "answered", "by": "agent", "text": "event.text"},
        {"on": "hinted", "by": "bot", "text": 'event.text + "?"'},
    ]
    if d.maybe(2):
        turns[0]["where"] = 'event.text != "spam"'
    named = d.one(["event.thread"], ["event.thread", "thread_of(event.in_reply_to)"], ["thread_of(event.in_reply_to)"])
    return {
        "conversation": "all", "turns": turns, "thread": named, "open_for": d.one("10m", "1h", "1d"),
        "closed_on": [{"on": "settled", **d.one({}, {"where": 'event.text == "yes"'})}], "keep": d.one(1, 2, 3, 20),
    }  # fmt: skip


def conversing(d: Draw) -> dict[str, Any]:
    """A story that somebody's words begin, and that others move or end."""
    send = {"content": "m.1", "thread": "entry.meta.thread", **d.one({}, {"sender": "ag1"})}
    work = {"queue": "care", "key": "entry.meta.thread", "due": "10m", "with": {"open": "profile.open_questions"}}
    closed = {"on": "answered", "where": "event.meta.thread == entry.meta.thread"}
    steps = {
        "send": {"id": "one", "send": send},
        "task": {"id": "task", "task": {**work, **d.one({}, {"close_on": [closed]})}},
        "wait": {"id": "wait", "wait_until": {**closed, "timeout": d.one("10m", "1h")}},
        "reply": {"id": "reply", "wait_until": {"on": "wrote", "of": "one", "timeout": d.one("10m", "1h")}},
        "level": {"id": "level", "wait_until": {"when": d.one(*ASKED), "timeout": d.one("10m", "1h")}},
    }
    words = d.one(["send", "wait"], ["task", "level"], ["send", "reply", "task"], ["level", "task", "wait"])
    entry = {"on": d.one("wrote", "wrote", "answered", "settled"), **d.one({}, {"key": "event.meta.thread"})}
    exits: list[dict[str, Any]] = [{"when": d.one(*ASKED), "reason": "level"}, {"on": "settled", "reason": "settled"}]
    ends = d.one({}, {"exit": exits[:1]}, {"exit": exits[1:]})
    return {"entry": d.one(entry, entry, {"becomes": d.one(*ASKED)}), **ends, "steps": [steps[word] for word in words]}
