"""The shipped stories of people who become known: the same on any number of partitions, in other orders of arrival."""

from __future__ import annotations

import dataclasses
import random
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestrator.rehearsal import run as rehearsal
from orchestrator.rehearsal.folder import load_folder
from orchestrator.rehearsal.run import Run
from orchestrator.rehearsal.shuffle import play_shuffled
from orchestrator.rehearsal.stage import Stage
from orchestrator.rehearsal.world import World

if TYPE_CHECKING:
    from orchestrator.language.spec.story import Story

PARTITIONS = (1, 2, 3, 5, 8)
SECOND = 1_000
MINUTES = 600 * SECOND
NAMED = ("AMY-03b", "AMY-04a", "AMY-05g", "AMZ-01", "CART-02", "DATA-01", "HOL-01", "MOB-04", "OMNI-02", "OMNI-05")
"""Stories that are about identity; they must be among those that are played here."""
SPREADS = {
    "AMY-00": 0,  # conversations of four days in one: an answer that comes before its question is another story
    "AMY-03d an answer in the last second": SECOND,
    "AMY-05a": SECOND,  # a conversation
    "SBX-05": SECOND,  # a refusal counts at once
    "TP-01": 60 * SECOND,  # the spot must have been before the visit
    "TP-05": 60 * SECOND,
}
"""How a story begins -> by how much (ms) arrivals are put off at random; 10 minutes for all others."""


@cache
def stage() -> Stage:
    bundle = load_folder(Path("scenarios"), Path("topics")).result.bundle
    assert bundle is not None, "orchestrator lint scenarios"
    return Stage(bundle)


def title_of(story: Story) -> str:
    return story.test.by_language[""]


def meetings() -> list[Story]:
    """Every shipped story in which somebody is seen by more than one identifier at once."""
    tests = stage().bundle.tests
    return [story for story in tests if any(len(event.ids) > 1 for event in (*story.history, *story.events))]


STORIES = [pytest.param(story, id=title_of(story)) for story in meetings()]


def on(partitions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "World", partial(World, partitions=partitions))


def test_the_stories_of_identity_are_played() -> None:
    titles = " ".join(title_of(story) for story in meetings())
    assert [name for name in NAMED if name not in titles] == []
    assert all(any(title_of(story).startswith(name) for story in meetings()) for name in SPREADS)


@pytest.mark.parametrize("story", STORIES)
def test_a_story_of_people_who_meet_holds_on_any_number_of_partitions(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    for partitions in PARTITIONS:
        on(partitions, monkeypatch)
        failures = Run(story, stage(), None).play()
        assert [str(one.message) for one in failures] == [], f"{partitions} partitions"


@pytest.mark.parametrize("story", STORIES)
def test_a_story_of_people_who_meet_ends_the_same_in_another_order_of_arrival(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread = next((ms for name, ms in SPREADS.items() if title_of(story).startswith(name)), MINUTES)
    shuffled = dataclasses.replace(story, shuffle=spread)
    for seed, partitions in enumerate(PARTITIONS * 2 if spread else ()):
        on(partitions, monkeypatch)
        played = Run(shuffled, stage(), None)
        assert played.play() == []
        failures = play_shuffled(shuffled, stage(), None, played, random.Random(seed), seed)
        assert [str(one.message) for one in failures] == [], f"{partitions} partitions, seed {seed}"
