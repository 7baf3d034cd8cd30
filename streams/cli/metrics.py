"""`outfall metrics`: what a worker counts and measures."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer


class Form(StrEnum):
    """How the catalogue is printed."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(metrics)


def metrics(
    form: Annotated[
        Form | None, typer.Option("--format", help="If left out, a table on a terminal and else JSON lines.")
    ] = None,
) -> None:
    """List the metrics that a worker serves: name, kind, labels and meaning."""
    import orjson  # noqa: PLC0415 - keeps --help fast
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above

    from streams.metrics import CATALOGUE  # noqa: PLC0415 - as above

    form = form or (Form.TABLE if sys.stdout.isatty() else Form.JSON)
    if form is Form.JSON:
        for metric in CATALOGUE:
            sys.stdout.buffer.write(orjson.dumps(metric) + b"\n")
        return
    rows = [
        (metric.name, metric.kind, [label.name for label in metric.labels], metric.meaning)
        for metric in CATALOGUE
    ]
    if form is Form.MARKDOWN:
        typer.echo("| metric | kind | labels | meaning |\n|---|---|---|---|")
        for name, kind, labels, meaning in rows:
            typer.echo(f"| `{name}` | {kind} | {' '.join(f'`{label}`' for label in labels)} | {meaning} |")
        return
    table = Table("metric", "kind", "labels", "meaning", box=None)
    for name, kind, labels, meaning in rows:
        table.add_row(name, kind, ", ".join(labels), meaning)
    Console(emoji=False).print(table)
