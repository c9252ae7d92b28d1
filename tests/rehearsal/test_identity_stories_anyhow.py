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
from orchestrator.rehearsal.suite import chosen
from orchestrator.rehearsal.world import World

if TYPE_CHECKING:
    from orchestrator.language.spec.story import Story

PARTITIONS = (1, 2, 3, 5, 8)
MINUTES = 10 * 60_000
STORIES = {
    "AMY-03b": MINUTES,
    "AMY-04a": MINUTES,
    "AMY-05g": 1_000,  # a conversation: an answer that comes before its question is another story
    "AMZ-01": MINUTES,
    "CART-02": MINUTES,
    "DATA-01": MINUTES,
    "HOL-01": MINUTES,
    "OMNI-02": MINUTES,
    "OMNI-05": MINUTES,
}
"""Story -> by how much (ms) arrivals are put off at random, with the same outcome."""


@cache
def stage() -> Stage:
    bundle = load_folder(Path("scenarios"), Path("topics")).result.bundle
    assert bundle is not None, "orchestrator lint scenarios"
    return Stage(bundle)


def story_of(name: str) -> Story:
    (story,) = chosen(stage().bundle, pattern=rf"\b{name}\b")
    return story


def on(partitions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "World", partial(World, partitions=partitions))


@pytest.mark.parametrize("name", STORIES)
def test_an_identity_story_holds_on_any_number_of_partitions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for partitions in PARTITIONS:
        on(partitions, monkeypatch)
        failures = Run(story_of(name), stage(), None).play()
        assert [str(one.message) for one in failures] == [], f"{partitions} partitions"


@pytest.mark.parametrize("name", STORIES)
def test_an_identity_story_ends_the_same_in_another_order_of_arrival(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = dataclasses.replace(story_of(name), shuffle=STORIES[name])
    for seed, partitions in enumerate(PARTITIONS * 2):
        on(partitions, monkeypatch)
        played = Run(story, stage(), None)
        assert played.play() == []
        failures = play_shuffled(story, stage(), None, played, random.Random(seed), seed)
        assert [str(one.message) for one in failures] == [], f"{partitions} partitions, seed {seed}"
