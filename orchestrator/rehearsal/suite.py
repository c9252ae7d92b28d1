"""All tests of a bundle: which to run, each with its languages and shuffles, and what came of them."""

from __future__ import annotations

import random
import re
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.rehearsal.run import Failure, Run
from orchestrator.rehearsal.shuffle import play_shuffled
from orchestrator.rehearsal.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle import Bundle
    from orchestrator.language.spec.story import Story
    from orchestrator.rehearsal.coverage import Coverage

SHUFFLES: Final = 3


class Outcome(NamedTuple):
    """What came of one test.

    Attributes:
        story: the test.
        name: what it shows, and the language where it was run in one.
        failures: what did not come; empty where it holds.
        run: the run with its whole record, for the trace; None where the test holds.
        seconds: how long it took.
    """

    story: Story
    name: str
    failures: tuple[Failure, ...]
    run: Run | None
    seconds: float


def name_of(story: Story, language: str = "") -> str:
    """What a test shows, in the bundle's language or any."""
    return story.test.in_language(language, "en") or next(iter(story.test.by_language.values()), "")


def chosen(bundle: Bundle, part: str = "", pattern: str | None = None) -> list[Story]:
    """The bundle's tests.

    Args:
        bundle: the bundle.
        part: only those of this file, or below this folder; "" for all.
        pattern: only those whose name this regular expression finds.

    Raises:
        re.error: the pattern is none.
    """
    wanted = re.compile(pattern) if pattern is not None else None
    return [
        story
        for story in bundle.tests
        if (not part or story.at.file == part or story.at.file.startswith(f"{part}/"))
        and (wanted is None or wanted.search(name_of(story)))
    ]


def play(
    bundle: Bundle, stories: list[Story], *, seed: int = 0, coverage: Coverage | None = None, stage: Stage | None = None
) -> Iterator[Outcome]:
    """Run tests, one outcome for each and each of its languages.

    Args:
        bundle: what is tested.
        stories: its tests to run.
        seed: of the shuffles.
        coverage: told what was reached.
        stage: programs built already.
    """
    at_hand = stage if stage is not None else Stage(bundle)
    for story in stories:
        for language in (None, *story.language):
            yield _play(story, at_hand, language, seed, coverage)


def _play(story: Story, stage: Stage, language: str | None, seed: int, coverage: Coverage | None) -> Outcome:
    began = time.perf_counter()
    run = Run(story, stage, language, explain=coverage is not None)
    failures = run.play()
    if coverage is not None:
        coverage.take(run.world.record)
    if not failures and story.shuffle:
        for number in range(SHUFFLES):
            failures += play_shuffled(story, stage, language, run, random.Random(f"{seed}/{number}"), seed)  # noqa: S311
    shown = None
    if failures:
        shown = run if coverage is not None else Run(story, stage, language, explain=True)
        if shown is not run:
            shown.play()
    name = name_of(story) + (f" [{language}]" if language is not None else "")
    return Outcome(story, name, tuple(failures), shown, time.perf_counter() - began)
