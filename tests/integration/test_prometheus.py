"""A real Prometheus reads what a worker serves, and finds no fault with alert rules and dashboard."""

from __future__ import annotations

import urllib.request
from functools import partial
from itertools import product
from pathlib import Path

import pytest
import yaml
from panels import queries

from services.process import wait_for
from services.prometheus import prometheus, promtool
from streams.metrics import CATALOGUE, Metrics
from streams.runtime.health import STARTING, Health

pytestmark = pytest.mark.services

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"


def filled(metrics: Metrics | None = None) -> Metrics:
    """Give metrics each of which has been used, or used once more."""
    metrics = metrics or Metrics(["proxy"], ["outfall.matches"])
    use = {"counter": metrics.count, "gauge": metrics.set, "histogram": metrics.observe}
    for metric in CATALOGUE:
        for values in product(*(label.values or ("some",) for label in metric.labels)):
            names = [label.name for label in metric.labels]
            use[metric.kind](metric.name, 1, **dict(zip(names, values, strict=True)))
    return metrics


def test_the_alert_rules_are_valid_and_fire_when_they_should() -> None:
    assert "rules found" in promtool("check", "rules", DEPLOY / "outfall.rules.yml")
    promtool("check", "config", DEPLOY / "prometheus.yml")
    promtool("test", "rules", DEPLOY / "outfall.rules.test.yml")


def test_a_rule_that_is_wrong_is_seen(tmp_path: Path) -> None:
    text = (DEPLOY / "outfall.rules.yml").read_text(encoding="utf-8")
    (tmp_path / "outfall.rules.yml").write_text(text.replace("> 3\n", "> 5\n"), encoding="utf-8")
    cases = yaml.safe_load((DEPLOY / "outfall.rules.test.yml").read_text(encoding="utf-8"))
    cases["tests"] = [test for test in cases["tests"] if "starts again" in test["name"]]
    (tmp_path / "outfall.rules.test.yml").write_text(yaml.safe_dump(cases), encoding="utf-8")
    with pytest.raises(AssertionError, match="OutfallRestarting"):
        promtool("test", "rules", tmp_path / "outfall.rules.test.yml")


def test_the_page_is_as_prometheus_likes_it() -> None:
    with (
        Health(filled(), "127.0.0.1:0") as health,
        urllib.request.urlopen(f"http://127.0.0.1:{health.port}/metrics", timeout=20) as got,
    ):
        page = got.read()
    promtool("check", "metrics", given=page)


def test_prometheus_has_every_metric(tmp_path: Path) -> None:
    with Health(filled(), "127.0.0.1:0") as health:
        assert health.port
        health.ready(STARTING)
        with prometheus(tmp_path, health.port) as server:
            wait_for("a scrape", lambda: server.ask("outfall_ready == 1"))
            names = server.ask('group by (__name__) ({__name__=~"outfall_.+"})')
    found = {series["metric"]["__name__"] for series in names}
    for metric in CATALOGUE:
        wanted = {metric.name}
        if metric.kind == "histogram":
            wanted = {f"{metric.name}_{part}" for part in ("bucket", "sum", "count")}
        assert wanted <= found
        found -= wanted
    assert not found


def test_every_expression_of_the_dashboard_has_an_answer(tmp_path: Path) -> None:
    metrics = filled()
    with Health(metrics, "127.0.0.1:0") as health:
        assert health.port
        with prometheus(tmp_path, health.port) as server:
            wait_for("a scrape", lambda: server.ask("outfall_ready == 0"))
            filled(metrics)  # so that counters grow
            wait_for("another scrape", lambda: server.ask("outfall_rebalances_total == 2"))
            for expression in queries():
                asked = expression.replace("$__rate_interval", "1m")
                wait_for(asked, partial(server.ask, asked))
