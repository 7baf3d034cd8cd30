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
    explain: Annotated[
        bool, typer.Option("--explain", help="Say for each rule and record why it matches or does not.")
    ] = False,
    rule: Annotated[
        str | None, typer.Option(help="With --explain: only the rule of this id or name.")
    ] = None,
    line: Annotated[int | None, typer.Option(help="With --explain: only the record of this line.")] = None,
) -> None:
    """Try the rules on each record by itself and print a JSON line for each match.

    Lines are numbered from 0. Correlations are left out, and so is enrichment: `outfall replay` has both.
    Exit status 1 when rules were refused or failed on a record (the others still ran), else 3 when records
    were rejected.

    --explain prints the condition of each rule as a tree, with what was true and false of each record and the
    values that were looked at: it shows content of the log. A tree on a terminal, otherwise one JSON line for
    each record and rule.
    """
    from streams.cli.explaining import Chosen, run_explaining  # noqa: PLC0415 - keeps --help fast
    from streams.cli.matching import Options, run  # noqa: PLC0415 - as above

    options = Options(rules, file, format, ignore_logsource, logsource_field, mapping)
    if explain:
        raise typer.Exit(run_explaining(options, Chosen(rule, line)))
    if rule is not None or line is not None:
        raise typer.BadParameter("they belong to --explain", param_hint="--rule, --line")
    raise typer.Exit(run(options))
