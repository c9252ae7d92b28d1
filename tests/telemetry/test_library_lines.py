"""What is shown of a library's lines: what lasts, not what passes, and nothing a hundred times."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

import pytest

from orchestrator.telemetry import configure_logging
from orchestrator.telemetry.libraries import LEVELS, MOST_PER_MINUTE, PASSING, LibraryFilter

REBALANCING = "Heartbeat failed for group %s because it is rebalancing"
AWAY = "Unable connect to node with id %s: %s"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines(clock: Clock) -> LibraryFilter:
    return LibraryFilter(clock)


def record(words: str, *args: object, name: str = "aiokafka.client") -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "", 0, words, args, None)


def test_what_passes_by_itself_is_not_shown_and_what_lasts_is(lines: LibraryFilter, clock: Clock) -> None:
    shown = []
    for _ in range(40):  # twice a second would be a rebalance that never ends
        shown.append(lines.filter(record(REBALANCING, "orchestrator")))
        clock.now += 3
    first = shown.index(True)
    assert first * 3 == PASSING[REBALANCING]
    assert not any(shown[:first])


def test_a_second_rebalance_an_hour_later_begins_anew(lines: LibraryFilter, clock: Clock) -> None:
    assert not lines.filter(record(REBALANCING, "g"))
    clock.now += 3_600
    assert not lines.filter(record(REBALANCING, "g"))


def test_a_broker_that_is_away_is_told_at_once_and_then_a_few_times_a_minute(
    lines: LibraryFilter, clock: Clock
) -> None:
    shown = 0
    for number in range(600):
        shown += lines.filter(record(AWAY, number % 3, "refused"))
        clock.now += 0.2
    assert lines._said.keys() == {("aiokafka.client", AWAY)}, "it is one line, whatever stands in it"
    assert shown == 2 * MOST_PER_MINUTE


def test_lines_of_ours_are_left_alone(lines: LibraryFilter) -> None:
    assert all(lines.filter(record(AWAY, 1, "x", name="orchestrator.stream.run")) for _ in range(100))


def test_words_that_pass_by_are_words_of_the_library_as_it_is_installed() -> None:
    spec = importlib.util.find_spec("aiokafka")
    assert spec is not None
    assert spec.origin is not None
    source = "".join(path.read_text("utf-8") for path in Path(spec.origin).parent.rglob("*.py"))
    assert {words for words in PASSING if f'"{words}"' not in source} == set()


def test_one_set_up_gives_every_library_its_level_and_the_filter() -> None:
    root = logging.getLogger()
    before, levels = root.handlers[:], {name: logging.getLogger(name).level for name in LEVELS}
    try:
        configure_logging()
        assert {name: logging.getLogger(name).level for name in LEVELS} == LEVELS
        (handler,) = root.handlers
        assert any(isinstance(each, LibraryFilter) for each in handler.filters)
    finally:
        root.handlers[:] = before
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
