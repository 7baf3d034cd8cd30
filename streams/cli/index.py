"""`outfall index`: take alerts, or events, from Kafka to Elasticsearch, until told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(index)


def index(
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
    events: Annotated[
        bool, typer.Option("--events", help="Take events instead, for hunting, where kafka.events is on.")
    ] = False,
) -> None:
    """Write every revision of every alert into Elasticsearch, once, and the newest one of each.

    The topic of alerts is read in a consumer group of its own; start two or more, and they share it out.
    While Elasticsearch is away, or takes nothing, it is asked again and again; nothing is skipped. An alert
    that it refuses for what it holds becomes a dead letter. First: [bold]outfall elasticsearch setup[/].

    SIGTERM and SIGINT finish what is under way. After a crash, even [bold]kill -9[/], what was under way is
    written once more, which changes nothing.

    With [bold]--events[/] it does the same with every event, as the rules saw it: what an alert's evidence
    names is found there by its id. Start it beside the other one, so that no alert waits for events.
    """
    from streams.cli.delivering import run_index, run_index_events  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run_index_events(config) if events else run_index(config))
