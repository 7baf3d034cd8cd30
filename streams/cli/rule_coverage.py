"""What `outfall rules coverage` does: techniques of ATT&CK with their rules, and log sources needed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from streams.cli import exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.detect.book import RuleBook
from streams.detect.load import load
from streams.errors import ConfigError
from streams.rulebook.coverage import covered, layer, needed
from streams.runtime.cache import user_cache


def run(paths: Sequence[Path], navigator: Path | None) -> int:
    """Print what is covered, write the layer if one is asked for, and give the exit status."""
    errors = standard_error()
    try:
        book = load(paths, user_cache())
        if navigator is not None and book.rules:
            _write(navigator, orjson.dumps(layer(book, "outfall"), option=orjson.OPT_INDENT_2))
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    if not book.rules and not book.refused:
        say_problems(errors, ConfigError([f"{path}: there is no rule" for path in paths]))
        return exits.USAGE
    say_refused(errors, book.refused)
    if sys.stdout.isatty():
        _print_tables(book)
    else:
        _print_json(book)
    return exits.FINDINGS if book.refused else exits.DONE


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content + b"\n")
    except OSError as error:
        raise ConfigError([f"--navigator: {path}: {error.strerror}"]) from None


def _print_json(book: RuleBook) -> None:
    for one in covered(book):
        technique = one.technique
        line = {"technique": technique.id, "name": technique.name, "tactics": technique.tactics}
        sys.stdout.buffer.write(orjson.dumps(line | {"rules": one.rules}) + b"\n")
    for source, rules in needed(book).items():
        sys.stdout.buffer.write(orjson.dumps({"logsource": source._asdict(), "rules": rules}) + b"\n")


def _print_tables(book: RuleBook) -> None:
    console = Console(highlight=False)
    table = Table("technique", "name", "tactics", box=None, header_style="bold")
    table.add_column("rules", no_wrap=True)
    for one in covered(book):
        tactics = ", ".join(one.technique.tactics)
        table.add_row(one.technique.id, one.technique.name, tactics, "\n".join(one.rules))
    console.print(table)
    table = Table("log source", "rules", box=None, header_style="bold")
    for source, rules in needed(book).items():
        name = ", ".join(f"{part}: {value}" for part, value in source._asdict().items() if value is not None)
        table.add_row(name, str(len(rules)))
    console.print(table)
