"""`outfall alerts`: the queue of an analyst, and what the workers on Kafka raise."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import exits

if TYPE_CHECKING:
    from streams.sinks.handling import Queue

Config = Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines, also on a terminal.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The alert's id, or how it begins.")]
By = Annotated[str, typer.Option(help="Who does it; default: the user of this machine.")]

DEFAULT = Path("outfall.toml")
_DONE = {"acknowledge": "acknowledged", "assign": "assigned to", "comment": "comment kept", "close": "closed"}


class Form(StrEnum):
    """How alerts are exported."""

    JSON = "json"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    alerts = typer.Typer(help="List, show and handle alerts, or watch those on Kafka.", no_args_is_help=True)
    alerts.command("list")(list_alerts)
    alerts.command()(show)
    for command in (export, watch, acknowledge, assign, comment, close):
        alerts.command()(command)
    app.add_typer(alerts, name="alerts")


def list_alerts(
    only_open: Annotated[
        bool, typer.Option("--open", help="Only those that somebody still has to look at.")
    ] = False,
    suppressed: Annotated[
        bool,
        typer.Option("--suppressed", help="Those that an exception suppresses, which are left out else."),
    ] = False,
    json: Json = False,
    config: Config = DEFAULT,
) -> None:
    """List all alerts, the newest first: a table on a terminal, else JSON lines.

    With [bold]--suppressed[/] those that would be alerts but for an exception in the rule book: what each
    exception hides.
    """
    from streams.cli import alert_view  # noqa: PLC0415 - keeps --help fast

    with _queue(config) as queue:
        told = (each for each in queue.newest() if bool(each.alert.suppressed_by) is suppressed)
        alerts = [each for each in told if each.open or not only_open]
    if json or not sys.stdout.isatty():
        alert_view.print_json(alerts)
    else:
        alert_view.print_table(alerts)


def show(alert: Id, json: Json = False, config: Config = DEFAULT) -> None:
    """Explain one alert: why, who, whose data, where to, and the evidence in its order."""
    from streams.cli import alert_view  # noqa: PLC0415 - keeps --help fast

    with _queue(config) as queue:
        found = queue.find(alert)
    if json or not sys.stdout.isatty():
        alert_view.print_json([found])
    else:
        alert_view.explain(found)


def export(
    form: Annotated[
        Form, typer.Option("--format", help="JSON lines with everything, or a table.")
    ] = Form.JSON,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only those that somebody still has to look at.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those that went on until then or later.")
    ] = None,
    config: Config = DEFAULT,
) -> None:
    """Write alerts to standard output for others: each with what people did about it.

    CSV has a line for each alert, without evidence: who, how many people, whose data, where to, when it was
    detected and who looked at it when. A cell that a spreadsheet would take for a formula begins with an
    apostrophe.
    """
    from streams.cli import alert_export, alert_view  # noqa: PLC0415 - keeps --help fast

    with _queue(config) as queue:
        alerts = (alert for alert in queue.newest() if alert.open or not only_open)
        chosen = alert_export.since(alerts, since)
        if form is Form.JSON:
            alert_view.print_json(chosen)
        else:
            alert_export.print_csv(chosen)


def watch(
    beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Also those that the topic holds already.")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Print whole revisions, with evidence, as JSON lines.")
    ] = False,
    idle: Annotated[
        str | None, typer.Option(metavar="DURATION", help="End when none has come for so long.")
    ] = None,
    config: Config = DEFAULT,
) -> None:
    """Show alerts as the workers on Kafka raise them, each when its severity rises, until interrupted."""
    from streams.cli.alert_watching import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(config, beginning=beginning, whole=whole, idle=idle))


def acknowledge(alert: Id, by: By = "", json: Json = False, config: Config = DEFAULT) -> None:
    """Say that you are looking at an alert."""
    _act(config, alert, "acknowledge", by, None, json=json)


def assign(
    alert: Id,
    to: Annotated[str, typer.Argument(help="Who is to look at it.")],
    by: By = "",
    json: Json = False,
    config: Config = DEFAULT,
) -> None:
    """Give an alert to somebody."""
    _act(config, alert, "assign", by, to, json=json)


def comment(
    alert: Id,
    text: Annotated[str, typer.Argument(help="What you found.")],
    by: By = "",
    json: Json = False,
    config: Config = DEFAULT,
) -> None:
    """Write something down about an alert."""
    _act(config, alert, "comment", by, text, json=json)


def close(
    alert: Id,
    reason: Annotated[str | None, typer.Option(help="Why it is done with.")] = None,
    by: By = "",
    json: Json = False,
    config: Config = DEFAULT,
) -> None:
    """Say that an alert is done with."""
    _act(config, alert, "close", by, reason, json=json)


def _act(config: Path, alert: str, action: str, by: str, text: str | None, *, json: bool) -> None:
    from streams.cli import alert_view  # noqa: PLC0415 - keeps --help fast
    from streams.errors import OutfallError  # noqa: PLC0415 - see above
    from streams.event import rfc3339  # noqa: PLC0415 - see above
    from streams.sinks.handling import Action  # noqa: PLC0415 - see above

    with _queue(config) as queue:
        if text is not None and not text.strip():
            raise OutfallError(f"{action}: the text is empty; nothing was done")
        found = queue.find(alert)
        if action == Action.CLOSE and found.closed_as_it_is:
            done = "already closed; `outfall alerts comment` adds to it"
        else:
            now = rfc3339(time.time_ns() // 1_000_000_000 * 1_000_000_000)
            queue.act(found, Action(action), by=by or getpass.getuser(), text=text, at=now)
            done = f"{_DONE[action]}{f' {text}' if action == 'assign' else ''}"
        typer.echo(f"{found.alert.id[:12]}: {done}", err=True)
        if json:
            alert_view.print_json([queue.find(found.alert.id)])


@contextmanager
def _queue(config: Path) -> Iterator[Queue]:
    """Open the place that a settings file names; end the command where that or what follows cannot be."""
    from streams.cli.alert_queue import queue  # noqa: PLC0415 - keeps --help fast
    from streams.errors import OutfallError  # noqa: PLC0415 - see above

    try:
        with queue(config) as found:
            yield found
    except OutfallError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(exits.USAGE) from None
