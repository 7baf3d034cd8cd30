"""What `outfall lag` does."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import orjson
from rich.console import Console
from rich.live import Live
from rich.table import Table

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.cli.live_settings import live_settings
from streams.errors import ConfigError
from streams.runtime.lag import PartitionLag, measure
from streams.settings import Settings

_AGAIN = 2
"""Seconds between two measurements of `--watch`."""


def lag(config: Path, *, watch: bool, fail_above: int | None) -> int:
    """Show the lag, and give the exit status."""
    errors = standard_error()
    if watch and (fail_above is not None or not sys.stdout.isatty()):
        say_problems(errors, ConfigError(["--watch is for a terminal, and without --fail-above"]))
        return exits.USAGE
    try:
        settings = live_settings(config)
        if watch:
            _watch(settings)
            return exits.DONE
        lags = measure(settings)
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    if sys.stdout.isatty():
        Console(emoji=False, highlight=False).print(_table(lags))
    else:
        _print_json(lags)
    total = sum(one.lag for one in lags)
    if fail_above is not None and total > fail_above:
        errors.print(f"the lag is {total}, more than {fail_above}", style="red", markup=False)
        return exits.FINDINGS
    return exits.DONE


def _watch(settings: Settings) -> None:
    with contextlib.suppress(KeyboardInterrupt), Live(auto_refresh=False) as live:
        while True:
            live.update(_table(measure(settings)), refresh=True)
            time.sleep(_AGAIN)


def _seconds_ago(one: PartitionLag) -> int | None:
    return None if one.next_time is None else max(0, int(time.time() - one.next_time / 1000))


def _total(lags: Sequence[PartitionLag]) -> dict[str, int | None]:
    known = [seconds for one in lags if (seconds := _seconds_ago(one)) is not None]
    return {
        "lag": sum(one.lag for one in lags),
        "behind_seconds": max(known, default=None),
        "expired": sum(one.expired for one in lags),
    }


def _print_json(lags: Sequence[PartitionLag]) -> None:
    """Print the same keys in each line; in the last, which is for all of them, nothing is their place."""
    for one in lags:
        line = {
            "topic": one.topic,
            "partition": one.partition,
            "begin": one.begin,
            "committed": one.committed,
            "end": one.end,
            **_total([one]),
        }
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    nothing = dict.fromkeys(("topic", "partition", "begin", "committed", "end"))
    sys.stdout.buffer.write(orjson.dumps(nothing | _total(lags)) + b"\n")


def _table(lags: Sequence[PartitionLag]) -> Table:
    """Give a table with the total first: of a long one that is watched, the end is not seen."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("topic")
    for name in ("partition", "begin", "committed", "end", "lag", "next written", "expired"):
        table.add_column(name, justify="right")
    total = _total(lags)
    told = (_number(total["lag"]), _ago(total["behind_seconds"]), _number(total["expired"]))
    table.add_row("all", "", "", "", "", *told, style="bold")
    for one in lags:
        numbers = map(_number, (one.partition, one.begin, one.committed, one.end, one.lag))
        expired = f"[red]{one.expired:,}[/]" if one.expired else ""
        table.add_row(one.topic, *numbers, _ago(_seconds_ago(one)), expired)
    return table


def _number(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _ago(seconds: int | None) -> str:
    return "" if seconds is None else f"{timedelta(seconds=seconds)} ago"
