"""`outfall lag`: how far the workers are behind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(lag)


def lag(
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
    watch: Annotated[bool, typer.Option("--watch", help="Measure again every two seconds.")] = False,
    fail_above: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Exit status 1 when the total lag is larger.")
    ] = None,
) -> None:
    """Show how far the workers are behind, for each partition that they read.

    The lag is how many offsets lie between what is committed and the end. Offsets also count the marks that
    end transactions, one for each transaction and partition, which nobody reads: a lag of a few that does
    not grow is none. How long ago the next record that is not committed was written says more; it shows only
    to a user who may read the topic. What was deleted before a worker had read it is told as expired: the
    topic's retention is too short, or the workers were away too long.

    A table on a terminal, else a JSON line for each partition and, at the end, one for all of them.
    """
    from streams.cli import lag_view  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(lag_view.lag(config, watch=watch, fail_above=fail_above))
