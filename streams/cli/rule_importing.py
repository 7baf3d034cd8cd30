"""What `outfall rules import` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.detect.load import load
from streams.errors import ConfigError
from streams.normalise import FORMATS
from streams.rulebook.flowing import given_by
from streams.rulebook.importing import Line, report, take
from streams.runtime.cache import user_cache
from streams.settings import load as load_settings

_SHOWN = 20


def run(checkout: Path, out: Path | None, config: Path | None) -> int:
    """Report, copy what is taken over, and give the exit status."""
    errors = standard_error()
    try:
        formats = [name for name in FORMATS if given_by(name) is not None]
        if config is not None:
            settings = load_settings(config, formats=FORMATS, places=False)
            formats = sorted({source.format for source in settings.sources})
        with errors.status("compiling"):
            book = load([checkout], user_cache())
        lines = report(book, formats)
        copied = [] if out is None else [*take(lines, checkout, out)]
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    if not lines:
        say_problems(errors, ConfigError([f"{checkout}: there is no rule"]))
        return exits.USAGE
    if sys.stdout.isatty():
        _print_tables(lines, copied, out)
    else:
        for line in lines:
            sys.stdout.buffer.write(orjson.dumps(_document(line)) + b"\n")
    return exits.FINDINGS if any(line.status == "refused" for line in lines) else exits.DONE


def _document(line: Line) -> dict[str, object]:
    return {
        "status": line.status,
        "rule": line.rule,
        "title": line.title,
        "place": line.place,
        "reason": line.reason,
        "logsource": None if line.logsource is None else line.logsource._asdict(),
        "fields": line.fields,
    }


def _print_tables(lines: Sequence[Line], copied: Sequence[Path], out: Path | None) -> None:
    console = Console(emoji=False, highlight=False)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        if line.logsource is not None:
            parts = line.logsource._asdict().items()
            counts[", ".join(f"{name}: {part}" for name, part in parts if part)][line.status] += 1
    table = Table("log source", "rules", "seen by a format", box=None, header_style="bold")
    for name, each in sorted(counts.items(), key=lambda pair: -pair[1].total()):
        seen = Text("yes", "green") if each["taken"] else Text("no", "dim")
        table.add_row(name, str(each.total()), seen)
    console.print(table)
    refused = [line for line in lines if line.status == "refused"]
    for line in refused[:_SHOWN]:
        console.print(f"refused: {line.place}: {line.reason}", style="yellow", markup=False)
    if len(refused) > _SHOWN:
        console.print(f"and {len(refused) - _SHOWN} more; piped, all are printed", style="yellow")
    sums = Counter(line.status for line in lines)
    console.print(
        f"{sums['taken']} rules run and have something to see, {sums['unseen']} run and have not,"
        f" {sums['refused']} are refused"
    )
    if out is not None:
        files = "1 file was" if len(copied) == 1 else f"{len(copied)} files were"
        console.print(f"{files} copied to {out}")
