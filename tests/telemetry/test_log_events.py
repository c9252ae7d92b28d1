"""Log events: one line each, as JSON or text, and the metric that goes with them."""

from __future__ import annotations

import io
import json
import logging
import string
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.telemetry import EventLog, Recorder, configure_logging, events, metrics
from orchestrator.telemetry.log import JsonFormatter, TextFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = [
    each
    for each in vars(events).values()
    if isinstance(each, type) and issubclass(each, events.LogEvent) and each is not events.LogEvent
]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("orchestrator")
    logger.addHandler(handler)
    before, logger.level = logger.level, logging.INFO
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(before)


def parsed(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_fields_and_moves_its_metric(lines: io.StringIO) -> None:
    recorder = Recorder()
    EventLog(recorder).emit(events.PartitionRecovered(partition=3, restored=200_000, skipped=2, seconds=1.25))
    (line,) = parsed(lines)
    assert (line["level"], line["event"]) == ("INFO", "partition_recovered")
    assert line["message"] == "partition 3 recovered: 200000 records in 1.2 s, 2 left aside"
    assert (line["partition"], line["restored"], line["skipped"]) == (3, 200_000, 2)
    assert recorder.value(metrics.ZOMBIE_VALUES) == 2


def test_labels_of_the_metric_come_from_the_event(lines: io.StringIO) -> None:
    recorder = Recorder()
    log = EventLog(recorder)
    log.emit(events.BundleTaken(release="r1", scenarios=10))
    log.emit(events.ProcessFailed("delivery", "KafkaError"))
    assert recorder.value(metrics.BUNDLES, "taken") == 1
    assert recorder.value(metrics.FAILURES, "delivery") == 1
    assert [line["level"] for line in parsed(lines)] == ["INFO", "ERROR"]


def test_a_flood_is_cut_to_so_many_lines_a_minute_and_the_metric_counts_on(lines: io.StringIO) -> None:
    recorder, clock = Recorder(), Clock()
    log = EventLog(recorder, clock)
    limit = events.ProducerRenewed.most_per_minute
    for _ in range(limit + 5):
        log.emit(events.ProducerRenewed())
    assert len(parsed(lines)) == limit
    clock.now = 61.0
    log.emit(events.ProducerRenewed())
    assert [line["message"] for line in parsed(lines)][limit:] == [
        "5 more lines of producer_renewed were left out",
        "the gateway's producer was replaced",
    ]
    assert recorder.value(metrics.PRODUCER_RENEWALS) == limit + 6


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_declaration_fits_together(kind: type[events.LogEvent]) -> None:
    names = {field.name for field in fields(kind)}
    assert {part[1] for part in string.Formatter().parse(kind.words) if part[1]} <= names
    assert set(kind.labels) <= names
    assert not kind.amount or kind.amount in names
    assert kind.metric is None or len(kind.metric.labels) == len(kind.labels) + len(kind.fixed_labels)
    assert not {"customer", "person", "node", "email", "address", "phone", "identifier", "value", "key"} & names


def test_a_person_reads_time_level_and_words() -> None:
    record = logging.makeLogRecord({"msg": "it is so", "levelname": "INFO", "created": 1_772_439_300.5})
    assert TextFormatter().format(record) == "08:15:00.500 INFO    it is so"


def test_a_crash_keeps_its_trace_in_one_json_line() -> None:
    record = logging.makeLogRecord({"msg": "failed", "levelname": "ERROR", "name": "faust"})
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert line["event"] == "faust"
    assert "ZeroDivisionError" in line["exception"]


def test_configuring_leaves_one_handler_and_keeps_libraries_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    root, ours = logging.getLogger(), logging.getLogger("orchestrator")
    before = root.handlers[:], root.level, ours.level
    try:
        configure_logging("json", "INFO")
        logging.getLogger("faust").info("not shown")
        logging.getLogger("faust").warning("shown")
        ours.info("shown too")
        said = [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()]
        assert said == ["shown", "shown too"]
    finally:
        root.handlers[:], root.level, ours.level = before
