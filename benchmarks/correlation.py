"""How fast correlation counts and what it holds, over shapes of groups and of arrival, beside `orjson.loads`.

Each shape is measured twice: the *window* alone, the update of one group's count; and *whole*, through
`Correlator.apply` with evidence, episodes, pages and the rows to save. `/ decoding` is the time beside
that of decoding the same events as JSON in the same run, which carries over to other machines. Memory is
what remains allocated when all events are held, by `tracemalloc`: of the window's own, and of everything,
for each value of each event. Usage: `python benchmarks/correlation.py [--quick] [--json]`.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import orjson
from rich.console import Console
from rich.table import Table

from streams.correlate.correlator import Correlator
from streams.correlate.entry import Entry
from streams.correlate.severity import SeverityTable
from streams.correlate.window import Window
from streams.errors import Place
from streams.event import NANOSECONDS, Event, Origin
from streams.rule import Correlation, CorrelationType, Expression, Rule, Threshold
from streams.runtime.garbage import spare_garbage_collection

SEED = 1
ROUNDS = 3
"""Of the window alone the best of so many counts; the whole is measured once."""
SPAN = 24 * 3600 * NANOSECONDS
LATENESS = 3600 * NANOSECONDS
BATCH = 500
BLOCK = 2000
"""Events between two readings of the clock: decoding and counting take turns, so that noise meets both."""

NAMES = ("a", "b", "c")
RULES = [Rule(name, name, name, Place("rules.yml"), alerts=False) for name in NAMES]
MANY_PEOPLE = Threshold("gt", 100, ("outfall.subjects.id",))
LARGE_NUMBER = Threshold("gt", 9, ("number",))


@dataclass(frozen=True, slots=True)
class Made:
    """One event to be: its group, its time in seconds, the values it carries, and which rule matches it."""

    group: int
    time: float
    values: tuple[int, ...]
    rule: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of input; `kind` and `condition` are those of the correlation that it meets."""

    name: str
    events: Callable[[int, random.Random], list[Made]]
    size: int = 100_000
    kind: CorrelationType = CorrelationType.VALUE_COUNT
    condition: Threshold | Expression = MANY_PEOPLE


