"""What operators are given to monitor with names metrics that the product has."""

import re
from pathlib import Path

import yaml

from orchestrator.telemetry.metrics import METRICS

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules.yml"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def shown_names() -> set[str]:
    return {metric.name + suffix for metric in METRICS for suffix in SUFFIXES[metric.kind]}


def rules() -> list[dict[str, str]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_every_alert_asks_for_metrics_that_exist() -> None:
    asked = {name for rule in rules() for name in re.findall(r"orchestrator_\w+", rule["expr"])}
    assert asked
    assert asked <= shown_names(), f"no such metric: {sorted(asked - shown_names())}"


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    for rule in rules():
        assert set(rule["annotations"]) >= {"summary", "action"}, rule["alert"]
