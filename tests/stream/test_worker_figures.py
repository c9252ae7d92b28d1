"""What a worker tells its operators of each batch."""

from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.model.effect import Note
from orchestrator.stream.lane.records import Record
from orchestrator.stream.lane.statistics import Statistics
from orchestrator.stream.lane_settings import BatchCounts
from orchestrator.stream.worker_figures import WorkerFigures
from orchestrator.telemetry import metrics
from orchestrator.telemetry.recorder import Recorder


def counted(*notes: Note, type_: str = "seen") -> Any:
    """A core that has counted these notes, and an event of this type."""
    statistics = Statistics()
    step = SimpleNamespace(
        outcomes=[(type_, "applied")],
        lags=[],
        hops=[1, 1, 3],
        rejected=[],
        notes=notes,
        program=SimpleNamespace(event_types={"seen"}),
    )
    statistics.add(step)  # type: ignore[arg-type]
    return SimpleNamespace(statistics=statistics)


def test_a_batch_is_told_in_records_bytes_and_seconds() -> None:
    recorder = Recorder()
    figures = WorkerFigures(recorder)
    figures.batch(BatchCounts(2, 3, 1, 0, 500, 120), counted())
    assert recorder.value(metrics.CHANGELOG_RECORDS) == 1
    assert recorder.value(metrics.CHANGELOG_BYTES) == 120
    assert recorder.value(metrics.EVENTS, "seen", "applied") == 1
    figures.durable(2, 1_000)
    assert "orchestrator_batch_seconds_count 1" in recorder.page()[0].decode()


def test_what_a_condition_could_not_know_and_links_that_were_refused_are_counted() -> None:
    recorder = Recorder()
    notes = (
        Note("unknown", "cart", "", "", None),
        Note("identity_conflict", "", "", "", None),
        Note("many_hops", "", "", "", 9),
    )
    WorkerFigures(recorder).batch(BatchCounts(0, 1, 1, 0, 0), counted(*notes))
    assert recorder.value(metrics.CONDITIONS_UNKNOWN) == 1
    assert recorder.value(metrics.IDENTITY_CONFLICTS) == 1
    assert recorder.value(metrics.LONG_ROUTES) == 1
    page = recorder.page()[0].decode()
    assert 'orchestrator_message_hops_bucket{le="2.0"} 2.0' in page
    assert "orchestrator_message_hops_count 3.0" in page


def test_what_goes_to_dead_letter_is_told_by_its_place_and_counted_as_unreadable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder, core = Recorder(), counted(type_="")
    step = SimpleNamespace(
        outcomes=[("", "dead_letter")],
        lags=[],
        hops=[],
        rejected=[(Record("channel.web", 3, 17, 1, None, b"amy@example.com"), "undecodable")] * 1_000,
        notes=(),
        program=SimpleNamespace(event_types={"seen"}),
    )
    core.statistics.add(step)
    with caplog.at_level("WARNING", "orchestrator"):
        WorkerFigures(recorder).batch(BatchCounts(0, 1, 1, 0, 0), core)
    assert recorder.value(metrics.EVENTS, "unreadable", "dead_letter") == 1
    assert recorder.value(metrics.DEAD_LETTERS, "undecodable") == 1_000
    assert caplog.messages[0].startswith("record channel.web[3]@17 went to dead-letter: undecodable.")
    assert len(caplog.messages) <= 100, "a flood of them does not fill the disk"
    assert "amy" not in caplog.text


def test_a_type_that_nobody_declares_is_counted_under_one_name_and_told_once_by_what_it_looks_like(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder = Recorder()
    figures = WorkerFigures(recorder)
    with caplog.at_level("WARNING", "orchestrator"):
        for type_ in ("sean", "sean", "amy@example.com"):
            figures.batch(BatchCounts(0, 1, 1, 0, 0), counted(type_=type_))
    assert recorder.value(metrics.EVENTS, "undeclared", "applied") == 3
    looks_like = "events come in of a type that nobody declares; a declared one that looks like it: "
    assert caplog.messages == [f"{looks_like}seen", f"{looks_like}none"]
