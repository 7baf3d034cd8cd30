"""How fast a simulated council's day goes through the whole pipeline, step by step, beside `orjson.loads`.

Each step's figure is its own time, over the same events in the same run; the ratio to decoding the events as
JSON carries over to other machines. Usage: `python benchmarks/pipeline.py [--json]`.
"""

from __future__ import annotations

import argparse
import heapq
import sys
import tempfile
import time
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from streams.correlate.correlator import Correlator
from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS
from streams.normalise.rim import document
from streams.pipeline import Pipeline
from streams.runtime.build import build_pipeline
from streams.settings import load
from streams.simulate.run import Simulation, simulate
from streams.simulate.sources import SOURCES
from streams.stages.reader import Prepared

SEED, PEOPLE, DAYS = 1, 200, 1
BATCH = 500
RULES = Path(__file__).resolve().parents[1] / "rules"


class Clock:
    """Adds up the time that calls of a method take."""

    def __init__(self, owner: type, name: str) -> None:
        self.seconds = 0.0
        original = getattr(owner, name)

        def timed(*arguments: object, **named: object) -> object:
            begin = time.perf_counter()
            try:
                return original(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - begin

        setattr(owner, name, timed)


def main() -> None:
    """Measure, and print a table or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each step")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder))
    if wanted.json:
        sys.stdout.buffer.writelines(orjson.dumps(row) + b"\n" for row in rows)
        return
    table = Table("step", "seconds", "µs a record", "records/s", "times decoding")
    for row in rows:
        table.add_row(
            str(row["step"]),
            f"{row['seconds']:.2f}",
            f"{row['microseconds']:.1f}",
            f"{row['records_s']:,}",
            f"{row['ratio']:.1f}",
        )
    for column in table.columns[1:]:
        column.justify = "right"
    Console(width=100).print(table)


def measure(folder: Path) -> list[dict[str, str | int | float]]:
    """Run the day once and give the time of each step."""
    simulate(Simulation(SEED, PEOPLE, DAYS), folder, RULES)
    pipeline, _ = build_pipeline(load(folder / "outfall.toml", formats=FORMATS))
    clocks = {
        "enrich": Clock(Enricher, "enrich"),
        "match": Clock(RuleSet, "match"),
        "correlate": Clock(Correlator, "apply"),
        "raise": Clock(Pipeline, "_raise"),
    }
    begin = time.perf_counter()
    records = in_order(pipeline, folder)
    steps = {"normalise": time.perf_counter() - begin}
    begin = time.perf_counter()
    for start in range(0, len(records), BATCH):
        pipeline.process(records[start : start + BATCH])
    rest = time.perf_counter() - begin
    steps |= {step: clock.seconds for step, clock in clocks.items()}
    steps["all"] = steps["normalise"] + rest
    texts = [orjson.dumps(document(record.event)) for record in records if record.event is not None]
    begin = time.perf_counter()
    for text in texts:
        orjson.loads(text)
    steps = {"decode (orjson.loads)": time.perf_counter() - begin} | steps
    decoding = steps["decode (orjson.loads)"]
    return [
        {
            "step": step,
            "seconds": round(seconds, 3),
            "microseconds": round(1e6 * seconds / len(records), 2),
            "records_s": round(len(records) / seconds),
            "ratio": round(seconds / decoding, 2),
        }
        for step, seconds in steps.items()
    ]


def in_order(pipeline: Pipeline, folder: Path) -> list[Prepared]:
    """Give the day's records, normalised, in the order of time."""

    def log(name: str) -> list[tuple[int, int, Prepared]]:
        lines = (folder / "logs" / SOURCES[name].file).read_bytes().splitlines()
        now = time.time_ns()
        found = (
            pipeline.prepare(RawRecord(line, Origin(name, name, number, number), now))
            for number, line in enumerate(lines)
        )
        return [(item.time or 0, number, item) for number, item in enumerate(found)]

    return [item for _, _, item in heapq.merge(*map(log, SOURCES), key=lambda row: row[0])]


if __name__ == "__main__":
    main()
