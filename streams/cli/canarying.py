"""What `outfall rules canary` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.text import Text

from streams.cli import exits
from streams.cli.backtest_view import SIGNS, difference_table, figures
from streams.cli.backtesting import time_of
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.cli.stop import Stop
from streams.errors import ConfigError
from streams.event import NANOSECONDS
from streams.normalise import FORMATS
from streams.rulebook.backtest import Backtest
from streams.rulebook.compare import label
from streams.rulebook.differences import Canary, Difference
from streams.runtime.build import load_parts, pipeline_of
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.live_records import live_records
from streams.settings import load, parse_duration


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `outfall rules canary`, as given."""

    rules: Path
    config: Path
    since: str | None
    lasting: str | None
    idle: str | None
    json: bool


def run(options: Options) -> int:
    """Look on until told to stop, print, and give the exit status."""
    console = standard_error()
    plain = options.json or not sys.stdout.isatty()
    canary, records = Canary(), 0
    failures: Counter[str] = Counter()
    rejected = 0
    try:
        settings = load(options.config, formats=FORMATS)
        books = (settings, settings.model_copy(update={"rules": [options.rules]}))
        parts = [load_parts(each) for each in books]
        for each in parts:
            say_refused(console, each.book.refused)
        skew = settings.clock_skew
        before, after = (
            pipeline_of(each, of, clock_skew=skew) for each, of in zip(books, parts, strict=True)
        )
        stop, end = Stop(), time.monotonic() + _seconds("--for", options.lasting)
        patience = _seconds("--idle", options.idle)
        heard = time.monotonic()

        def over() -> bool:
            return stop.asked or time.monotonic() >= min(end, heard + patience)

        spare_garbage_collection()
        since = time_of("--since", options.since)
        console.print("watching with both rule books; Ctrl-C ends", style="dim")
        for batch in live_records(settings, before, since, over):
            records += len(batch)
            outcomes = [pipeline.process(batch) for pipeline in (before, after)]
            for table in (*before.tables, *after.tables):
                table.drain()  # nobody saves them, and they would be held for ever
            for difference in canary.take(outcomes[0].alerts, outcomes[1].alerts):
                _tell(difference, plain=plain)
            failures.update(
                f"{one.rule.place}: failed on an event: {one.reason}" for one in outcomes[1].failures
            )
            rejected += outcomes[1].counts["rejected"]
            if batch:
                heard = time.monotonic()
    except ConfigError as error:
        say_problems(console, error)
        return exits.USAGE
    for failure, count in failures.items():
        console.print(f"{failure} ({count} times)", style="red", markup=False)
    if rejected:
        console.print(f"unreadable records: {rejected} (`outfall normalise` says why)")
    found = canary.differences()
    (_print_json if plain else _print_table)(canary, found, records)
    return exits.FINDINGS if found or failures or parts[1].book.refused else exits.DONE


def _seconds(option: str, text: str | None) -> float:
    """Read a duration; without one there is no end."""
    if text is None:
        return math.inf
    try:
        return parse_duration(text) / NANOSECONDS
    except ValueError as error:
        raise ConfigError([f"{option}: {error}"]) from None


def _tell(difference: Difference, *, plain: bool) -> None:
    """Say at once that only one of the books has raised an alert, so far."""
    if plain:
        sys.stdout.buffer.write(orjson.dumps({"so_far": difference.document()}) + b"\n")
        sys.stdout.buffer.flush()
        return
    sign, style = SIGNS[difference.change]
    alert = difference.alert
    text = f"{sign} {alert.last[:19]} {alert.severity} {label(alert)}: {alert.reason}"
    Console(emoji=False, highlight=False, soft_wrap=True).print(Text(text, style))


def _print_json(canary: Canary, found: list[Difference], records: int) -> None:
    for difference in found:
        sys.stdout.buffer.write(orjson.dumps(difference.document()) + b"\n")
    before, after = (figures(Backtest(alerts=canary.alerts(side))) for side in (0, 1))
    total = {"change": None, "records": records, "before": before, "after": after}
    sys.stdout.buffer.write(orjson.dumps(total | {"differences": len(found)}) + b"\n")
    sys.stdout.buffer.flush()


def _print_table(canary: Canary, found: list[Difference], records: int) -> None:
    console = Console(emoji=False, highlight=False)
    if found:
        console.print(difference_table(found))
    for side, name in enumerate(("now", "with the new rules")):
        result = Backtest(alerts=canary.alerts(side))
        hidden = f", {result.suppressed} suppressed" if result.suppressed else ""
        console.print(f"{name}: {result.pages} pages, {result.tickets} tickets{hidden}")
    differ = "1 difference" if len(found) == 1 else f"{len(found)} differences"
    console.print(f"{differ} over {records:,} records", style="yellow" if found else "green")
