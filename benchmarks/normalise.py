"""How fast each format is read, beside `orjson.loads` of the same events in the same run.

The lines are a simulated council's. Absolute figures are this machine's; the ratio carries over to others.
Usage: `python benchmarks/normalise.py [--json]`; with `--json` a JSON line for each format.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from statistics import median

import orjson
from rich.console import Console
from rich.table import Table

from streams.event import Origin, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import Context
from streams.normalise.rim import document
from streams.simulate.run import Simulation, simulate

SEED, PEOPLE, DAYS = 1, 200, 1
ROUNDS = 3
LEAST_SECONDS = 0.25  # of one round, so that short logs are measured too


def main() -> None:
    """Measure, and print a table or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each format")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logs = simulated(Path(folder))
    rows = [measure(name, lines) for name, lines in logs.items()]
    if wanted.json:
        sys.stdout.buffer.writelines(orjson.dumps(row) + b"\n" for row in rows)
        return
    table = Table("format", "lines", "bytes a line", "events/s", "orjson.loads/s", "ratio", "auto events/s")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(
            str(row["format"]),
            *(f"{row[key]:,}" for key in ("lines", "bytes", "events_s", "loads_s")),
            f"{row['ratio']:.3f}",
            f"{row['auto_events_s']:,}",
        )
    Console(width=100).print(table)


def simulated(folder: Path) -> dict[str, list[bytes]]:
    """Give the lines of a simulated day by their format."""
    simulate(Simulation(SEED, PEOPLE, DAYS), folder, folder)
    sources = tomllib.loads((folder / "outfall.toml").read_text())["sources"]
    return {source["format"]: (folder / source["path"]).read_bytes().splitlines() for source in sources}


def measure(name: str, lines: list[bytes]) -> dict[str, str | int | float]:
    """Time a format, `--format auto`, and the yardstick over the same lines."""
    now = time.time_ns()
    records = [RawRecord(line, Origin("bench", name, number, number)) for number, line in enumerate(lines)]

    def read(format_: str) -> Callable[[], None]:
        context = Context(received=now)

        def once() -> None:
            for record in records:
                normalise(record, FORMATS[format_], context)

        return once

    context = Context(received=now)
    documents = [orjson.dumps(document(normalise(record, FORMATS[name], context))) for record in records]

    def load() -> None:
        for text in documents:
            orjson.loads(text)

    # Taking turns: what else the machine does then falls on all three alike.
    tasks = (read(name), read("auto"), load)
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(ROUNDS):
        for task, found in zip(tasks, times, strict=True):
            found.append(seconds(task))
    events, automatic, loads = (round(len(lines) / median(found)) for found in times)
    return {
        "format": name,
        "lines": len(lines),
        "bytes": sum(map(len, lines)) // len(lines),
        "events_s": events,
        "loads_s": loads,
        "ratio": round(events / loads, 3),
        "auto_events_s": automatic,
    }


def seconds(task: Callable[[], None]) -> float:
    """Give the time of one call, over as many as fill a round."""
    calls, begin = 0, time.perf_counter()
    while (passed := time.perf_counter() - begin) < LEAST_SECONDS or not calls:
        task()
        calls += 1
    return passed / calls


if __name__ == "__main__":
    main()
