"""`outfall formats`: which formats of logs can be read."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(formats)


def formats() -> None:
    """List the formats of logs that can be read: a table, or JSON lines when piped."""
    import sys  # noqa: PLC0415 - keeps --help fast

    import orjson  # noqa: PLC0415 - as above
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above

    from streams.normalise import FORMATS  # noqa: PLC0415 - as above

    if not sys.stdout.isatty():
        for name, listed in FORMATS.items():
            sys.stdout.buffer.write(orjson.dumps({"name": name, "summary": listed.summary}) + b"\n")
        return
    table = Table("format", "what it is", box=None)
    for name, listed in FORMATS.items():
        table.add_row(name, listed.summary)
    Console().print(table)
