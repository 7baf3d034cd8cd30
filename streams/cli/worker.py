"""`outfall worker`: read raw topics on Kafka, and raise alerts, until told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
) -> None:
    """Read the raw topics on Kafka and raise alerts into the topic of alerts.

    Start as many as there is work, at most one for each partition: they share out the partitions. After a
    crash, even [bold]kill -9[/], another takes over where everything was safe; nothing is lost or doubled.
    The topics must be there: [bold]outfall topics create[/].

    SIGTERM and SIGINT finish what is under way. SIGHUP loads rules and enrichment again. A worker that meets
    what it cannot live with ends with status 4 and has lost nothing: start it again.
    """
    from streams.cli.working import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(config))
