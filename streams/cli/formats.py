"""`outfall formats`: which formats of logs can be read."""

from __future__ import annotations

import typer

DOCUMENTS = {
    "case_system": "docs/formats/case_system.md",
    "postfix": "docs/formats/postfix.md",
    "squid": "docs/formats/squid.md",
    "squid_extended": "docs/formats/squid.md",
}
"""Where it is written what to configure at the source, or how the format is defined, by the format's name."""


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
            line = {"name": name, "summary": listed.summary, "document": DOCUMENTS.get(name)}
            sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
        return
    table = Table("format", "what it is", "document", box=None)
    for name, listed in FORMATS.items():
        table.add_row(name, listed.summary, DOCUMENTS.get(name, ""))
    Console(emoji=False).print(table)
