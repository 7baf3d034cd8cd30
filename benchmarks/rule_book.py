"""How good the rule book is: recall of planted incidents, precision of pages, and how many there are a week.

Councils are simulated with seeds that were not used while rules were written, 30 days each, with every
incident and look-alike planted. The yardstick is the rule that many begin with: any upload above 10 MB.
Usage: `python benchmarks/rule_book.py [--json] [--quick] [--seeds N…] [--people N] [--days N]`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import orjson
from live import Row, show

from streams.normalise import FORMATS
from streams.rulebook.backtest import backtest
from streams.runtime.ahead import looked_at
from streams.runtime.build import load_parts, pipeline_of
from streams.runtime.stored_logs import FileLog
from streams.settings import Settings, load
from streams.simulate.run import Simulation, simulate
from streams.simulate.score import score
from streams.simulate.sources import SOURCES

RULES = Path(__file__).resolve().parents[1] / "rules"
SEEDS = (7001, 7002, 7003)
ANALYSTS = 4
"""Who share the pages and tickets of such a council."""
NAIVE = """
title: Upload above 10 MB
id: 6f0b2a44-95c1-4d8e-9e55-2d0a2f7c1a10
name: upload_above_10_mb
logsource: {product: outfall, category: web}
detection:
  upload: {outfall.bytes|gt: 10000000, outfall.egress: true}
  condition: upload
level: high
"""


def main() -> None:
    """Measure, and print a table or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each council and book")
    parser.add_argument("--quick", action="store_true", help="one small council: whether it runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="of the councils")
    parser.add_argument("--people", type=int, default=200, help="who work there")
    parser.add_argument("--days", type=int, default=30, help="that are simulated")
    said = parser.parse_args()
    seeds, people, days = (said.seeds[:1], 60, 1) if said.quick else (said.seeds, said.people, said.days)
    rows: list[Row] = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            simulate(Simulation(seed, people, days), folder / "council", RULES)
            (folder / "naive").mkdir()
            (folder / "naive" / "upload_above_10_mb.yml").write_text(NAIVE, encoding="utf-8")
            for book, rules in (("outfall", RULES), ("naive", folder / "naive")):
                rows.append({"seed": seed, "book": book, **judged(folder / "council", rules, days)})
                if said.json:
                    sys.stdout.buffer.write(orjson.dumps(rows[-1]) + b"\n")
                    sys.stdout.buffer.flush()
    if not said.json:
        show(rows)


def judged(council: Path, rules: Path, days: int) -> Row:
    """Give what a rule book does with a council's logs."""
    settings: Settings = load(council / "outfall.toml", formats=FORMATS, places=False)
    settings = settings.model_copy(update={"rules": [rules], "severity": RULES / "severity.yml"})
    parts = load_parts(settings)
    pipeline = pipeline_of(settings, parts, clock_skew=None)
    logs = [FileLog(name, council / "logs" / source.file) for name, source in SOURCES.items()]
    begun = time.perf_counter()
    records = looked_at(settings, parts, logs, time.time_ns(), os.cpu_count() or 1, lambda _: None)
    found = backtest(pipeline, records)
    seconds = time.perf_counter() - begun
    result = score(orjson.loads((council / "truth.json").read_bytes()), found.alerts)
    incidents = [verdict for verdict in result.verdicts if verdict.malicious]
    weeks = max(days / 7, 1 / 7)
    return {
        "records": found.counts["records"],
        "incidents": len(incidents),
        "recall": round(result.recall, 3),
        "precision": round(result.precision, 3),
        "pages": found.pages,
        "pages_analyst_week": round(found.pages / weeks / ANALYSTS, 2),
        "tickets_analyst_week": round(found.tickets / weeks / ANALYSTS, 2),
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    main()
