"""The benchmarks run: their figures are for people, but they must not rot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.kafka import Kafka
from services.shared import GIVEN

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def rows_of(name: str, **environment: str) -> list[dict[str, Any]]:
    command = [sys.executable, str(BENCHMARKS / name), "--quick", "--json"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, timeout=200, env=os.environ | environment
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_detection() -> None:
    rows = rows_of("detection.py")
    assert [row["loading"] for row in rows if "loading" in row] == ["cold", "warm"]
    found = {row["rules"]: row["matches"] for row in rows if "events/s" in row}
    assert 0 < found["10 generated"] < found["3,000 generated"]
    assert found["3,000 generated, é in each event"] > 0


def test_correlation() -> None:
    rows = rows_of("correlation.py")
    assert {row["shape"] for row in rows} >= {"light groups", "heavy group", "giant group, shuffled"}
    assert all(row["window_values_s"] > 0 and row["whole_values_s"] > 0 for row in rows)
    wide = next(row for row in rows if row["shape"].startswith("400 values an event, heavy"))
    assert wide["window_bytes"] < 150  # a value and group; of its text 80


def test_live_path() -> None:
    rows = rows_of("live_path.py")
    for name in ("proxysg", "zscaler_web"):
        found = {row["step"]: row for row in rows if row["format"] == name}
        assert found.keys() == {"decode (orjson.loads)", "normalise", "describe", "conclude", "match", "all"}
        assert all(row["µs a record"] > 0 and row["matches"] > 0 for row in found.values())


def test_backtest() -> None:
    match, *backtests = rows_of("backtest.py")
    assert match["ratio"] == 1
    assert len(backtests) >= 2
    assert all(row["ratio"] > 0 and row["records"] == match["records"] > 5000 for row in backtests)


def test_rule_book() -> None:
    outfall, naive = rows_of("rule_book.py")
    assert outfall["records"] == naive["records"] > 5000
    assert outfall["recall"] == 1
    assert outfall["precision"] >= 0.9
    assert naive["recall"] < 1


@pytest.mark.services
def test_live(kafka: Kafka) -> None:
    rows = {row["measured"]: row for row in rows_of("live.py", **{GIVEN: kafka.bootstrap})}
    pipelines = ["pipeline", "pipeline, and kafka.events"]
    assert list(rows) == ["bare consumer", "Faust transport", *pipelines, "latency at 25%"]
    *read, delay = rows.values()
    assert all(row["records_s"] > 0 and row["ratio_cpu"] > 0 for row in read)
    assert all(rows[name]["transactions"]["correlate"] > 0 for name in pipelines)
    assert 0 < delay["append_p50_ms"] <= delay["seen_p99_ms"]


@pytest.mark.services
def test_recovery(kafka: Kafka) -> None:
    yardstick, more = rows_of("recovery.py", **{GIVEN: kafka.bootstrap})
    assert 0 < yardstick["values"] < more["values"] < more["restored_rows"]
    assert 0 < more["first_s"] <= more["first_counted_s"] <= more["all_counted_s"]


@pytest.mark.services
def test_delivery(kafka: Kafka) -> None:
    bulk, index, events, delay = rows_of("delivery.py", **{GIVEN: kafka.bootstrap})
    assert 0 < index["ratio"] == round(index["documents_s"] / bulk["documents_s"], 2)
    assert events["ratio"] == pytest.approx(events["documents_s"] / bulk["documents_s"], abs=0.02)
    assert 0 < delay["search_p50_ms"] <= delay["search_p99_ms"]
    assert 0 < delay["pages"] <= delay["alerts"]
