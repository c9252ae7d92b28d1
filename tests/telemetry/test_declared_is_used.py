"""What is declared is told: every metric is moved and every log event is emitted somewhere in the product."""

import ast
from functools import cache
from pathlib import Path

import pytest

from orchestrator.telemetry import events, metrics
from orchestrator.telemetry.events import LogEvent
from orchestrator.telemetry.metrics import Metric

PRODUCT = Path(__file__).parents[2] / "orchestrator"
METRICS = {name: each for name, each in vars(metrics).items() if isinstance(each, Metric)}
MODULES = {metrics.__name__, events.__name__}
EVENTS = {
    name: each
    for name, each in vars(events).items()
    if isinstance(each, type) and issubclass(each, LogEvent) and each is not LogEvent
}


@cache
def used() -> frozenset[str]:
    """Every declaration that modules beside the declarations look at, as `metrics.NAME` or imported by its name."""
    found: set[str] = set()
    for path in PRODUCT.rglob("*.py"):
        if path.parent.name == "telemetry" and path.name in {"metrics.py", "events.py", "reference.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id in {"metrics", "events"}:
                    found.add(node.attr)
            elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
                found.update(each.name for each in node.names)
    return frozenset(found)


@pytest.mark.parametrize("name", EVENTS)
def test_every_log_event_is_emitted(name: str) -> None:
    assert name in used(), f"{name} is declared in telemetry/events.py, and nobody emits it"


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_moved_by_somebody_or_by_an_event_that_is_emitted(name: str) -> None:
    by_event = [event for event, each in EVENTS.items() if each.metric is METRICS[name]]
    assert name in used() or used().intersection(by_event), (
        f"{name} is declared in telemetry/metrics.py, and never moves"
    )


def test_what_nobody_uses_would_be_found() -> None:
    assert "ROUNDS_OF_THE_MOON" not in used()
    assert {"EVENTS", "PartitionRecovered"} <= used()
