"""`outfall rules`, on the way into use: what they would have done, beside those that run, as a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(rules: typer.Typer) -> None:
    """Add the commands to the group."""
    for command in (backtest, canary, bundle, verify):
        rules.command()(command)


def backtest(
    logs: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE=FILE", help="A source of the settings, and a log of it."),
    ] = None,
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
    rules: Annotated[
        list[Path] | None,
        typer.Option("--rules", metavar="PATH", help="These rules instead of the settings'; repeatable."),
    ] = None,
    events: Annotated[
        bool, typer.Option("--events", help="Of the events in Elasticsearch (`outfall index --events`).")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Of topics: what came then, or so long ago (30d). Of events: theirs."
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="The same: what came before.")] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="GITREF", help="Compare with the rules as they were at a commit or branch."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="So many processes; default: as many as processors.")
    ] = None,
    alerts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the alerts there, as JSON lines.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines, also on a terminal.")] = False,
) -> None:
    """Say what the rules would have done: which pages, how many tickets, and who was behind them.

    Stored logs go through the same pipeline as in production, with enrichment and severities: those that are
    named, else those of all sources of kind file, else what the topics hold. So a rule is tried on last month
    before it is merged. With [bold]--against main[/] it is run beside the rules as they are there.

    A table on a terminal, else a JSON line for each rule and one for all. The result is the same for any
    number of processes. Exit status 1 when a rule was refused, or raised on an event.
    """
    from streams.cli.backtesting import Options, run  # noqa: PLC0415 - keeps --help fast

    options = Options(
        config, logs or [], since, until, events, rules or [], against, processes, alerts, json=json
    )
    raise typer.Exit(run(options))


def canary(
    rules: Annotated[Path, typer.Argument(metavar="PATH", help="The new rules: a folder, or a bundle.")],
    config: Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")] = Path(
        "outfall.toml"
    ),
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Of topics: begin with what came then, or so long ago (1d)."),
    ] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="End by itself after so long.")
    ] = None,
    idle: Annotated[
        str | None, typer.Option(metavar="DURATION", help="End when no record has come for so long.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines, also on a terminal.")] = False,
) -> None:
    """Try new rules beside those of the settings on live traffic, and tell in what their alerts differ.

    It looks on beside `outfall run` or the workers, and changes nothing of theirs: logs are read from their
    beginning and followed, topics from now on, or from --since. What only one of the rule books raises is
    told when it is raised; in the end, all differences, also in severity, pages and people.

    Exit status 1 when there is a difference, or a new rule was refused or raised on an event.
    """
    from streams.cli.canarying import Options, run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(Options(rules, config, since, lasting, idle, json)))


def bundle(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="A rule, or a folder with rules below it.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the bundle goes; its name ends .tar.gz.")],
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The private key to sign with (Ed25519, PEM).")
    ] = None,
) -> None:
    """Put a rule book into one archive: its files with their hashes, the git commit, and a signature.

    Settings name it as [bold]rules = "FILE"[/], and the public key as [bold]rules_key[/]: then nothing but
    a bundle that is signed by it is loaded. Every alert names the bundle. The same rules give the same bytes.

    A book of which a rule is refused gives no bundle: exit status 1.
    """
    from streams.cli.bundling import make  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(make(paths, out, key))


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A rule bundle.")],
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The public key that it must be signed by (PEM).")
    ] = None,
) -> None:
    """Look into a rule bundle: whether it is whole, by what it is signed, and what is in it.

    Exit status 1 when it was changed, or is not signed by the key.
    """
    from streams.cli.bundling import look  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(look(file, key))
