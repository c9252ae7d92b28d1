"""What operators are given to monitor with names metrics and labels that the product has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.delivery.decide import Deferred, Delivered
from orchestrator.delivery.figures import Figures as DeliveryFigures
from orchestrator.telemetry.metrics import METRICS
from orchestrator.telemetry.recorder import Recorder

DEPLOY = Path(__file__).parents[2] / "deploy"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
OF_THE_PROCESS = {"process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes"}
"""Of prometheus-client itself; `tests/telemetry` looks at one of them on a page."""
OF_PROMETHEUS = {"le", "job", "instance"}


def shown() -> dict[str, set[str]]:
    """Series name -> its labels."""
    ours = {metric.name + suffix: {*metric.labels} for metric in METRICS for suffix in SUFFIXES[metric.kind]}
    return ours | {name: set() for name in OF_THE_PROCESS}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    board = json.loads((DEPLOY / "grafana" / "orchestrator.json").read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


EXPRESSIONS = [rule["expr"] for rule in rules()] + [each["expr"] for panel in panels() for each in panel["targets"]]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_asked_for_exists_with_these_labels(expression: str) -> None:
    asked = set(re.findall(r"\b(?:orchestrator|process)_\w+", expression))
    assert asked, "asks for nothing of ours"
    assert asked <= shown().keys(), f"no such metric: {sorted(asked - shown().keys())}"
    grouped = [name.strip() for names in re.findall(r"by \(([^)]+)\)", expression) for name in names.split(",")]
    matched = re.findall(r"(\w+)\s*=~?\s*\"", expression)
    labels = set().union(*(shown()[name] for name in asked)) | OF_PROMETHEUS
    assert {*grouped, *matched} <= labels


def jobs() -> set[str]:
    """What scraping calls our processes: as written, and in a cluster, where a pod's component names its job."""
    named = {each["job_name"] for each in scraped("scrape.yml")}
    (cluster,) = scraped("scrape-kubernetes.yml")
    (job,) = [each["replacement"] for each in cluster["relabel_configs"] if each.get("target_label") == "job"]
    kinds = re.findall(r"app\.kubernetes\.io/component: (\w+)", (DEPLOY / "kubernetes" / "network.yaml").read_text())
    return named | {job.replace("$1", kind) for kind in kinds}


def scraped(file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus" / file).read_text())["scrape_configs"]
    return found


def test_jobs_are_called_what_alerts_and_panels_ask_for() -> None:
    assert jobs() == {"orchestrator-worker", "orchestrator-delivery", "orchestrator-gateway"}
    asked = [pattern for each in EXPRESSIONS for pattern in re.findall(r'job=~"([^"]+)"', each)]
    assert len(asked) >= 3
    for pattern in asked:
        assert all(re.fullmatch(pattern, job) for job in jobs()), pattern


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    for rule in rules():
        assert set(rule["annotations"]) >= {"summary", "action"}, rule["alert"]


def test_an_alert_on_too_few_of_something_fires_where_there_is_none_at_all() -> None:
    too_few = [rule["expr"] for rule in rules() if re.search(r"<\s*\d", rule["expr"])]
    assert too_few
    assert all("or vector(0)" in expression for expression in too_few), "no series compares with nothing"


def test_an_alert_on_a_single_occurrence_fires_at_the_first() -> None:
    """A counter's series begins with its first count: no rate and no increase sees that one."""
    single = [
        (rule["alert"], rule["expr"])
        for rule in rules()
        if re.search(r"(rate|increase)\(orchestrator_\w+", rule["expr"]) and re.match(r"[^>]*> 0(\s|$)", rule["expr"])
    ]
    names = {"EventFails", "ScenarioFails", "ScenarioStopped", "ReleaseRefused", "GatewaysLockedOut"}
    assert {name for name, _ in single} == names
    for name, expression in single:
        window = re.findall(r"\[(\w+)\]", expression)
        assert re.findall(r"unless orchestrator_\S+ offset (\w+)", expression) == window, name


def test_a_gateway_that_answers_events_with_503_is_told_of() -> None:
    (expression,) = [rule["expr"] for rule in rules() if rule["alert"] == "GatewayCannotAnswer"]
    route, status, of_all = re.findall(r'(?:route|status)=~"([^"]+)"', expression)
    assert all(re.fullmatch(route, each) for each in ("/v1/events", "/v1/decide"))
    assert route == of_all
    assert re.fullmatch(status, "503")


def test_a_channel_on_which_all_attempts_are_put_off_is_told_of() -> None:
    (expression,) = [rule["expr"] for rule in rules() if rule["alert"] == "NothingGoesOut"]
    recorder = Recorder()
    figures = DeliveryFigures(recorder)
    figures.attempted("email", Deferred("unreachable"), 0.1)
    figures.attempted("sms", Delivered(), 0.1)
    counted = set(re.findall(r'delivery_attempts_total{channel="\w+",(result="\w+")}', recorder.page()[0].decode()))
    assert set(re.findall(r'result="\w+"', expression)) == counted


def test_what_a_panel_calls_its_lines_is_among_what_it_asks_for() -> None:
    for panel in panels():
        for target in panel["targets"]:
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            asked = re.findall(r"\b(?:orchestrator|process)_\w+", target["expr"])
            assert named <= set().union(*(shown()[name] for name in asked)) | OF_PROMETHEUS, panel["title"]


def test_panels_do_not_lie_upon_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
