"""`outfall dead-letters`: the records that could not be processed, in the store or on Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.help_text import unwrapped

Config = Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Only these.")]
Source = Annotated[str | None, typer.Option(help="Only those of this source.")]
Stage = Annotated[str | None, typer.Option(help="Only those that this step gave up.")]
Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="Only those whose reason holds this text.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only those from then on: 2026-03-02T09:00:00Z, or 2h ago.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Only those from before then.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many, the oldest.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, also on a terminal.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many it would be.")]

DEFAULT = Path("outfall.toml")
_GROUP = """Records that could not be processed: why, and once the cause is mended, again.

Where the sources are files, standard input or syslog, they are in the store of [bold]outfall run[/]; where
they are Kafka topics, in the topic PREFIX.dead-letters of [bold]outfall worker[/]. The commands are the same.
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    letters = typer.Typer(help=unwrapped(_GROUP), no_args_is_help=True)
    letters.command("list")(list_letters)
    for command in (show, replay, purge):
        letters.command()(command)
    app.add_typer(letters, name="dead-letters")


def list_letters(
    ids: Ids = None,
    source: Source = None,
    stage: Stage = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were replayed and are still in the topic.")
    ] = False,
    json: Json = False,
    config: Config = DEFAULT,
) -> None:
    """List dead letters, the oldest first: a table on a terminal, else JSON lines.

    The records themselves are not shown, since they may hold personal data; [bold]show --raw[/] shows one.
    """
    from streams.cli.letter_filters import Filters  # noqa: PLC0415 - keeps --help fast
    from streams.cli.lettering import list_entries  # noqa: PLC0415 - see above

    filters = Filters(ids or [], source, stage, reason, since, until, limit)
    raise typer.Exit(list_entries(config, filters, everything=everything, json=json))


def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="The dead letter's id, as listed.")],
    raw: Annotated[bool, typer.Option("--raw", help="Print the record itself, as it came.")] = False,
    json: Json = False,
    config: Config = DEFAULT,
) -> None:
    """Say all that is known of one dead letter.

    With [bold]--raw[/] its bytes, unchanged, are all that goes to standard output, so that they can be piped
    to `outfall normalise --format FORMAT -`; they may hold personal data. On a terminal, control characters
    are replaced.
    """
    from streams.cli.lettering import show_entry  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(show_entry(config, letter, raw=raw, json=json))


def replay(
    ids: Ids = None,
    source: Source = None,
    stage: Stage = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    dry_run: DryRun = False,
    config: Config = DEFAULT,
) -> None:
    """Process dead letters again, all or those that are meant, after their cause has been mended.

    Their events keep their ids, so that nothing counts twice. But time does not go back: what is older than
    the allowed lateness counts in no window any more.

    In the store, they go through the pipeline as in [bold]outfall run[/], which must not run meanwhile;
    alerts are printed as it prints them. What goes through is deleted, what dies again stays with its new
    reason: exit status 3. On Kafka, they are sent to the topics that they came from, for the workers, and no
    longer listed; what dies again is a new dead letter, with one more attempt. Exit status 3 where some
    cannot be sent, each with its reason on standard error.
    """
    from streams.cli.letter_filters import Filters  # noqa: PLC0415 - keeps --help fast
    from streams.cli.lettering import replay_entries  # noqa: PLC0415 - see above

    filters = Filters(ids or [], source, stage, reason, since, until, limit)
    raise typer.Exit(replay_entries(config, filters, dry_run=dry_run))


def purge(
    ids: Ids = None,
    source: Source = None,
    stage: Stage = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    dry_run: DryRun = False,
    config: Config = DEFAULT,
) -> None:
    """Delete dead letters for ever: those that are meant, or with [bold]--all[/] every one.

    Kafka deletes from the beginning of a topic and nowhere else. So of those that are meant only those go
    that have no other open letter before them; exit status 1 where some are left. With [bold]--until[/] alone
    hardly any is. Letters that were replayed are in nobody's way and go too.
    """
    from streams.cli.letter_filters import Filters  # noqa: PLC0415 - keeps --help fast
    from streams.cli.lettering import purge_entries  # noqa: PLC0415 - see above

    filters = Filters(ids or [], source, stage, reason, since, until, limit)
    raise typer.Exit(purge_entries(config, filters, everything=everything, dry_run=dry_run))
