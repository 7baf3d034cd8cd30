"""`outfall page`: take pages from Kafka to Alertmanager, until told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(page)


def page(
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
) -> None:
    """Tell Alertmanager of every breach that on-call must know of, until it is over.

    A breach pages once, and again at each further tier of people. What is open is told again every
    [bold]paging.repeat[/], since Alertmanager forgets it when it is killed. Two may run beside each other:
    they tell the same, which notifies once. A page says how many people and which kind of place, and names
    nobody.

    At the start all alerts of the topic are read, to know what is open. After a crash, even
    [bold]kill -9[/], nothing is skipped. [bold]OutfallDeadMansSwitch[/] is told all the time: whom it does
    not reach any more, knows that paging is broken.
    """
    from streams.cli.delivering import run_page  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run_page(config))
