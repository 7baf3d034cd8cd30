"""A real Prometheus reads what a worker serves, and its own tools find no fault with the alert rules."""

from __future__ import annotations

import urllib.request
from itertools import product
from pathlib import Path

import pytest

from services.process import wait_for
from services.prometheus import prometheus, promtool
from streams.metrics import CATALOGUE, Metrics
from streams.runtime.health import STARTING, Health

pytestmark = pytest.mark.services

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"


def filled() -> Metrics:
    """Give metrics each of which has been used."""
    metrics = Metrics(["proxy"], ["outfall.matches"])
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
    cases = (DEPLOY / "outfall.rules.test.yml").read_text(encoding="utf-8")
    (tmp_path / "outfall.rules.test.yml").write_text(cases, encoding="utf-8")
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
