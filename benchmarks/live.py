"""How fast the worker on Kafka is, beside a bare aiokafka consumer of the same run.

One broker and one `outfall worker`, each a process on a core of its own; whatever sends shares the broker's.
What is measured:

* the yardstick: `getmany` of committed records and `orjson.loads` of each, by a process on the worker's core.
  Its records are Zscaler's, which are JSON, without headers
* Faust over our transport, which does just that
* the pipeline: as many raw records, half of them ProxySG's and half Zscaler's, each with the header of its
  origin, through 100 rules to matches and alerts: all three steps with their transactions
* two workers, on a core each; where there are only two cores they share these with the broker
* the time from a raw record's append to its alert, at shares of what one worker can do

Ratios of processor time hold whatever else the machine does; those of speed want it for themselves.
Usage: `python benchmarks/live.py [--json] [--quick] [--one] [--rounds N] [--records N] [--seconds N]`. With
`TEST_KAFKA=HOST:PORT` in the environment it uses that broker instead of starting one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import live_delay
import live_pipeline
import live_records
import orjson
import proxy_workload
from live_kafka import Cluster, cluster, fill
from live_worker import Setup, setup, worker
from rich.console import Console
from rich.table import Table

READER = Path(__file__).with_name("live_reader.py")
LOADS = (0.25, 0.5, 0.8)
"""At which latency is measured, as shares of what one worker can do."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """How much is measured: rounds, records of each reading, and seconds of each load after `warm` ones."""

    rounds: int
    records: int
    seconds: float
    warm: float
    loads: Sequence[float]
    two_workers: bool


class Benchmark:
    """One run on one broker, of whose topics all names begin with `name`."""

    def __init__(self, cluster: Cluster, folder: Path, wanted: Wanted) -> None:
        self._cluster = cluster
        self._folder = folder
        self._wanted = wanted
        self._name = f"bench-{uuid4().hex[:8]}"
        self._numbers = itertools.count()

    def run(self) -> Iterator[Row]:
        """Measure everything; the rounds of what is compared take turns."""
        self._write_records()
        core, other = self._cluster.cores.worker, self._cluster.cores.broker
        work = {
            "bare consumer": lambda: self._read("bare"),
            "Faust transport": lambda: self._read("faust"),
            "pipeline": lambda: self._pipeline([core]),
            "pipeline, and kafka.events": lambda: self._pipeline([core], events=True),
        }
        if self._wanted.two_workers:
            work["two workers"] = lambda: self._pipeline([core, other])
        found: dict[str, list[Row]] = {name: [] for name in work}
        for _ in range(self._wanted.rounds):
            for name, measure in work.items():
                found[name].append(measure())
        bare = found["bare consumer"]
        for name, rows in found.items():
            yield {"measured": name, **compared(rows, bare)}
        yield from self._delays(max(row["records_s"] for row in found["pipeline"]))

    def _write_records(self) -> None:
        count, parts = self._wanted.records, live_records.PARTITIONS
        texts = live_records.lines(live_records.JSON, count)
        self._cluster.create(f"{self._name}.json", parts)
        self._fill("json", [[(text, []) for text in texts[number::parts]] for number in range(parts)])
        self._setup(self._name)  # makes the raw topics
        for name in proxy_workload.FORMATS:
            self._fill(name, live_records.partitions(name, count // 2, origins=True))

    def _fill(self, name: str, partitions: Sequence[Sequence[live_records.Record]]) -> None:
        asyncio.run(fill(self._cluster.bootstrap, f"{self._name}.{name}", partitions))

    def _setup(self, raw: str, *, events: bool = False) -> Setup:
        """Make topics for a worker that has not read the raw ones yet."""
        prefix = f"{self._name}.{next(self._numbers)}"
        return setup(self._folder / prefix, self._cluster, prefix, raw, events=events)

    def _read(self, how: str) -> Row:
        """Let a process of its own read the records that are JSON."""
        command = [sys.executable, READER, how, self._cluster.bootstrap, f"{self._name}.json"]
        command += map(str, (self._wanted.records, self._cluster.cores.worker))
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=600)  # noqa: S603 - our own
        found: Row = orjson.loads(done.stdout)
        return found

    def _pipeline(self, cores: Sequence[int], *, events: bool = False) -> Row:
        made = self._setup(self._name, events=events)
        figures = live_pipeline.measure(made, self._cluster, self._wanted.records, cores)
        return {
            "records_s": figures.records_s,
            "cpu_us": figures.worker_us,
            "broker_us": figures.broker_us,
            "busy": [round(one, 2) for one in figures.busy],
            "broker_busy": round(figures.broker_busy, 2),
            "transactions": {step: round(number, 2) for step, number in figures.transactions.items()},
        }

    def _delays(self, rate: float) -> Iterator[Row]:
        """Measure latency at each load, by one worker that goes on all the while."""
        wanted = self._wanted
        name = f"{self._name}.delays"
        seconds = wanted.warm + wanted.seconds
        count = int(1.1 * rate * sum(wanted.loads) * seconds / len(proxy_workload.FORMATS)) + 1000
        made = self._setup(name)
        streams = [
            live_delay.Stream(f"{name}.{form}", number, iter(log))
            for form in proxy_workload.FORMATS
            for number, log in enumerate(live_records.partitions(form, count, origins=False))
        ]
        with worker(made, self._cluster, self._cluster.cores.worker) as running:
            running.until_ready()
            for load in wanted.loads:
                before = running.sample()
                delays = asyncio.run(
                    live_delay.measure(
                        self._cluster, made.alerts, streams, load * rate, wanted.seconds, wanted.warm
                    )
                )
                after = running.sample()
                yield {
                    "measured": f"latency at {load:.0%}",
                    "records_s": round(delays.records_s),
                    "busy": [round((after.worker - before.worker) / (after.at - before.at), 2)],
                    "broker_busy": round((after.broker - before.broker) / (after.at - before.at), 2),
                    "alerts": len(delays.appended),
                    **delays.milliseconds(),
                }


def compared(rows: Sequence[Row], bare: Sequence[Row]) -> Row:
    """Give the figures of the best round, and the ratios to the yardstick of the same rounds."""
    best = max(rows, key=lambda row: row["records_s"])
    speed = [row["records_s"] / other["records_s"] for row, other in zip(rows, bare, strict=True)]
    cpu = median(other["cpu_us"] for other in bare) / median(row["cpu_us"] for row in rows)
    return {
        **best,
        "records_s": round(best["records_s"]),
        **{key: round(best[key], 2) for key in ("cpu_us", "broker_us") if key in best},
        "ratio_best": round(max(speed), 3),
        "ratio_median": round(median(speed), 3),
        "ratio_cpu": round(cpu, 3),
    }


def main() -> None:
    """Measure, and print tables or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each row")
    parser.add_argument("--quick", action="store_true", help="as little as can be: whether it runs")
    parser.add_argument("--one", action="store_true", help="without the run of two workers")
    parser.add_argument("--rounds", type=int, default=2, help="of all but latency; the best counts")
    parser.add_argument("--records", type=int, default=200_000, help="that are read in each round")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each load whose latency is measured")
    said = parser.parse_args()
    wanted = Wanted(said.rounds, said.records, said.seconds, 3.0, LOADS, two_workers=not said.one)
    if said.quick:
        wanted = Wanted(1, 10_000, 2.0, 0.5, LOADS[:1], two_workers=False)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tries again; what matters is raised
    with tempfile.TemporaryDirectory() as folder, cluster() as found:
        rows: list[Row] = []
        for row in Benchmark(found, Path(folder), wanted).run():
            rows.append(row)
            if said.json:
                sys.stdout.buffer.write(orjson.dumps(row) + b"\n")
                sys.stdout.buffer.flush()
    if not said.json:
        show([row for row in rows if "ratio_cpu" in row])
        show([row for row in rows if "ratio_cpu" not in row])


def show(rows: Sequence[Row]) -> None:
    """Print rows as a table, with a column for each figure that any of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*names)
    for row in rows:
        table.add_row(*(shown(row.get(name, "")) for name in names))
    for column in table.columns[1:]:
        column.justify = "right"
    Console(width=170).print(table)


def shown(value: Any) -> str:
    """Give a figure as text."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, dict):
        return " ".join(f"{name} {number}" for name, number in value.items())
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    main()
