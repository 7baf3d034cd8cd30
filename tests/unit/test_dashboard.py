"""The dashboard is as its source says, and asks for what there is."""

from __future__ import annotations

import json
import re

import pytest
from dashboard import FILE, dashboard
from panels import ROWS, Graph, Number, queries

from promql import LABELS, TARGET, faults, labels, metrics
from streams.metrics import CATALOGUE

PANELS = [panel for row in ROWS.values() for panel in row]
LINES = [line for panel in PANELS if isinstance(panel, Graph) for line in panel.queries.items()]


def test_the_file_is_what_the_source_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == dashboard(), "run python deploy/grafana/dashboard.py"


def test_every_expression_is_in_the_file() -> None:
    shown = [panel for panel in json.loads(dashboard())["panels"] if panel["type"] != "row"]
    assert [target["expr"] for panel in shown for target in panel["targets"]] == queries()
    assert len({panel["id"] for panel in shown}) == len(shown)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in shown)


@pytest.mark.parametrize("expression", queries())
def test_an_expression_asks_for_what_there_is(expression: str) -> None:
    assert metrics(expression)
    assert not faults(expression)


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("sum(outfall_recrods_total)", "no such metric: outfall_recrods_total"),
        ("sum by (topic) (outfall_records_total)", "no such label: topic"),
        ('outfall_records_total{sauce="proxy"}', "no such label: sauce"),
    ],
)
def test_an_expression_that_asks_for_what_is_not_there_is_seen(expression: str, fault: str) -> None:
    assert faults(expression) == [fault]


@pytest.mark.parametrize(("name", "expression"), LINES)
def test_a_line_is_named_by_labels_that_it_has(name: str, expression: str) -> None:
    has = labels(expression) - {"le"}
    if not re.search(r"\b(sum|max|count)\b", expression):
        has |= TARGET.union(*(LABELS[metric] for metric in metrics(expression)))
    assert set(re.findall(r"{{(\w+)}}", name)) <= has


def test_every_metric_is_shown() -> None:
    shown = {name for expression in queries() for name in metrics(expression)}
    assert {metric.name for metric in CATALOGUE} <= shown


def test_a_row_of_the_screen_is_filled() -> None:
    for row in ROWS.values():
        assert sum(panel.width for panel in row) % 24 == 0, [panel.title for panel in row]
    assert sum(isinstance(panel, Number) for panel in PANELS) * 4 == 24
