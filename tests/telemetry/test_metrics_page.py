"""The figures of a process: declared once, cheap to add to, bounded in number, shown to Prometheus."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.telemetry import Health, MetricsServer, Recorder, metrics, reference
from orchestrator.telemetry.metrics import METRICS, Metric


def shown(recorder: Recorder) -> dict[str, float]:
    page = recorder.page()[0].decode()
    return {
        sample.name + "".join(f",{name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_names_are_unique_and_follow_prometheus_conventions() -> None:
    names = [each.name for each in METRICS]
    assert len(set(names)) == len(names)
    for each in METRICS:
        assert re.fullmatch(r"orchestrator_[a-z_]+", each.name)
        assert not each.name.endswith("_total")
        assert each.help.endswith(".")
        assert (each.kind == "histogram") == bool(each.buckets)


def test_no_label_names_a_customer() -> None:
    personal = {"customer", "person", "node", "email", "address", "phone", "user", "id", "identifier", "key"}
    assert [each.name for each in METRICS if personal & set(each.labels)] == []


def test_the_counts_of_a_batch_are_added_at_once_and_shown_as_totals() -> None:
    recorder = Recorder()
    recorder.add_counts({(metrics.EVENTS, "page_read", "applied"): 3, (metrics.DEAD_LETTERS, "too_large"): 1})
    recorder.add_counts({(metrics.EVENTS, "page_read", "applied"): 4})
    recorder.add(metrics.CHANGELOG_BYTES, amount=512)
    figures = shown(recorder)
    assert figures["orchestrator_events_total,outcome=applied,type=page_read"] == 7
    assert figures["orchestrator_dead_letters_total,reason=too_large"] == 1
    assert figures["orchestrator_changelog_bytes_total"] == 512


def test_a_latency_lies_in_its_bucket_and_in_all_above() -> None:
    recorder = Recorder()
    recorder.observe_all(metrics.EVENT_TO_ACTION, [0.004, 0.005, 0.3, 61.0])
    figures = shown(recorder)
    bucket = "orchestrator_event_to_action_seconds_bucket,le="
    assert [figures[bucket + bound] for bound in ("0.005", "0.01", "0.2", "0.5", "60.0", "+Inf")] == [2, 2, 2, 3, 3, 4]
    assert figures["orchestrator_event_to_action_seconds_count"] == 4
    assert figures["orchestrator_event_to_action_seconds_sum"] == pytest.approx(61.309)


def test_the_latency_buckets_reach_from_5_ms_to_60_s() -> None:
    assert metrics.EVENT_TO_ACTION.buckets[0] == 0.005
    assert metrics.EVENT_TO_ACTION.buckets[-1] == 60.0
    assert list(metrics.EVENT_TO_ACTION.buckets) == sorted(metrics.EVENT_TO_ACTION.buckets)


def test_gauges_are_set_watched_and_forgotten_with_their_partition() -> None:
    recorder = Recorder()
    recorder.set(metrics.LAG, 5, "channel.web", "0")
    recorder.set(metrics.LAG, 7, "channel.web", "1")
    recorder.set(metrics.LAG, 9, "channel.app", "1")
    recorder.watch(metrics.CUSTOMERS, lambda: {("0",): 41.0})
    recorder.forget(metrics.LAG, "channel.web", "1")
    figures = shown(recorder)
    assert figures["orchestrator_consumer_lag_records,partition=0,topic=channel.web"] == 5
    assert "orchestrator_consumer_lag_records,partition=1,topic=channel.web" not in figures
    assert figures["orchestrator_state_customers,partition=0"] == 41


def test_what_a_client_can_name_does_not_grow_without_bound() -> None:
    recorder = Recorder()
    for number in range(5_000):
        recorder.add(metrics.EVENTS, f"made_up_{number}", "applied")
    series = [name for name in shown(recorder) if name.startswith("orchestrator_events_total")]
    assert len(series) <= metrics.EVENTS.most_series + 1
    assert recorder.value(metrics.EVENTS, "other", "other") == 5_000 - metrics.EVENTS.most_series
    assert recorder.value(metrics.EVENTS, "made_up_0", "applied") == 1


def test_a_wrong_number_of_labels_is_an_error_of_the_programmer() -> None:
    with pytest.raises(ValueError, match=r"orchestrator_events has the labels \('type', 'outcome'\), not 1 of them"):
        Recorder().add(metrics.EVENTS, "page_read")


def test_threads_lose_no_count() -> None:
    recorder = Recorder()

    def add() -> None:
        for _ in range(2_000):
            recorder.add(metrics.REBALANCES)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert recorder.value(metrics.REBALANCES) == 8_000


def test_two_processes_in_one_python_do_not_share_figures() -> None:
    one, other = Recorder(), Recorder()
    one.add(metrics.REBALANCES)
    assert other.value(metrics.REBALANCES) == 0


def test_the_page_is_served_with_figures_of_the_process_itself() -> None:
    recorder = Recorder()
    recorder.add(metrics.REBALANCES)
    server = MetricsServer(recorder, 0, "127.0.0.1")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
            page = answer.read().decode()
            assert answer.headers["Content-Type"].startswith("text/plain")
    finally:
        server.close()
    assert "orchestrator_rebalances_total 1.0" in page
    assert "process_resident_memory_bytes" in page


@pytest.mark.parametrize(
    ("parts", "status"),
    [({}, 503), ({"group": True, "partitions": False}, 503), ({"group": True, "partitions": True}, 200)],
)
def test_readiness_needs_every_part_and_at_least_one(parts: dict[str, bool], status: int) -> None:
    health = Health()
    server = MetricsServer(Recorder(), 0, "127.0.0.1", health)
    try:
        assert asked(server, "/readyz") == (503, {"ready": False, "parts": {}}), "while the process is starting"
        health.watch(lambda: parts)
        assert asked(server, "/readyz") == (status, {"ready": status == 200, "parts": parts})
        assert asked(server, "/healthz") == (200, {"alive": True})
        assert asked(server, "/elsewhere")[0] == 404
    finally:
        server.close()


def asked(server: MetricsServer, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def test_every_metric_of_the_code_is_in_the_reference_page_that_ships() -> None:
    written = Path("docs/reference/telemetry.md").read_text("utf-8")
    assert written == reference.page(), "run: python -m orchestrator.telemetry.reference > docs/reference/telemetry.md"


def test_every_declared_metric_is_in_the_list() -> None:
    assert [each for each in vars(metrics).values() if isinstance(each, Metric)] == METRICS
