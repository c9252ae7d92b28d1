"""Writes the reference page of metrics and log events.

`python -m orchestrator.telemetry.reference > docs/reference/telemetry.md`
"""

from __future__ import annotations

import logging
import sys
from dataclasses import fields

from orchestrator.telemetry import events
from orchestrator.telemetry.events import LogEvent
from orchestrator.telemetry.metrics import METRICS

_HEAD = """\
# Metrics and log events

Written by `python -m orchestrator.telemetry.reference`; a test keeps it up to date. Every process serves its metrics at
`/metrics` (Prometheus). No label and no log field holds anything of a customer.

## Metrics

| name | type | labels | says |
|---|---|---|---|
"""
_EVENTS = """
## Log events

One line each, as text or as JSON (`ORCHESTRATOR_LOG__STYLE=json`: `time level event message` and the fields).

| event | level | fields | when |
|---|---|---|---|
"""


def page() -> str:
    """The page, in Markdown."""
    return _HEAD + "".join(_metric_rows()) + _EVENTS + "".join(_event_rows())


def _metric_rows() -> list[str]:
    shown = {"counter": "_total", "gauge": "", "histogram": ""}
    return [
        f"| `{each.name}{shown[each.kind]}` | {each.kind} | {' '.join(each.labels) or '-'} | {each.help} |\n"
        for each in METRICS
    ]


def _event_rows() -> list[str]:
    kinds = [each for each in vars(events).values() if isinstance(each, type) and issubclass(each, LogEvent)]
    return [
        f"| `{each.name()}` | {logging.getLevelName(each.level)} | "
        f"{' '.join(field.name for field in fields(each)) or '-'} | {' '.join((each.__doc__ or '').split())} |\n"
        for each in kinds
        if each is not LogEvent
    ]


if __name__ == "__main__":
    sys.stdout.write(page())
