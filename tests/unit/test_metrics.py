"""The numbers: what is not in the catalogue is refused, and what is kept can be read by Prometheus."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics import CATALOGUE, Metric, Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read the page: the value of each series, by its name and labels."""
    families = text_string_to_metric_families(metrics.page().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_what_is_kept_is_shown() -> None:
    metrics = Metrics()
    metrics.count("outfall_records_total", 3, source="proxy", outcome="event")
    metrics.count("outfall_records_total", source="proxy", outcome="event")
    metrics.set("outfall_state_rows", 7, topic="outfall.matches", partition=3, table="windows")
    metrics.observe("outfall_batch_records", 250, stage="read")
    shown = samples(metrics)
    assert shown["outfall_records_total", (("outcome", "event"), ("source", "proxy"))] == 4
    place = (("partition", "3"), ("table", "windows"), ("topic", "outfall.matches"))
    assert shown["outfall_state_rows", place] == 7
    assert shown["outfall_batch_records_sum", (("stage", "read"),)] == 250
    assert shown["outfall_batch_records_bucket", (("le", "250.0"), ("stage", "read"))] == 1
    assert shown["outfall_batch_records_bucket", (("le", "100.0"), ("stage", "read"))] == 0
    assert any(name == "process_resident_memory_bytes" for name, _ in shown)
    assert not any(name.endswith("_created") for name, _ in shown)


def test_two_sets_of_numbers_know_nothing_of_each_other() -> None:
    one, other = Metrics(), Metrics()
    one.count("outfall_rebalances_total")
    assert samples(one)["outfall_rebalances_total", ()] == 1
    assert samples(other)["outfall_rebalances_total", ()] == 0


def test_series_that_are_known_beforehand_stand_at_zero() -> None:
    shown = samples(Metrics(["proxy", "mail"], ["outfall.matches"]))
    assert shown["outfall_records_total", (("outcome", "rejected"), ("source", "mail"))] == 0
    assert shown["outfall_left_out_total", (("limit", "groups"),)] == 0
    assert shown["outfall_events_late_total", ()] == 0
    assert shown["outfall_restore_seconds_count", (("topic", "outfall.matches"),)] == 0
    assert not any(name == "outfall_matches_total" for name, _ in shown), "nobody knows the rules yet"
    assert not any(name == "outfall_event_time_lag_seconds" for name, _ in shown), "a gauge would lie"


def test_a_partition_that_went_away_takes_its_gauges_with_it() -> None:
    metrics = Metrics()
    for partition in (1, 2):
        metrics.set("outfall_groups", 5, topic="outfall.matches", partition=partition)
    metrics.set("outfall_state_rows", 5, topic="outfall.matches", partition=1, table="windows")
    metrics.set("outfall_partitions", 2, topic="outfall.matches")
    metrics.count("outfall_state_changes_total", 9, topic="outfall.matches")
    metrics.forget(topic="outfall.matches", partition=1)
    shown = {(name, dict(labels).get("partition")) for name, labels in samples(metrics)}
    assert ("outfall_groups", "2") in shown
    assert ("outfall_groups", "1") not in shown
    assert ("outfall_state_rows", "1") not in shown
    assert {("outfall_partitions", None), ("outfall_state_changes_total", None)} <= shown


@pytest.mark.parametrize(
    ("method", "name", "labels"),
    [
        ("count", "outfall_recrods_total", {}),
        ("count", "outfall_ready", {}),
        ("set", "outfall_rebalances_total", {}),
        ("observe", "outfall_ready", {}),
        ("count", "outfall_records_total", {"source": "proxy"}),
        ("count", "outfall_records_total", {"source": "proxy", "outcome": "evnet"}),
        ("count", "outfall_rebalances_total", {"source": "proxy"}),
        ("observe", "outfall_batch_seconds", {"stage": "corelate"}),
    ],
)
def test_what_is_not_in_the_catalogue_is_refused(method: str, name: str, labels: dict[str, str]) -> None:
    metrics = Metrics()
    before = metrics.page()
    with pytest.raises(ValueError, match=name):
        getattr(metrics, method)(name, 1, **labels)
    assert [line for line in metrics.page().splitlines() if b"outfall" in line] == [
        line for line in before.splitlines() if b"outfall" in line
    ]


def test_names_are_as_prometheus_wants_them() -> None:
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE)
    for metric in CATALOGUE:
        assert re.fullmatch(r"outfall(_[a-z]+)+", metric.name), metric
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric
        assert bool(metric.buckets) == (metric.kind == "histogram"), metric
        assert metric.buckets == tuple(sorted(set(metric.buckets))), metric
        assert metric.meaning.endswith("."), metric
        assert len({label.name for label in metric.labels}) == len(metric.labels)
        assert not {label.name for label in metric.labels} & {"le", "quantile", "job", "instance"}, metric


def test_a_label_means_the_same_wherever_its_values_are_free() -> None:
    meanings: dict[str, set[str]] = {}
    for metric in CATALOGUE:
        for label in metric.labels:
            if not label.values and label.name != "stage":
                meanings.setdefault(label.name, set()).add(label.meaning)
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_what_the_catalogue_promises_is_kept(metric: Metric) -> None:
    streams = Path(__file__).resolve().parents[2] / "streams"
    code = "".join(file.read_text(encoding="utf-8") for file in streams.rglob("*.py"))
    assert f'"{metric.name}"' in code
