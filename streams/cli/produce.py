"""`outfall produce`: logs into the topics that `outfall worker` reads."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(produce)


def produce(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE=FILE", help="A source of kind kafka, and a log; - is stdin."),
    ] = None,
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="So many records a second; default: as fast as it goes.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(metavar="X", help="So many times faster than it happened; 60: an hour a minute."),
    ] = None,
    let_pass: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Say at the end that so much time has passed since the last event."
        ),
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Send what `outfall simulate` would write.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="With --simulate: the same seed, the same bytes.")] = None,
    people: Annotated[int | None, typer.Option(help="With --simulate: how many employees.")] = None,
    days: Annotated[int | None, typer.Option(help="With --simulate: how many days.")] = None,
    start: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="With --simulate: the first day."),
    ] = None,
) -> None:
    """Send the lines of logs to the Kafka topics of their sources, in the order in which things happened.

    A source may be given several files. Each line goes as it is, under its log as the key, and says where it
    stood: its event has the same id as when [bold]outfall run[/] reads the log itself, so that sending a log
    twice counts nothing twice. Lines that the worker cannot read become dead letters there, not here.

    Now and then, and at the end, every partition is told how far time has come; without that, one that gets
    no records would hold the windows of all rules open. [bold]--let-pass 1h[/] closes what is still open.

    SIGTERM and SIGINT stop it after the record under way. Exit status 3 when a line was too large for its
    topic and was not sent, 2 when Kafka or a topic is not there or not everything was acknowledged.
    """
    from streams.cli.produce_logs import Options  # noqa: PLC0415 - keeps --help fast
    from streams.cli.producing import run  # noqa: PLC0415 - see above

    simulation = {"seed": seed, "people": people, "days": days, "start": start and start.date()}
    code = run(
        Options(
            config=config,
            files=files or [],
            rate=rate,
            speed=speed,
            let_pass=let_pass or "0s",
            simulate=simulate,
            simulation={name: value for name, value in simulation.items() if value is not None},
        )
    )
    raise typer.Exit(code)
