"""How identifiers came together and apart is seen in traces, in explain and on the timeline a channel is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from orchestrator.engine.program.build import build_program
from orchestrator.model.effect import INPUTS, Note
from orchestrator.model.ids import node_key
from orchestrator.model.message import Reset, encode_message
from orchestrator.rehearsal.explain import explain
from orchestrator.rehearsal.explain_report import as_text
from orchestrator.rehearsal.trace import said_of
from orchestrator.rehearsal.world import World
from orchestrator.stream.asking import Answered
from orchestrator.stream.asking_wire import Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.language.bundle import Bundle

START = 1_772_442_000_000
SEEN = ["page_viewed", "page_viewed", "identity_joined", "page_viewed", "identity_joined"]
USER, OTHER, EMAIL, BROWSER = "user_id:u-amy", "user_id:u-ben", "email:amy@example.com", "anonymous_id:b-1"


def comes(world: World, number: int, *nodes: str) -> None:
    data = dict(node.split(":", 1) for node in nodes) | {"page": "/"}
    record = {"id": f"e{number}", "source": "s", "type": "page_viewed", "channel": "web", "data": data}
    world.arrive("channel.web", node_key("default", nodes[0]), msgspec.json.encode(record), world.now + 1_000)


@pytest.fixture
def world(shop: Callable[..., Bundle]) -> World:
    """Amy's browser and address became one, then Ben shows Amy's address, and logs in on her browser."""
    world = World(build_program(shop()), START, partitions=5, explain=True)
    comes(world, 1, BROWSER)
    comes(world, 2, EMAIL, BROWSER)
    comes(world, 3, USER, EMAIL)
    comes(world, 4, OTHER, EMAIL)
    comes(world, 5, OTHER, BROWSER)
    return world


def told(world: World, name: str) -> str:
    return as_text(explain(world, [name], world.record.happenings), world.program, moments=True, zone="UTC")


def timeline(world: World, name: str) -> list[str]:
    question = Question("default", name, None, (), {"channel": "web"}, 1_000, context=True)
    answered = world.answer(question)
    assert isinstance(answered, Answered)
    assert answered.answer.context is not None
    return [line["type"] for line in answered.answer.context["timeline"]]


def test_explain_tells_who_joined_by_which_evidence_who_left_and_what_was_refused(world: World) -> None:
    amy, ben = told(world, USER), told(world, OTHER)
    assert f"{BROWSER} joined: {EMAIL} and {BROWSER} were seen together in page_viewed" in amy
    assert f"{EMAIL} and {BROWSER} joined: {USER} and {EMAIL} were seen together in page_viewed" in amy
    assert f"{EMAIL} and {OTHER} were seen together in page_viewed and stay apart: user_id" in amy
    assert f"{EMAIL} and {OTHER} were seen together in page_viewed and stay apart: user_id" in ben
    assert f"{BROWSER} left: moved, {OTHER} and {BROWSER} were seen together in page_viewed" in amy
    assert f"{BROWSER} began anew: moved" in ben


def test_the_timeline_has_the_steps_among_the_events_and_names_nobody(world: World) -> None:
    lines = timeline(world, USER)
    assert lines == [*SEEN, "identity_conflict", "identity_left"]
    assert "identity_conflict" in timeline(world, OTHER)


def test_a_logout_and_a_split_are_told_by_their_names(world: World) -> None:
    for apart, why in (([], "reset"), ([OTHER, EMAIL], "split")):
        world.arrive(
            INPUTS, node_key("default", EMAIL), encode_message(Reset(EMAIL, world.now, apart)), world.now + 1_000
        )
        assert f"{EMAIL} left: {why}" in told(world, USER)
        comes(world, 10 + len(apart), USER, EMAIL)


@pytest.mark.parametrize("what", ["joined", "left", "began", "conflict", "erased"])
def test_every_step_has_words(what: str) -> None:
    note = Note(f"identity_{what}", "", "", "moved", {"nodes": [EMAIL], "by": [], "event": ""})
    assert said_of(note, str)