def light(size: int, _: random.Random) -> list[Made]:
    """Ten values a group."""
    return [Made(number % (size // 10), number * 0.1, (number % 60_000,)) for number in range(size)]


def heavy(size: int, _: random.Random) -> list[Made]:
    """All values in one group, each distinct."""
    return [Made(0, number * 0.1, (number,)) for number in range(size)]


def expiring(size: int, _: random.Random) -> list[Made]:
    """One group over many timespans: for each value that comes one goes."""
    return [Made(0, number * 43.2, (number,)) for number in range(size)]


def in_pairs(size: int, _: random.Random) -> list[Made]:
    """One group, two values at each time."""
    return [Made(0, number // 2 * 0.2, (number,)) for number in range(size)]


def few_distinct(size: int, _: random.Random) -> list[Made]:
    """Ninety values over and over."""
    return [Made(0, number * 0.1, (number % 90,)) for number in range(size)]


def late(share: float) -> Callable[[int, random.Random], list[Made]]:
    """Make a heavy group of which a share comes up to an hour late."""

    def events(size: int, chance: random.Random) -> list[Made]:
        return [
            Made(
                0, 3600 + number * 0.5 - (chance.random() * 3600 if chance.random() < share else 0), (number,)
            )
            for number in range(size)
        ]

    return events


def shuffled(size: int, chance: random.Random) -> list[Made]:
    """One giant group in no order at all."""
    events = heavy(size, chance)
    chance.shuffle(events)
    return events


def backwards(size: int, chance: random.Random) -> list[Made]:
    """One giant group, the newest first."""
    return heavy(size, chance)[::-1]


def at_once(size: int, chance: random.Random) -> list[Made]:
    """One giant group at a single time, in no order."""
    return [Made(0, 0, event.values) for event in shuffled(size, chance)]


def light_400(size: int, _: random.Random) -> list[Made]:
    """400 values an event, ten events a group."""
    return [
        Made(number % (size // 10 or 1), number * 1.0, tuple(range(number * 400, number * 400 + 400)))
        for number in range(size)
    ]


def heavy_400(size: int, _: random.Random) -> list[Made]:
    """400 values an event, all in one group."""
    return [Made(0, event.time, event.values) for event in light_400(size, _)]


def shuffled_400(size: int, chance: random.Random) -> list[Made]:
    """400 values an event, drawn from 60,000, one group in no order."""
    events = [Made(0, number, tuple(chance.sample(range(60_000), 400))) for number in range(size)]
    chance.shuffle(events)
    return events


def three_rules(size: int, chance: random.Random) -> list[Made]:
    """Three rules in turn, one group in no order."""
    events = [Made(0, number, (number % 100,), number % 3) for number in range(size)]
    chance.shuffle(events)
    return events


_ORDERED = Expression(
    "and",
    operands=(
        Expression("rule", "a"),
        Expression("not", operands=(Expression("rule", "b"),)),
        Expression("rule", "c"),
    ),
)
SHAPES = (
    Shape("light groups", light),
    Shape("heavy group", heavy),
    Shape("heavy group, expiring", expiring),
    Shape("heavy group, two at each time", in_pairs),
    Shape("400 values an event, light groups", light_400, 1000),
    Shape("400 values an event, heavy group", heavy_400, 1000),
    Shape("many values, 90 distinct", few_distinct),
    Shape("10% late", late(0.1)),
    Shape("50% late", late(0.5)),
    Shape("giant group, shuffled", shuffled),
    Shape("giant group, backwards", backwards),
    Shape("giant group, all at one time", at_once),
    Shape("400 values an event, shuffled", shuffled_400, 1000),
)
RECOMPUTED = (
    Shape("sum, shuffled", three_rules, 2000, CorrelationType.VALUE_SUM, LARGE_NUMBER),
    Shape("median, shuffled", three_rules, 2000, CorrelationType.VALUE_MEDIAN, LARGE_NUMBER),
    Shape(
        "temporal_ordered, shuffled", three_rules, 2000, CorrelationType.TEMPORAL_ORDERED, Threshold("gte", 3)
    ),
    Shape("extended temporal, shuffled", three_rules, 2000, CorrelationType.TEMPORAL, _ORDERED),
    Shape("extended ordered, shuffled", three_rules, 2000, CorrelationType.TEMPORAL_ORDERED, _ORDERED),
)
"""Kinds of which an event out of order concerns each time of a timespan: fewer events, done in seconds."""


def main() -> None:
    """Measure, and print a table or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each shape")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the events: whether it runs")
    wanted = parser.parse_args()
    spare_garbage_collection()  # as the program does once it has its rules
    rows = (measure(shape, shape.size // (100 if wanted.quick else 1)) for shape in (*SHAPES, *RECOMPUTED))
    if wanted.json:
        for row in rows:
            sys.stdout.buffer.write(orjson.dumps(row) + b"\n")
            sys.stdout.buffer.flush()
        return
    window, whole = ("window, values/s", "/ decoding"), ("whole, values/s", "/ decoding")
    table = Table("shape", *window, *whole, "bytes, window", "all")
    for row in rows:
        pairs = [(row[f"{part}_values_s"], row[f"{part}_ratio"]) for part in ("window", "whole")]
        shown = [text for rate, ratio in pairs for text in (f"{rate:,}", f"{ratio:.1f}")]
        table.add_row(str(row["shape"]), *shown, f"{row['window_bytes']:,}", f"{row['whole_bytes']:,}")
    for column in table.columns[1:]:
        column.justify = "right"
    Console(width=110).print(table)


def measure(shape: Shape, size: int) -> dict[str, str | int | float]:
    """Measure one shape; bytes are those of one value of one event."""
    made = shape.events(size, random.Random(SEED))  # noqa: S311 - not for secrets
    events = [event(number, one) for number, one in enumerate(made)]
    texts = [orjson.dumps(one.fields) for one in events]
    values = sum(len(one.values) for one in made)
    part = shape.events(size // 5 or 1, random.Random(SEED))  # noqa: S311 - as above; tracing is slow
    of_part = sum(len(one.values) for one in part)
    window, decoding = min(taking_turns(texts, windows(shape, made)) for _ in range(ROUNDS))
    whole, decoding_again = taking_turns(texts, applying(shape, made, events))
    return {
        "shape": shape.name,
        "events": len(made),
        "values": values,
        "window_values_s": round(values / window),
        "window_ratio": round(window / decoding, 2),
        "whole_values_s": round(values / whole),
        "whole_ratio": round(whole / decoding_again, 2),
        "window_bytes": held(lambda: windows(shape, part), of_part),
        "whole_bytes": held(lambda: applying(shape, part, None), of_part),
    }


def event(number: int, made: Made) -> Event:
    """Make an event as it comes from enrichment."""
    fields = {
        "event.action": "sent",
        "event.dataset": "benchmark",
        "outfall.channel": "email",
        "outfall.actor.id": f"actor{made.group}",
        "outfall.egress": True,
        "outfall.destination.class": ["webmail"],
        "outfall.subjects.id": [f"k1:{value:024x}" for value in made.values],
        "number": made.values[0],
    }
    origin = Origin("source", "stream", number * 300, number)
    return Event(f"{number:032x}", int(made.time * NANOSECONDS), fields, origin)


def correlation(shape: Shape) -> Correlation:
    """Make the correlation of a shape."""
    rule = Rule("outer", "outer", "outer", Place("rules.yml"), alerts=True)
    rules = NAMES if shape.size < 10_000 else NAMES[:1]
    return Correlation(rule, shape.kind, rules, SPAN, shape.condition, ("outfall.actor.id",))


def windows(shape: Shape, made: Sequence[Made]) -> Iterator[object]:
    """Put events into the windows of their groups, `BLOCK` at a time; yields what holds them.

    What an entry is made of, its id and its values, is there before: it is read from the event.
    """
    held: dict[int, Window] = {}
    number_wanted = shape.condition is LARGE_NUMBER
    rules = [frozenset((name,)) for name in NAMES]
    outer = correlation(shape)
    for start in range(0, len(made), BLOCK):
        entries = []
        for number, one in enumerate(made[start : start + BLOCK], start):
            values = one.values if number_wanted else tuple(f"k1:{x:024x}" for x in sorted(one.values))
            entry = Entry(f"{number:032x}", int(one.time * NANOSECONDS), rules[one.rule], values)
            entries.append((one.group, entry))
        yield None
        for group, entry in entries:
            window = held.get(group)
            if window is None:
                window = held[group] = Window(outer)
            window.put(entry)
            if entry.time - SPAN > (window.oldest or 0) + SPAN // 4:
                window.prune(entry.time - SPAN)
        yield held


def applying(shape: Shape, made: Sequence[Made], events: Sequence[Event] | None) -> Iterator[object]:
    """Take events in as the pipeline does, a batch at a time; yields the correlator."""
    correlator = Correlator(RULES, [correlation(shape)], SeverityTable())
    watermark = -SPAN
    ordered = all(one.time >= before.time for before, one in itertools.pairwise(made))
    for start in range(0, len(made), BLOCK):
        block = (
            [event(number, one) for number, one in enumerate(made[start : start + BLOCK], start)]
            if events is None
            else events[start : start + BLOCK]
        )
        yield None
        for begin in range(0, len(block), BATCH):
            for number, one in enumerate(block[begin : begin + BATCH], start + begin):
                if ordered:
                    watermark = max(watermark, one.time - LATENESS)
                correlator.apply(one, [RULES[made[number].rule]], watermark)
                correlator.take_pages()
            correlator.advance(watermark)
            correlator.take()
            correlator.forget()
            for table in correlator.tables:
                table.drain()
        block.clear()  # the events are not what is measured
        yield correlator


def taking_turns(texts: Sequence[bytes], work: Iterator[object]) -> tuple[float, float]:
    """Give the seconds of processor time that the work took, and that decoding the same events took."""
    working = decoding = 0.0
    gc.collect()
    gc.freeze()  # what is held here from before is not to be searched for garbage while the clock runs
    for start in range(0, len(texts), BLOCK):
        next(work)
        begin = time.process_time()
        for text in texts[start : start + BLOCK]:
            orjson.loads(text)
        middle = time.process_time()
        next(work)
        working += time.process_time() - middle
        decoding += middle - begin
    gc.unfreeze()
    return max(working, 1e-9), max(decoding, 1e-9)


def held(work: Callable[[], Iterator[object]], values: int) -> int:
    """Give the bytes for each value that remain allocated after the work."""
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    last: object = None
    for holder in work():
        last = holder or last
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del last
    return round((after - before) / values)


if __name__ == "__main__":
    main()
