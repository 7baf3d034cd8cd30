"""`outfall normalise`: what a format makes of each line."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(normalise)


def normalise(
    file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="A log; - is standard input.")] = "-",
    format: Annotated[str, typer.Option(help="The log's format; `outfall formats` lists them.")] = "auto",  # noqa: A002 - the option's name
    zone: Annotated[str, typer.Option(help="Time zone of times that name none.")] = "UTC",
) -> None:
    """Print one line of nested ECS JSON for each line of the input.

    A line that is no event gives [bold]null[/]; its number, counted from 0, and the reason are on standard
    error. Where one event takes several lines (Postfix), each gives its own here; only [bold]outfall run[/]
    and [bold]outfall replay[/] join them.
    """
    from streams.cli.normalising import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(file, format, zone))
