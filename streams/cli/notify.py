"""`outfall notify`: tell of pages on one machine, until told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(notify)


def notify(
    once: Annotated[bool, typer.Option("--once", help="Tell of what is there, and stop.")] = False,
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
) -> None:
    """Tell PagerDuty, chats and mailboxes of the breaches that [bold]outfall run[/] raises.

    A breach is told once, again at each further tier of people, and when it is over. Who is away is told as
    soon as it can be, and holds up nobody else. A page says how many people and which kind of place, and
    names nobody. Whom: [bold]notify[/] in the settings. On Kafka, [bold]outfall page[/] does this.
    """
    from streams.cli.notifying import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(config, once=once))
