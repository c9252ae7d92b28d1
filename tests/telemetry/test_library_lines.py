"""What is shown of a library's lines: what lasts, not what passes, and nothing a hundred times."""

from __future__ import annotations

import importlib.util
import logging
import re
from pathlib import Path

import pytest

from orchestrator.stream.app import LaneApp
from orchestrator.telemetry import configure_logging, libraries
from orchestrator.telemetry.libraries import LEVELS, MOST_PER_MINUTE, PASSING, LibraryFilter

REBALANCING = "Heartbeat failed for group %s because it is rebalancing"
AWAY = "Unable connect to node with id %s: %s"
METADATA = "Unable to update metadata from %s"
FETCH = "Failed fetch messages from %s: %s"


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


def test_a_broker_that_is_away_is_one_line_a_minute_whatever_words_it_is_told_in(
    lines: LibraryFilter, clock: Clock
) -> None:
    shown = []
    for number in range(600):
        for words, arguments in ((AWAY, (number % 3, "refused")), (METADATA, ([1],)), (FETCH, (1, "not ready"))):
            line = record(words, *arguments)
            if lines.filter(line):
                shown.append(line.getMessage())
        clock.now += 0.2
    told = (
        "a Kafka broker does not answer (Unable connect to node with id 0: refused). Nothing is lost, it is asked "
        "again and again: look at the brokers, and at kafka.bootstrap"
    )
    assert shown == [told, told]


def test_other_words_of_a_library_are_shown_a_few_times_a_minute(lines: LibraryFilter, clock: Clock) -> None:
    shown = 0
    for number in range(600):
        shown += lines.filter(record("Not authorized to read from topic %s.", f"t{number}"))
        clock.now += 0.2
    assert lines._said.keys() == {("aiokafka.client", "Not authorized to read from topic %s.")}
    assert shown == 2 * MOST_PER_MINUTE


def test_what_faust_tells_of_its_own_steps_is_not_taken_for_a_line_of_ours() -> None:
    assert LaneApp.logger.name.partition(".")[0] in LEVELS


def test_lines_of_ours_are_left_alone(lines: LibraryFilter) -> None:
    assert all(lines.filter(record(AWAY, 1, "x", name="orchestrator.stream.run")) for _ in range(100))


def test_words_that_pass_by_are_words_of_the_library_as_it_is_installed() -> None:
    spec = importlib.util.find_spec("aiokafka")
    assert spec is not None
    assert spec.origin is not None
    source = "".join(path.read_text("utf-8") for path in Path(spec.origin).parent.rglob("*.py"))
    source = re.sub(r'"\s+"', "", source)  # a text that goes on in the next line
    assert {words for words in {*PASSING, *libraries.AWAY} if f'"{words}"' not in source} == set()


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
