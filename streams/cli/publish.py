"""`outfall publish`: put rules and enrichment into the topic from which workers take them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(publish)


def publish(
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
    refused: Annotated[
        bool, typer.Option("--allow-refused", help="Publish although some rules had to be refused.")
    ] = False,
) -> None:
    """Publish rules, severity and enrichment to all workers at once.

    Workers with [bold]worker.configuration = "topic"[/] take them over within seconds, all or nothing, and
    keep their windows. What could not be used is not published. The key for pseudonyms never is: workers have
    it from OUTFALL_PSEUDONYM_KEY. The topic holds the directory, so let nobody else read it.
    """
    from streams.cli.publishing import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(config, allow_refused=refused))
