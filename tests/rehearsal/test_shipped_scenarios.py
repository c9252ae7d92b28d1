"""The shipped bundle: lint finds no error, its tests hold and reach every step and branch."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from orchestrator.language.source.diagnostic import Severity
from orchestrator.rehearsal import report
from orchestrator.rehearsal.coverage import Coverage
from orchestrator.rehearsal.folder import Loaded, from_here, load_folder
from orchestrator.rehearsal.stage import Stage
from orchestrator.rehearsal.suite import chosen, name_of, play

FOLDER = Path("scenarios")


@cache
def loaded() -> Loaded:
    return load_folder(FOLDER, Path("topics"))


@cache
def stage() -> Stage:
    bundle = loaded().result.bundle
    assert bundle is not None, "orchestrator lint scenarios"
    return Stage(bundle)


def names() -> list[str]:
    bundle = loaded().result.bundle
    return [f"{story.at.file}: {name_of(story)}" for story in bundle.tests] if bundle is not None else []


def test_lint_finds_no_error() -> None:
    diagnostics, _ = from_here(loaded())
    assert [str(one) for one in diagnostics if one.severity is Severity.ERROR] == []


@pytest.mark.parametrize("name", names())
def test_story(name: str) -> None:
    bundle = stage().bundle
    stories = [story for story in chosen(bundle) if f"{story.at.file}: {name_of(story)}" == name]
    for outcome in play(bundle, stories, stage=stage()):
        assert not outcome.failures, report.failed(outcome, loaded().result.lines, str(FOLDER))


def test_the_tests_reach_every_step_and_branch() -> None:
    bundle = stage().bundle
    coverage = Coverage(bundle)
    for _ in play(bundle, chosen(bundle), coverage=coverage, stage=stage()):
        pass
    missing = [f"{one.scenario}: {place.name}" for one in coverage.scenarios() for place in one.missing]
    assert missing == []
