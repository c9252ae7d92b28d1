"""Keeps the figures of one process and shows them to Prometheus.

The store is our own plain dictionaries, since a batch of thousands of records adds its counts at once;
prometheus-client reads them when it is asked for a page.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from orchestrator.telemetry.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from prometheus_client.core import Metric as Family

    from orchestrator.telemetry.metrics import Metric

Labels = tuple[str, ...]
OTHER = "other"


class _Distribution:
    """One histogram series: how many observations fell into each bucket, and their sum."""

    __slots__ = ("counts", "total")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * (buckets + 1)
        self.total = 0.0


class Recorder(Collector):
    """The figures of one process. Safe to use from several threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._values: dict[Metric, dict[Labels, float]] = {each: {} for each in METRICS if each.kind != "histogram"}
        self._spread: dict[Metric, dict[Labels, _Distribution]] = {
            each: {} for each in METRICS if each.kind == "histogram"
        }
        self._sources: dict[Metric, Callable[[], Mapping[Labels, float]]] = {}
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def add(self, metric: Metric, *labels: str, amount: float = 1) -> None:
        """Adds to a counter."""
        self.add_counts({(metric, *labels): amount})

    def add_counts(self, counts: Mapping[tuple[Metric, *tuple[str, ...]], float]) -> None:
        """Adds to many counters at once: what a batch counted, by (metric, label values ...)."""
        with self._lock:
            for (metric, *labels), amount in counts.items():
                series = self._values[metric]
                key = tuple(labels)
                if key not in series:
                    key = _admitted(metric, key, series)
                series[key] = series.get(key, 0) + amount

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Sets a gauge."""
        with self._lock:
            series = self._values[metric]
            series[labels if labels in series else _admitted(metric, labels, series)] = value

    def forget(self, metric: Metric, *labels: str) -> None:
        """Drops the series of a gauge whose label values begin so: those of a partition that left, say."""
        with self._lock:
            series = self._values[metric]
            for key in [each for each in series if each[: len(labels)] == labels]:
                del series[key]

    def watch(self, metric: Metric, source: Callable[[], Mapping[Labels, float]]) -> None:
        """Has a gauge read from `source` (label values -> value) when a page is asked for, in the asker's thread."""
        self._sources[metric] = source

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Adds one observation to a histogram."""
        self.observe_all(metric, (value,), *labels)

    def observe_all(self, metric: Metric, values: Iterable[float], *labels: str) -> None:
        """Adds observations to a histogram, all of the same labels: those of a batch, say."""
        with self._lock:
            series = self._spread[metric]
            if labels not in series:
                labels = _admitted(metric, labels, series)
            if (held := series.get(labels)) is None:
                held = series[labels] = _Distribution(len(metric.buckets))
            bounds, counts = metric.buckets, held.counts
            for value in values:
                counts[bisect_left(bounds, value)] += 1
                held.total += value

    def value(self, metric: Metric, *labels: str) -> float:
        """The value of a counter or gauge now, or how many observations a histogram has; 0 where there is none."""
        with self._lock:
            if metric.kind == "histogram":
                held = self._spread[metric].get(labels)
                return sum(held.counts) if held else 0
            return self._values[metric].get(labels, 0)

    def page(self) -> tuple[bytes, str]:
        """What Prometheus reads: the page and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Family]:
        """For prometheus-client: every declared metric with its series."""
        watched = {metric: dict(source()) for metric, source in self._sources.items()}
        with self._lock:
            families = [self._family(metric, watched) for metric in METRICS]
        yield from families

    def describe(self) -> list[Family]:
        """For prometheus-client: nothing is worked out when the recorder is registered."""
        return []

    def _family(self, metric: Metric, watched: Mapping[Metric, Mapping[Labels, float]]) -> Family:
        if metric.kind == "histogram":
            return _histogram_family(metric, self._spread[metric])
        kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        family = kind(metric.name, metric.help, labels=metric.labels)
        for labels, value in {**self._values[metric], **watched.get(metric, {})}.items():
            family.add_metric(labels, value)
        return family


def _admitted(metric: Metric, labels: Labels, series: Mapping[Labels, object]) -> Labels:
    """The label values under which a new series may stand."""
    if len(labels) != len(metric.labels):
        raise ValueError(f"{metric.name} has the labels {metric.labels}, not {len(labels)} of them")
    return labels if len(series) < metric.most_series else (OTHER,) * len(labels)


def _histogram_family(metric: Metric, series: Mapping[Labels, _Distribution]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    names = [*map(str, metric.buckets), "+Inf"]
    for labels, held in series.items():
        so_far, buckets = 0, []
        for name, count in zip(names, held.counts, strict=True):
            so_far += count
            buckets.append((name, so_far))
        family.add_metric(labels, buckets, held.total)
    return family
