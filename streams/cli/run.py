"""`outfall run`: follow the sources, and raise alerts, until told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def run(
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
    once: Annotated[bool, typer.Option("--once", help="Read what is there, then stop.")] = False,
    again: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE", help="Read this source's files from their beginning; repeatable."),
    ] = None,
) -> None:
    """Follow the configured sources and raise alerts.

    Everything is kept in the state folder: after a crash, even [bold]kill -9[/], the run goes on where it
    was, and no alert is lost or doubled. SIGTERM and SIGINT finish the batch under way; a second one does not
    wait. Each alert whose severity rises is shown: a line of text on a terminal, else a short line of JSON.

    Stopped by a signal, the exit status is 0 whatever was found; with [bold]--once[/] it also tells of
    refused rules (1) and rejected records (3).
    """
    from streams.cli.running import run_settings  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run_settings(config, once=once, again=again or ()))
