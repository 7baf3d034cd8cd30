"""`outfall demo`: a council's day, from raw log lines to one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    out: Annotated[
        Path | None,
        typer.Option(
            help="Keep the logs, the configuration and the store in this new folder.", file_okay=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another council.")] = 1,
    people: Annotated[int, typer.Option(help="How many employees.", min=40)] = 200,
    days: Annotated[int, typer.Option(help="How many days.", min=1)] = 1,
    everything: Annotated[
        bool, typer.Option("--everything", help="Plant every incident that fits into the days, not just two.")
    ] = False,
) -> None:
    """Simulate a council's day, run it through the whole pipeline, and show what happens as it happens.

    An employee sends the records of 400 vulnerable adults home, another has mail forwarded. Others do what
    only looks like it. At the end the alerts are held against the truth. Exit status 1 when anything was
    missed, or somebody was woken for nothing.
    """
    from streams.cli.demonstration import demonstrate  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(demonstrate(out, seed=seed, people=people, days=days, everything=everything))
