"""How dead letters look: a table, the facts of one, or JSON; never what they hold."""

from __future__ import annotations

import sys
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.cli.alert_view import plain
from streams.event import rfc3339
from streams.runtime.letters import Entry

_COLUMNS = ("id", "since (UTC)", "source", "line", "stage", "tries", "bytes", "reason")


def document(entry: Entry) -> dict[str, Any]:
    """Give all that is known of a dead letter, without its content."""
    letter = entry.letter
    return {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "source": letter.origin.source,
        "stream": letter.origin.stream,
        "offset": letter.origin.offset,
        "line": letter.origin.line,
        "stage": letter.stage,
        "error": letter.error,
        "reason": letter.reason,
        "place": letter.place,
        "attempts": letter.attempts,
        "bytes": entry.size,
        "replayed": entry.replayed,
    }


def print_json(entry: Entry) -> None:
    """Print one as a JSON line."""
    sys.stdout.buffer.write(orjson.dumps(document(entry)) + b"\n")


class Listing:
    """A table for a terminal, to which entries are added one by one; nothing of their content is held."""

    def __init__(self) -> None:
        self._table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for name in _COLUMNS:
            right = name in ("line", "tries", "bytes")
            self._table.add_column(name, justify="right" if right else "left", no_wrap=name != "reason")

    def add(self, entry: Entry) -> None:
        """Add one."""
        letter = entry.letter
        cells = (
            entry.id,
            rfc3339(entry.at)[:19].replace("T", " "),
            letter.origin.source,
            str(letter.origin.line),
            letter.stage,
            str(letter.attempts),
            str(entry.size),
            f"{letter.reason} (replayed)" if entry.replayed else letter.reason,
        )
        self._table.add_row(*(Text(plain(cell)) for cell in cells))

    def show(self) -> None:
        """Print it, where there is anything to show."""
        if self._table.row_count:
            Console(emoji=False, highlight=False).print(self._table)


def print_facts(entry: Entry, *, errors: bool = False) -> None:
    """Print all that is known of one, for a person to read; with `errors` to standard error."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in document(entry).items():
        if value not in ("", False):
            table.add_row(name, Text(plain(str(value))))
    Console(emoji=False, highlight=False, stderr=errors).print(table)


def print_raw(data: bytes) -> None:
    """Print the record: as it came, or on a terminal without what could act on it."""
    if sys.stdout.isatty():
        sys.stdout.write(plain(data.decode("utf-8", "replace")) + "\n")
    else:
        sys.stdout.buffer.write(data)
    sys.stdout.flush()
