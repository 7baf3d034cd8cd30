"""`outfall simulate`: a county council writing logs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from streams.cli import exits


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="simulate")(simulate)


def simulate(
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write into; it is made.", file_okay=False)
    ],
    seed: Annotated[int, typer.Option("--seed", help="The same arguments give the same bytes.")] = 1,
    people: Annotated[int, typer.Option("--people", help="How many employees; at least 40.")] = 200,
    days: Annotated[int, typer.Option("--days", help="How many days.")] = 1,
    incident: Annotated[
        list[str] | None,
        typer.Option(
            "--incident",
            metavar="NAME",
            help="An incident or look-alike to plant; several are possible. Default: all that fit.",
        ),
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            "--start", formats=["%Y-%m-%d"], metavar="DATE", help="The first day, by default 2026-03-02."
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules", help="The rules that outfall.toml is to name, by default those of the project."
        ),
    ] = None,
) -> None:
    """Write a simulated county council's logs, its configuration and the truth about planted incidents.

    The folder gets `logs/`, one file for each source; `config/` and `outfall.toml` for `outfall run`; and
    `truth.json`: who did what, whose data it was, and which lines are the evidence.
    """
    from rich.progress import Progress  # noqa: PLC0415 - keeps `--help` fast

    from streams.cli.complaints import say_problems, standard_error  # noqa: PLC0415 - as above
    from streams.errors import ConfigError  # noqa: PLC0415 - as above
    from streams.simulate.run import START, Simulation  # noqa: PLC0415 - as above
    from streams.simulate.run import simulate as run  # noqa: PLC0415 - as above

    console = standard_error()
    wanted = Simulation(seed, people, days, start.date() if start else START, incident)
    project = Path(__file__).resolve().parents[2] / "rules"
    try:
        with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
            task = progress.add_task("Simulating", total=days * people)
            run(wanted, out, (rules or project).resolve(), lambda count: progress.advance(task, count))
    except ConfigError as error:
        say_problems(console, error)
        raise typer.Exit(exits.USAGE) from None
    except OSError as error:
        place = error.filename or out
        console.print(f"{place}: cannot be written: {error.strerror}", style="red", markup=False)
        raise typer.Exit(exits.USAGE) from None
