"""What a process tells of itself: declared metrics and declared log events, and nothing about customers.

One process has one set of figures, `process`; `emit` logs an event and moves its metric; hot paths collect their counts
in a dictionary and hand them over once a batch: `process.add_counts({(metrics.EVENTS, "page_read", "applied"): 412})`.
"""

from typing import Final

from orchestrator.telemetry import events, metrics
from orchestrator.telemetry.log import EventLog, configure_logging
from orchestrator.telemetry.recorder import Recorder
from orchestrator.telemetry.server import Health, MetricsServer

process: Final = Recorder()
"""The figures of this process."""

health: Final = Health()
"""Whether this process can do its work."""

emit = EventLog(process).emit
"""Writes the one line of an event and moves its metric."""


def serve_metrics(port: int, host: str = "0.0.0.0") -> MetricsServer:  # noqa: S104  # scraped from other machines
    """Serves this process's figures and health: `/metrics`, `/healthz`, `/readyz`; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    return MetricsServer(process, port, host, health)


__all__ = [
    "EventLog",
    "Health",
    "MetricsServer",
    "Recorder",
    "configure_logging",
    "emit",
    "events",
    "health",
    "metrics",
    "process",
    "serve_metrics",
]
