"""What a raw record of a web proxy costs on its way to its matches, step by step, beside `orjson.loads`.

The way is the Kafka worker's: read the record (`normalise`), say whose, who and where (`Enricher.describe`),
whether it bears content and what is concluded from it alone (`bears`, `Enricher.conclude`), match it against
100 generated rules (`RuleSet.match`). The yardstick decodes the same events as JSON. Each round has records
of its own; times are the process's own, and the best of several rounds counts. The ratio carries over to
other machines. Usage: `python benchmarks/live_path.py [--json] [--quick]`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import orjson
import proxy_workload
import workload
from rich.console import Console
from rich.progress import track
from rich.table import Table

from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.enrich.content import bears
from streams.enrich.load import load
from streams.errors import Ignored
from streams.event import Event, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import Context
from streams.normalise.rim import document
from streams.runtime.garbage import spare_garbage_collection
from streams.simulate.config_files import write_config
from streams.simulate.council import found
from streams.simulate.run import START

SEED, PEOPLE, RULES = 1, 600, 100
BATCH = 500
DECODE, *STEPS = "decode (orjson.loads)", "normalise", "describe", "conclude", "match"

T = TypeVar("T")


class Way:
    """The way of one format's records, with the best of its rounds: seconds for each step."""

    def __init__(self, name: str, enricher: Enricher) -> None:
        self.name = name
        self.seconds: dict[str, float] = {}
        self.events = self.matches = 0
        self._format = FORMATS[name]
        self._context = Context(0)
        self._enricher = enricher
        self._rules = RuleSet(loads(workload.rules(RULES)), ignore_logsource=True)

    def take(self, records: list[RawRecord]) -> None:
        """Go the way with some records, and keep the times if they are the best so far."""
        passed = dict.fromkeys((DECODE, *STEPS), 0.0)

        def timed(step: str, work: Callable[[T], object], argument: T) -> Any:
            begin = time.process_time()
            result = work(argument)
            passed[step] += time.process_time() - begin
            return result

        events = matches = 0
        for start in range(0, len(records), BATCH):
            read = timed("normalise", self._read, records[start : start + BATCH])
            texts = [orjson.dumps(document(event)) for event in read]
            timed("describe", self._describe, read)
            timed("conclude", self._conclude, read)
            matches += len(timed("match", self._rules.match, read)[0])
            timed(DECODE, decode, texts)
            events += len(read)
        if not self.seconds or whole(passed) < whole(self.seconds):
            self.seconds, self.events, self.matches = passed, events, matches

    def rows(self) -> list[dict[str, str | int | float]]:
        """Give the figures of each step and of all."""
        steps = {**self.seconds, "all": whole(self.seconds)}
        return [
            {
                "format": self.name,
                "step": step,
                "µs a record": round(1e6 * passed / self.events, 2),
                "share %": round(100 * passed / steps["all"], 1),
                "times decoding": round(passed / steps[DECODE], 2),
                "records/s": round(self.events / passed),
                "matches": self.matches,
            }
            for step, passed in steps.items()
        ]

    def _read(self, records: list[RawRecord]) -> list[Event]:
        """Normalise records; only the line that states a log's columns is none."""
        events: list[Event] = []
        for record in records:
            try:
                events.append(normalise(record, self._format, self._context))
            except Ignored:
                continue
        return events

    def _describe(self, events: list[Event]) -> None:
        for event in events:
            self._enricher.describe(event)

    def _conclude(self, events: list[Event]) -> None:
        for event in events:
            bears(event)
            self._enricher.conclude(event)


def main() -> None:
    """Measure, and print a table or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each row")
    parser.add_argument("--quick", action="store_true", help="few records and rounds: to see that it runs")
    wanted = parser.parse_args()
    rows = measure(*((2_000, 1) if wanted.quick else (20_000, 7)))
    if wanted.json:
        sys.stdout.buffer.writelines(orjson.dumps(row) + b"\n" for row in rows)
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(value if isinstance(value, str) else f"{value:,}" for value in row.values()))
    for column in table.columns[2:]:
        column.justify = "right"
    Console(width=110).print(table)


def measure(count: int, rounds: int) -> list[dict[str, str | int | float]]:
    """Give the best of several rounds of so many records, in which the formats take turns."""
    council = found(SEED, PEOPLE, START)
    with tempfile.TemporaryDirectory() as folder:
        write_config(Path(folder), council, Path(folder))
        config = load(Path(folder, "config"), key=None)
    ways = [Way(name, Enricher(config)) for name in proxy_workload.FORMATS]
    spare_garbage_collection()
    for part in track(range(rounds), "measuring", console=Console(stderr=True), transient=True):
        for way in ways:
            way.take(proxy_workload.records(way.name, count, council, part))
    return [row for way in ways for row in way.rows()]


def whole(seconds: dict[str, float]) -> float:
    """Give the time of all steps of the way."""
    return sum(seconds[step] for step in STEPS)


def decode(texts: list[bytes]) -> None:
    """Decode events as JSON, and nothing else."""
    for text in texts:
        orjson.loads(text)


if __name__ == "__main__":
    main()
