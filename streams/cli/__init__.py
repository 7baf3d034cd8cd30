"""The command `outfall`: one file a command; this one only gathers them."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from streams.cli import (
    alerts,
    config,
    dead_letters,
    demo,
    elasticsearch,
    exits,
    formats,
    index,
    lag,
    match,
    metrics,
    normalise,
    notify,
    page,
    produce,
    publish,
    replay,
    rules,
    run,
    simulate,
    topics,
    worker,
)
from streams.cli.help_text import unwrap_help

app = typer.Typer(
    name="outfall",
    help="Watches personal data leave an organisation while it happens.",
    epilog=exits.HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
run.register(app)
alerts.register(app)
config.register(app)
dead_letters.register(app)
produce.register(app)
simulate.register(app)
match.register(app)
normalise.register(app)
formats.register(app)
rules.register(app)
replay.register(app)
metrics.register(app)
demo.register(app)
topics.register(app)
worker.register(app)
lag.register(app)
publish.register(app)
index.register(app)
page.register(app)
notify.register(app)
elasticsearch.register(app)
unwrap_help(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"outfall {metadata.version('outfall')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    app()
