"""What the worker counts and measures: one catalogue, and the class that keeps the numbers.

No label ever holds what a record says: only names from the configuration, ids of rules, and numbers of
partitions. So the number of series is bounded by the rule book and the topics, and nothing here is personal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


@dataclass(frozen=True, slots=True)
class Label:
    """A label; `values` are all that it can have, where they are known beforehand."""

    name: str
    meaning: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the catalogue. `buckets` are the upper bounds of a histogram, in the unit of its name."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[Label, ...]
    meaning: str
    buckets: tuple[float, ...] = ()


_SOURCE = Label("source", "a source's name, as configured")
_TOPIC = Label("topic", "a Kafka topic that a step reads")
_PARTITION = Label("partition", "the number of a partition of the topic")
_RULE = Label("rule", "a rule's id")
_SEVERITY = Label("severity", "of the alert")
_STAGE = Label("stage", "a step of a record's way", ("read", "trace", "correlate"))
_OUTCOME = Label("outcome", "what became of the record", ("event", "ignored", "rejected", "marker"))
_SINK = Label("sink", "who delivers", ("index", "index-events", "page"))
_LIMIT = Label(
    "limit",
    "the setting under `limits`",
    ("values", "values_recomputed", "chained_evidence", "groups"),
)

_WAITS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
_WORK = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RESTORES = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_SIZES = (1, 5, 10, 50, 100, 250, 500, 1000, 2000, 5000, 10_000)


def _counter(name: str, meaning: str, *labels: Label) -> Metric:
    return Metric(f"outfall_{name}_total", "counter", labels, meaning)


def _gauge(name: str, meaning: str, *labels: Label) -> Metric:
    return Metric(f"outfall_{name}", "gauge", labels, meaning)


def _histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: Label) -> Metric:
    return Metric(f"outfall_{name}", "histogram", labels, meaning, buckets)


CATALOGUE: tuple[Metric, ...] = (
    # records and events
    _counter("records", "Raw records read, by what became of them.", _SOURCE, _OUTCOME),
    _counter(
        "dead_letters",
        "Records kept as dead letters.",
        _SOURCE,
        Label("stage", "the step that could not process the record"),
        Label("error", "the kind of error; never its text"),
    ),
    _gauge("breaker_open", "1 while most of the source's last records are dead: it is not read.", _SOURCE),
    _counter("events_late", "Times an event came to a correlation too late to be counted in."),
    _counter("events_duplicate", "Records skipped since their effect was in the state already.", _TOPIC),
    _counter("events_clock_ahead", "Events whose time is ahead of their receipt by too much.", _SOURCE),
    _gauge("event_time_lag_seconds", "Receipt less event time, of the newest event of a batch.", _SOURCE),
    _gauge("newest_event_timestamp_seconds", "Time of the source's newest event.", _SOURCE),
    _gauge("allowed_lateness_seconds", "The source's `lateness`, as configured.", _SOURCE),
    # rules
    _counter("matches", "Events that a rule's detection matched.", _RULE),
    _counter("firings", "Times that a correlation's condition came true.", _RULE),
    _counter("rules_tried", "Rules evaluated on an event after the search for literals."),
    _counter("rule_failures", "Events on which a rule failed instead of matching or not.", _RULE),
    _counter("unknown_rules", "Matches left aside since their rule is not in this worker's rule book."),
    _counter("left_out", "Times an event or a group was left out at a limit.", _LIMIT),
    _gauge("rules_loaded", "Rules that run."),
    _gauge("rules_refused", "Rules that could not be compiled exactly and do not run."),
    _gauge(
        "expiry_timestamp_seconds",
        "When an exception or a list of the rule book ends.",
        Label("mandate", "the name of an exception or a list"),
    ),
    _counter(
        "reloads",
        "Reloads of rules and enrichment.",
        Label("outcome", "whether the new ones run now", ("done", "failed")),
    ),
    # alerts
    _counter("alerts", "Revisions of alerts.", _RULE, _SEVERITY, Label("status", "of the episode")),
    _counter("alerts_shortened", "Revisions that lack evidence or subjects, to fit a message."),
    _counter(
        "alerts_suppressed",
        "Alerts that there would be but for exceptions in the rule book.",
        _RULE,
        Label("exception", "the name of an exception"),
    ),
    _counter("pages", "Revisions of alerts that page.", _RULE, _SEVERITY),
    # delivery of alerts
    _counter(
        "delivered",
        "Documents of Elasticsearch, or alerts of Alertmanager, that a sink was given.",
        _SINK,
        Label("outcome", "what became of it", ("created", "duplicate", "refused")),
    ),
    _counter("delivery_retries", "What had to be sent again.", _SINK, Label("reason", "a kind of error")),
    _histogram("delivery_seconds", "From the append of an alert, or event, until it is safe.", _WAITS, _SINK),
    _gauge("sink_away", "1 while the sink takes nothing.", _SINK),
    # state
    _gauge("state_rows", "Rows held.", _TOPIC, _PARTITION, Label("table", "a table of the step's state")),
    _gauge("groups", "Groups of correlations held.", _TOPIC, _PARTITION),
    _gauge("watermark_timestamp_seconds", "Time before which no more is expected.", _TOPIC, _PARTITION),
    _counter("state_changes", "Rows written to the state topic.", _TOPIC),
    _counter("state_bytes", "Bytes of rows written to the state topic.", _TOPIC),
    _histogram("restore_seconds", "Reading a partition's state back.", _RESTORES, _TOPIC),
    _counter("restored_rows", "Rows of state read back.", _TOPIC),
    # speed
    _gauge("consumer_lag_records", "Records of the partition that wait to be read.", _TOPIC, _PARTITION),
    _histogram("processing_lag_seconds", "From a record's append until it is processed.", _WAITS, _STAGE),
    _histogram("batch_records", "Records of a batch.", _SIZES, _STAGE),
    _histogram("batch_seconds", "Computing a batch, without waiting for Kafka.", _WORK, _STAGE),
    _histogram("produce_seconds", "Waiting for Kafka: a transaction's begin to its commit.", _WORK, _STAGE),
    # the worker
    _gauge("ready", "1 while the worker works; `/readyz` says why it does not."),
    _gauge("beat_age_seconds", "Since the event loop last turned."),
    _gauge("partitions", "Partitions that this worker has.", _TOPIC),
    _counter("rebalances", "Times that the workers shared out the partitions anew."),
    _gauge(
        "build_info",
        "Always 1; what runs here.",
        Label("version", "of outfall"),
        Label("rule_book", "the hash of all rules"),
        Label("configuration", "the hash of the settings and the enrichment"),
        Label("bundle", "the id of the rule bundle, if the rules came as one"),
    ),
)
"""Everything that `Metrics` keeps, in the order of docs/metrics.md, which lists it."""


class Metrics:
    """The numbers of one worker, in a registry of their own.

    Counters and histograms whose labels are known beforehand (`sources` and `topics` give the names of those)
    stand at zero from the start: Prometheus sees no increase where a series only begins.

    Each method raises ValueError for a name, a kind, a label or a label's value that is not in the catalogue.
    """

    def __init__(self, sources: Iterable[str] = (), topics: Iterable[str] = ()) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._rows = {metric.name: metric for metric in CATALOGUE}
        self._families = {metric.name: _make(metric, self._registry) for metric in CATALOGUE}
        known = {_SOURCE: tuple(sources), _TOPIC: tuple(topics)}
        for metric in CATALOGUE:
            if metric.labels and metric.kind != "gauge":
                names = [label.name for label in metric.labels]
                for values in product(*(known.get(label, label.values) for label in metric.labels)):
                    self._series(metric.kind, metric.name, dict(zip(names, values, strict=True)))

    def count(self, name: str, value: float = 1, **labels: str | int) -> None:
        """Add to a counter."""
        self._series("counter", name, labels).inc(value)

    def set(self, name: str, value: float, **labels: str | int) -> None:
        """Set a gauge."""
        self._series("gauge", name, labels).set(value)

    def observe(self, name: str, value: float, **labels: str | int) -> None:
        """Put a value into a histogram."""
        self._series("histogram", name, labels).observe(value)

    def forget(self, **labels: str | int) -> None:
        """Drop the gauges that have all these labels: those of a partition that another worker has now."""
        wanted = {name: str(value) for name, value in labels.items()}
        for metric in CATALOGUE:
            if metric.kind == "gauge" and wanted.keys() <= {label.name for label in metric.labels}:
                self._families[metric.name].remove_by_labels(wanted)

    def page(self) -> bytes:
        """Give everything as Prometheus reads it, of type `CONTENT_TYPE`."""
        return generate_latest(_Plain(self._registry))

    def _series(self, kind: str, name: str, labels: Mapping[str, str | int]) -> Any:
        metric = self._rows.get(name)
        if metric is None or metric.kind != kind:
            raise ValueError(f"{name} is no {kind} of the catalogue")
        if labels.keys() != {label.name for label in metric.labels}:
            raise ValueError(f"{name} has the labels {[label.name for label in metric.labels]}")
        for label in metric.labels:
            if label.values and labels[label.name] not in label.values:
                raise ValueError(f"{name}: {label.name} is one of {', '.join(label.values)}")
        family = self._families[name]
        return family.labels(**labels) if labels else family


class _Plain(Collector):
    """A registry without the times at which series began, of which the plain format makes more metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Family]:
        for family in self._registry.collect():
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


def _make(metric: Metric, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    names = [label.name for label in metric.labels]
    if metric.kind == "histogram":
        return Histogram(metric.name, metric.meaning, names, buckets=metric.buckets, registry=registry)
    make = Counter if metric.kind == "counter" else Gauge
    return make(metric.name, metric.meaning, names, registry=registry)
