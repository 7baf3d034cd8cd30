"""How fast events are matched against 10 to 3,000 rules, beside `orjson.loads` of the same events.

The rules are generated (`workload`) and bound to one log source, so that all apply to every event. Where
SigmaHQ's rules are beside the checkout they are measured as well, routed by log source and not.
Usage: `python benchmarks/detection.py [--json] [--quick]`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import workload
from rich.console import Console
from rich.progress import track
from rich.table import Table

from streams.detect import ruleset
from streams.detect.load import load, loads
from streams.detect.prefilter import Prefilter
from streams.detect.ruleset import RuleSet
from streams.runtime.cache import FolderCache
from streams.runtime.garbage import spare_garbage_collection

BATCH = 500
SIGMAHQ = Path(__file__).resolve().parents[2] / "shared" / "sigmahq"


@dataclass
class Subject:
    """A rule set and the events for it, with the best of its rounds: seconds for all, and for some parts."""

    name: str
    rules: RuleSet
    texts: list[bytes]
    seconds: float = float("inf")
    decoding: float = float("inf")
    making: float = float("inf")
    parts: dict[str, float] = field(default_factory=dict)


class Clock:
    """Adds up the time that calls of a function take, in its place."""

    def __init__(self, owner: Any, name: str) -> None:
        self.seconds = 0.0
        original = getattr(owner, name)

        def timed(*arguments: Any) -> Any:
            begin = time.perf_counter()
            result = original(*arguments)
            self.seconds += time.perf_counter() - begin
            return result

        setattr(owner, name, timed)


def main() -> None:
    """Measure, and print tables or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each row")
    parser.add_argument("--quick", action="store_true", help="few events and rounds: to see that it runs")
    wanted = parser.parse_args()
    count, rounds = (2_000, 1) if wanted.quick else (20_000, 7)
    loading = list(measure_loading())
    matching = measure_matching(count, rounds)
    if wanted.json:
        sys.stdout.buffer.writelines(orjson.dumps(row) + b"\n" for row in (*loading, *matching))
        return
    show(loading)
    show(matching)


def measure_loading() -> Iterator[dict[str, str | int | float]]:
    """Give the time to the first match, with an empty cache and with a full one."""
    texts = workload.lines(BATCH)
    with tempfile.TemporaryDirectory() as folder:
        for state in ("cold", "warm"):
            begin = time.perf_counter()
            cache = FolderCache(Path(folder, "cache"))
            rules, path = 3000, Path(folder, "generated.yml")
            if SIGMAHQ.exists():
                book = load(sorted(SIGMAHQ.glob("rules*")), cache)
                rules = len(book.detections)
            else:
                path.write_text(workload.rules(rules))
                book = load([path], cache)
            loaded = time.perf_counter()
            RuleSet(book, ignore_logsource=True, cache=cache).match(workload.events(texts))
            end = time.perf_counter()
            yield {
                "loading": state,
                "rules": rules,
                "load s": round(loaded - begin, 2),
                "first batch s": round(end - loaded, 2),
                "sum s": round(end - begin, 2),
            }


def measure_matching(count: int, rounds: int) -> list[dict[str, str | int | float]]:
    """Give the best of several rounds, in which all rule sets take turns with decoding alone.

    Literals are chosen from other events than those that are measured.
    """
    subjects = list(prepared(count))
    spare_garbage_collection()
    clocks = {"text": Clock(ruleset, "scan_text"), "scan": Clock(Prefilter, "candidates")}
    for _ in track(range(rounds), "matching", console=Console(stderr=True), transient=True):
        for subject in subjects:
            texts = subject.texts
            subject.decoding = min(subject.decoding, seconds(decode, texts))
            subject.making = min(subject.making, seconds(make, texts))
            before = {name: clock.seconds for name, clock in clocks.items()}
            taken = seconds(lambda texts, rules=subject.rules: run(rules, texts), texts)
            if taken < subject.seconds:
                subject.seconds = taken
                subject.parts = {name: clock.seconds - before[name] for name, clock in clocks.items()}
    return [figures(subject, subjects[0], 1e6 / count) for subject in subjects]


def prepared(count: int) -> Iterator[Subject]:
    """Give the rule sets, each with its literals chosen and what is tried compiled."""
    texts, others = workload.lines(count, seed=1), workload.lines(count, seed=2)
    books = {f"{number:,} generated": loads(workload.rules(number)) for number in (10, 100, 1000, 3000)}
    sets = [(name, RuleSet(book, ignore_logsource=True)) for name, book in books.items()]
    if SIGMAHQ.exists():
        book = load(sorted(SIGMAHQ.glob("rules*")))
        number = f"{len(book.detections):,} SigmaHQ"
        sets.append((f"{number}, one source", RuleSet(book, ignore_logsource=True)))
        sets.append((f"{number}, routed", RuleSet(book)))
    for name, rules in sets:
        run(rules, others)
        yield Subject(name, rules, texts)
    accented = RuleSet(books["3,000 generated"], ignore_logsource=True)
    run(accented, workload.lines(count, seed=2, accent="é"))
    yield Subject("3,000 generated, é in each event", accented, workload.lines(count, seed=1, accent="é"))


def figures(subject: Subject, ten: Subject, each: float) -> dict[str, str | int | float]:
    """Give the figures of one rule set; `each` turns seconds for all into microseconds an event."""
    matching = subject.seconds - subject.making
    return {
        "rules": subject.name,
        "events/s": round(len(subject.texts) / subject.seconds),
        "times decoding": round(subject.seconds / subject.decoding, 2),
        "times 10 rules": round(subject.seconds / ten.seconds, 2),
        "the same without decoding": round(matching / (ten.seconds - ten.making), 2),
        "decode µs": round(subject.decoding * each, 2),
        "event µs": round((subject.making - subject.decoding) * each, 2),
        "text µs": round(subject.parts["text"] * each, 2),
        "scan µs": round(subject.parts["scan"] * each, 2),
        "evaluate µs": round((matching - sum(subject.parts.values())) * each, 2),
        "matches": run(subject.rules, subject.texts),
    }


def run(rules: RuleSet, texts: list[bytes]) -> int:
    """Decode and match all events in batches, and give how many matches there were."""
    return sum(
        len(rules.match(workload.events(texts[at : at + BATCH]))[0]) for at in range(0, len(texts), BATCH)
    )


def make(texts: list[bytes]) -> None:
    """Make events of all texts in batches, and nothing else."""
    for at in range(0, len(texts), BATCH):
        workload.events(texts[at : at + BATCH])


def decode(texts: list[bytes]) -> None:
    """Decode all events in batches, and nothing else."""
    for at in range(0, len(texts), BATCH):
        for text in texts[at : at + BATCH]:
            orjson.loads(text)


def seconds(work: Callable[[list[bytes]], object], texts: list[bytes]) -> float:
    """Give how long something takes."""
    begin = time.perf_counter()
    work(texts)
    return time.perf_counter() - begin


def show(rows: list[dict[str, str | int | float]]) -> None:
    """Print rows as a table."""
    table = Table(*rows[0])
    for found in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in found.values()))
    for column in table.columns[1:]:
        column.justify = "right"
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
