"""The language's words, each in a story of its own (semantics/*.yaml), on the production engine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from orchestrator.rehearsal import report
from orchestrator.rehearsal.coverage import Coverage
from orchestrator.rehearsal.folder import load_folder
from orchestrator.rehearsal.stage import Stage
from orchestrator.rehearsal.suite import chosen, name_of, play

FOLDER = Path(__file__).parent / "semantics"


@cache
def stage() -> Stage:
    loaded = load_folder(FOLDER)
    assert loaded.result.bundle is not None, "\n".join(str(one) for one in loaded.result.diagnostics)
    return Stage(loaded.result.bundle)


def names() -> list[str]:
    return [name_of(story) for story in stage().bundle.tests]


@pytest.mark.parametrize("name", names())
def test_story(name: str) -> None:
    bundle = stage().bundle
    stories = [story for story in chosen(bundle) if name_of(story) == name]
    for outcome in play(bundle, stories, stage=stage()):
        assert not outcome.failures, report.failed(outcome, {}, str(FOLDER))


def test_the_stories_reach_every_step_and_branch() -> None:
    bundle = stage().bundle
    coverage = Coverage(bundle)
    for _ in play(bundle, chosen(bundle), coverage=coverage, stage=stage()):
        pass
    missing = [f"{one.scenario}: {place.name}" for one in coverage.scenarios() for place in one.missing]
    assert missing == []
