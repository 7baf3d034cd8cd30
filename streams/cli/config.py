"""`outfall config`: check the settings and everything that they name, or print their schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from streams.cli import exits


def register(app: typer.Typer) -> None:
    """Add the commands."""
    config = typer.Typer(help="Check the settings, or print their JSON Schema.", no_args_is_help=True)
    config.command()(check)
    config.command()(schema)
    app.add_typer(config, name="config")


def check(
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
) -> None:
    """Check the settings, the rules, the severity table and the enrichment folder.

    All problems are told at once, on standard error: exit status 2 where `run` would not start, 1 where it
    would run without some rules, since they had to be refused. A log that is not there yet is only told.
    """
    from streams.cli.complaints import say_problems, standard_error  # noqa: PLC0415 - keeps --help fast
    from streams.enrich.load import describe  # noqa: PLC0415 - see above
    from streams.errors import ConfigError  # noqa: PLC0415 - see above
    from streams.normalise import FORMATS  # noqa: PLC0415 - see above
    from streams.runtime.build import load_parts, missing_logs  # noqa: PLC0415 - see above
    from streams.settings import load  # noqa: PLC0415 - see above

    console = standard_error()
    try:
        settings = load(config, formats=FORMATS)
        book, _, enrichment, _ = load_parts(settings)
    except ConfigError as error:
        say_problems(console, error)
        raise typer.Exit(exits.USAGE) from None
    for refusal in book.refused:
        console.print(f"refused: {refusal}", style="yellow", markup=False)
    for missing in missing_logs(settings):
        console.print(
            f"{missing} yet; `run` waits for it, `run --once` does not start", style="yellow", markup=False
        )
    names = ", ".join(source.name for source in settings.sources)
    console.print(f"{config}: sources {names}", markup=False)
    console.print(f"rules: {len(book.rules)} run, {len(book.refused)} refused", markup=False)
    console.print(f"{settings.enrich or 'no enrich folder'}: {describe(enrichment)}", markup=False)
    raise typer.Exit(exits.FINDINGS if book.refused else exits.DONE)


def schema() -> None:
    """Print the JSON Schema of the settings file."""
    import orjson  # noqa: PLC0415 - keeps --help fast

    from streams.settings import Settings  # noqa: PLC0415 - see above

    document = orjson.dumps(Settings.model_json_schema(), option=orjson.OPT_INDENT_2)
    sys.stdout.buffer.write(document + b"\n")
