"""The benchmarks run: their figures are for people, but they must not rot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_correlation() -> None:
    command = [sys.executable, str(BENCHMARKS / "correlation.py"), "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=200)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["shape"] for row in rows} >= {"light groups", "heavy group", "giant group, shuffled"}
    assert all(row["window_values_s"] > 0 and row["whole_values_s"] > 0 for row in rows)
    wide = next(row for row in rows if row["shape"].startswith("400 values an event, heavy"))
    assert wide["window_bytes"] < 150  # a value and group; of its text 80
