"""`outfall elasticsearch`: install what outfall needs there, and check it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines, also on a terminal.")]
DEFAULT = Path("outfall.toml")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(help="Install and check what alerts need in Elasticsearch.", no_args_is_help=True)
    commands.command()(setup)
    commands.command()(check)
    app.add_typer(commands, name="elasticsearch")


def setup(config: Config = DEFAULT, json: Json = False) -> None:
    """Install templates, lifecycle, roles and indices, over what is there of them; repeating is harmless.

    The files are in [bold]deploy/elasticsearch[/]. A template holds for indices that are made after it: the
    mapping of one that is there is not changed.
    """
    from streams.cli.elasticsearch_view import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(config, install=True, json=json))


def check(config: Config = DEFAULT, json: Json = False) -> None:
    """Say of each of them whether it is there as it should be; exit status 1 if any is not."""
    from streams.cli.elasticsearch_view import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(config, install=False, json=json))
