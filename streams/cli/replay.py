"""`outfall replay`: the whole pipeline over stored records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    rules: Annotated[list[Path], typer.Option(help="A rule file, or a folder; may be repeated.")],
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE …|-]", help="Stored records.")] = None,
    format: Annotated[str, typer.Option(help="The records' format; `outfall formats` lists them.")] = "ecs",  # noqa: A002 - the option's name
    enrich: Annotated[Path | None, typer.Option(help="The configuration folder.")] = None,
    severity: Annotated[
        Path | None, typer.Option(help="The severity table; else severity.yml beside the rules.")
    ] = None,
    time_field: Annotated[str | None, typer.Option(help="With --format json: the field of the time.")] = None,
    id_field: Annotated[
        str | None, typer.Option(help="With --format json: the field of the identity.")
    ] = None,
    allowed_lateness: Annotated[str, typer.Option(help="How far events may be out of order.")] = "7d",
    zone: Annotated[str, typer.Option(help="Time zone of times that name none.")] = "UTC",
    ignore_logsource: Annotated[bool, typer.Option("--ignore-logsource", help="Apply all rules.")] = False,
    firings: Annotated[bool, typer.Option("--firings", help="Print each firing, not alerts.")] = False,
) -> None:
    """Run stored records through the whole pipeline and print the alert revisions as JSON lines.

    With [bold]--firings[/], one line for each firing of each alerting correlation, as they stand when all
    input within the lateness has been seen: rule, title, group, time, value, and the input lines behind it.

    Several files are merged by event time. Lines are numbered from 0, on from file to file.

    Exit status 1 when rules were refused or failed on an event (the others still ran), else 3 when records
    were rejected.
    """
    from streams.cli.replaying import Options, run  # noqa: PLC0415 - keeps --help fast

    code = run(
        Options(
            rules=rules,
            files=files or ["-"],
            format=format,
            enrich=enrich,
            severity=severity,
            time_field=time_field,
            id_field=id_field,
            allowed_lateness=allowed_lateness,
            zone=zone,
            ignore_logsource=ignore_logsource,
            firings=firings,
        )
    )
    raise typer.Exit(code)
