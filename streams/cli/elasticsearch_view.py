"""What `outfall elasticsearch` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import orjson
from elasticsearch import ApiError, TransportError
from rich.console import Console
from rich.table import Table

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.errors import ConfigError
from streams.settings import load
from streams.sinks import elasticsearch_setup
from streams.sinks.elasticsearch_client import said, synchronous
from streams.sinks.elasticsearch_setup import Part

_STYLES = {"installed": "green", "missing": "red", "different": "red"}


def run(config: Path, *, install: bool, json: bool) -> int:
    """Install or check, and give the exit status."""
    try:
        where = load(config, places=False).elasticsearch
        with synchronous(where) as client:
            done = elasticsearch_setup.install if install else elasticsearch_setup.check
            try:
                parts = [*done(client, where.prefix)]
            except (ApiError, TransportError) as error:
                raise ConfigError([f"elasticsearch: {', '.join(where.hosts)}: {said(error)}"]) from None
    except ConfigError as error:
        say_problems(standard_error(), error)
        return exits.USAGE
    _show(parts, json=json or not sys.stdout.isatty())
    return exits.DONE if all(part.fine for part in parts) else exits.FINDINGS


def _show(parts: list[Part], *, json: bool) -> None:
    if json:
        for part in parts:
            sys.stdout.buffer.write(orjson.dumps(asdict(part)) + b"\n")
        return
    table = Table("what", "name", "state")
    for part in parts:
        table.add_row(part.kind, part.name, f"[{_STYLES.get(part.state, 'yellow')}]{part.state}[/]")
    Console(emoji=False).print(table)
