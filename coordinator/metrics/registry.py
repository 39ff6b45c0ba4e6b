# SPDX-License-Identifier: Apache-2.0
"""Observations as Prometheus' library keeps and writes them; the only module that knows it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from coordinator.metrics.catalogue import (
    METRICS,
    NOTIFICATION_FAILURES,
    REFUSALS,
    ROLE_RESPONSE,
    TIME_TO_QUORUM,
    Metric,
    Scope,
    Sort,
)
from coordinator.metrics.observing import Observation
from quorumseal.ceremony.statements import Mode
from quorumseal.refusal import Refusal

OTHER: Final = "other"
_OWN_FAULTS = ("coordinator.", "internal")


class Registry:
    """All metrics of one coordinator.  Any thread may call anything here."""

    def __init__(self) -> None:
        without_beginnings: Callable[[], None] = disable_created_metrics
        without_beginnings()  # nobody asks when a counter began, and each would be a series
        self._registry = CollectorRegistry()
        self._codes = refusal_codes()
        self._kept: dict[Metric, Counter | Histogram] = {}
        for metric in METRICS:
            if metric.sort is Sort.HISTOGRAM or (metric.scope is Scope.OWN and metric.sort is Sort.COUNTER):
                self._kept[metric] = made = _made(metric)
                self._registry.register(made)
        ProcessCollector(registry=self._registry)

    def read_from(
        self, read: Callable[[], Iterable[Observation]], *, channels: Iterable[str], roles: Iterable[str]
    ) -> None:
        """Ask at each scrape for what is read; channels and roles are those that are known by now."""
        self._begin_at_nothing(channels=channels, roles=roles)
        self._registry.register(_Reader(read))

    def observe(self, observation: Observation) -> None:
        """Take note of something that happened."""
        metric, label = observation.metric, observation.label
        if metric is REFUSALS and label not in self._codes:
            label = OTHER
        kept = self._kept[metric]
        each = kept.labels(label) if metric.label else kept
        if isinstance(each, Histogram):
            each.observe(observation.value)
        else:
            each.inc(observation.value)

    def write(self, accept: str = "") -> tuple[bytes, str]:
        """Return everything in the newest form that the reader takes, and the name of that form."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def _begin_at_nothing(self, *, channels: Iterable[str], roles: Iterable[str]) -> None:
        """Show these series before anything happens: one that begins at 1 has not increased."""
        labels: dict[Metric, Iterable[str]] = {
            NOTIFICATION_FAILURES: channels,
            ROLE_RESPONSE: roles,
            TIME_TO_QUORUM: Mode,
            REFUSALS: sorted(code for code in self._codes if code.startswith(_OWN_FAULTS)),
        }
        for metric, values in labels.items():
            for value in values:
                self._kept[metric].labels(value)


class _Reader(Collector):
    """Asks for what is read at each scrape."""

    def __init__(self, read: Callable[[], Iterable[Observation]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Family]:
        """Yield a family for each metric of which something was read."""
        by_name = attrgetter("metric.name")
        for _, those in groupby(sorted(self._read(), key=by_name), key=by_name):
            yield family(list(those))

    def describe(self) -> Iterator[Family]:
        """Say nothing beforehand: the database need not answer yet."""
        return iter(())


def family(observations: Sequence[Observation]) -> Family:
    """Return observations of one metric, at least one, as Prometheus' library has them."""
    metric = observations[0].metric
    kind = CounterMetricFamily if metric.sort is Sort.COUNTER else GaugeMetricFamily
    made = kind(metric.name, metric.about, labels=_labels(metric))
    for each in observations:
        made.add_metric([each.label] if metric.label else [], each.value)
    return made


def refusal_codes(root: type[Refusal] = Refusal) -> frozenset[str]:
    """Return the codes of all refusals that this program knows."""
    own = {root.code} if "code" in vars(root) else set()
    return frozenset(own).union(*(refusal_codes(each) for each in root.__subclasses__()))


def _made(metric: Metric) -> Counter | Histogram:
    if metric.sort is Sort.HISTOGRAM:
        return Histogram(metric.name, metric.about, _labels(metric), buckets=metric.buckets, registry=None)
    return Counter(metric.name, metric.about, _labels(metric), registry=None)


def _labels(metric: Metric) -> list[str]:
    return [metric.label] if metric.label else []
