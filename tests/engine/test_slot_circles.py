"""Slots include others; one inside itself is not answered again. Lint refuses such a bundle (E-CIRCLE)."""

import dataclasses
from typing import Any

from play import Play

from orchestrator.rehearsal.asking import ask

SLOTS = """
slot: web.card
also: [app.card]
candidates: []
default: none
include: {more: web.more}
---
slot: web.more
candidates: []
default: none
---
slot: web.other
candidates: []
default: none
include: {one: web.more, two: web.more}
"""


def answered(play: Play, slot: str) -> dict[str, Any]:
    return ask(play.world, slot, ["user_id:amy"], {"channel": "web"}, on_record=False)


def test_a_circle_ends_where_it_would_begin_again() -> None:
    play = Play(SLOTS)
    slots = play.program.slots
    slots["web.more"] = dataclasses.replace(slots["web.more"], include={"back": "web.card"})
    inner = answered(play, "web.card")["include"]["more"]["include"]["back"]
    assert inner == {"content": "", "reason": "too_deep", "values": {}}
    assert answered(play, "web.more")["include"]["back"]["include"]["more"]["reason"] == "too_deep"


def test_the_same_slot_may_be_included_twice() -> None:
    include = answered(Play(SLOTS), "web.other")["include"]
    assert [one["reason"] for one in include.values()] == ["fallback", "fallback"]
