"""`outfall match`: the rules alone over a file of records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(match)


def match(
    rules: Annotated[list[Path], typer.Option(help="A rule file, or a folder; may be repeated.")],
    file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="Records, one a line.")] = "-",
    format: Annotated[str, typer.Option(help="The records' format; `outfall formats` lists them.")] = "ecs",  # noqa: A002 - the option's name
    ignore_logsource: Annotated[bool, typer.Option("--ignore-logsource", help="Apply all rules.")] = False,
    logsource_field: Annotated[
        str | None,
        typer.Option(
            help="With --format json or ecs: the field with a document's category, product and service."
        ),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            help="Field names for all rules: windows, proxy, webserver, m365, google_workspace, none."
            " Default: none with --format json, else by each rule's log source."
        ),
    ] = None,
) -> None:
    """Try the rules on each record by itself and print a JSON line for each match.

    Lines are numbered from 0. Correlations are left out, and so is enrichment: `outfall replay` has both.
    Exit status 1 when rules were refused or failed on a record (the others still ran), else 3 when records
    were rejected.
    """
    from streams.cli.matching import Options, run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(Options(rules, file, format, ignore_logsource, logsource_field, mapping)))
