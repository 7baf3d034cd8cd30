"""What `outfall rules coverage` does: techniques of ATT&CK with their rules, and log sources needed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.cli import exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.detect.book import RuleBook
from streams.detect.load import load
from streams.detect.ruleset import applies
from streams.errors import ConfigError
from streams.event import LogSource
from streams.normalise import FORMATS
from streams.rule import Rule
from streams.rulebook.coverage import covered, layer, needed
from streams.rulebook.flowing import blind, given_by
from streams.runtime.cache import user_cache
from streams.settings import load as load_settings


@dataclass(frozen=True, slots=True)
class _Sources:
    """What the sources of settings give; without settings nothing is known of them."""

    formats: tuple[str, ...] | None

    def give(self, wanted: LogSource) -> bool | None:
        """Tell whether they give a log source; None where it is not known."""
        if self.formats is None:
            return None
        given = [given_by(name) for name in self.formats]
        return any(some is None or applies(wanted, some) for some in given)

    def blind(self, book: RuleBook) -> list[Rule]:
        """Give the rules that cannot fire."""
        return [] if self.formats is None else blind(book, self.formats)


def run(paths: Sequence[Path], navigator: Path | None, config: Path | None) -> int:
    """Print what is covered, write the layer if one is asked for, and give the exit status."""
    errors = standard_error()
    try:
        sources = _Sources(None)
        if config is not None:
            settings = load_settings(config, formats=FORMATS, places=False)
            sources = _Sources(tuple(source.format for source in settings.sources))
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
    (_print_tables if sys.stdout.isatty() else _print_json)(book, sources)
    return exits.FINDINGS if book.refused else exits.DONE


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content + b"\n")
    except OSError as error:
        raise ConfigError([f"--navigator: {path}: {error.strerror}"]) from None


def _print_json(book: RuleBook, sources: _Sources) -> None:
    lines: list[dict[str, Any]] = [
        {
            "technique": one.technique.id,
            "name": one.technique.name,
            "tactics": one.technique.tactics,
            "rules": one.rules,
        }
        for one in covered(book)
    ]
    for source, rules in needed(book).items():
        line: dict[str, Any] = {"logsource": source._asdict(), "rules": rules}
        if sources.formats is not None:
            line["given"] = sources.give(source)
        lines.append(line)
    lines += [{"cannot_fire": rule.label, "place": str(rule.place)} for rule in sources.blind(book)]
    for line in lines:
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")


def _print_tables(book: RuleBook, sources: _Sources) -> None:
    console = Console(emoji=False, highlight=False)
    table = Table("technique", "name", "tactics", box=None, header_style="bold")
    table.add_column("rules", no_wrap=True)
    for one in covered(book):
        tactics = ", ".join(one.technique.tactics)
        table.add_row(one.technique.id, one.technique.name, tactics, "\n".join(one.rules))
    console.print(table)
    table = Table("log source", "rules", box=None, header_style="bold")
    if sources.formats is not None:
        table.add_column("given")
    for source, rules in needed(book).items():
        name = ", ".join(f"{part}: {value}" for part, value in source._asdict().items() if value is not None)
        given = {True: Text("yes", "green"), False: Text("no", "red"), None: Text()}[sources.give(source)]
        table.add_row(name, str(len(rules)), *([given] if sources.formats is not None else []))
    console.print(table)
    for rule in sources.blind(book):
        console.print(f"{rule.label} cannot fire: no source gives what it needs", style="yellow")
