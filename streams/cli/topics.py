"""`outfall topics`: the topics on Kafka, what workers have agreed on, and who may do what."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option(envvar="OUTFALL_CONFIG", help="The settings file (TOML).")]
DEFAULT = Path("outfall.toml")


class Form(StrEnum):
    """How ACLs are printed."""

    TABLE = "table"
    JSON = "json"
    COMMANDS = "commands"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    topics = typer.Typer(
        help="Make and check the topics on Kafka, and say who may do what.", no_args_is_help=True
    )
    for command in (create, check, describe, acls):
        topics.command()(command)
    app.add_typer(topics, name="topics")


def create(
    config: Config = DEFAULT,
    change: Annotated[
        bool,
        typer.Option("--change", help="Replace the agreement by what is set here."),
    ] = False,
) -> None:
    """Make the topics that are missing, and write down what the workers must have in common.

    What is there already is left as it is, so that this can be repeated. Where something is not as the
    settings want it, everything is told at once and nothing is made (exit status 1): the partitions of a
    topic cannot be changed later without mixing up what belongs together.

    The agreement is a record in the topic [bold]PREFIX.configuration[/]: the sources and how each is read,
    the partitions, the limits, which key makes pseudonyms. A worker whose settings differ does not start,
    for it would give other alerts than the others. Rules are not part of it.
    """
    from streams.cli import topic_making  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(topic_making.create(config, change=change))


def check(config: Config = DEFAULT) -> None:
    """Compare topics and agreement with the settings, as a worker does when it starts.

    Every difference is told on standard error, with what to do. Exit status 1 when there is any, 2 when the
    brokers cannot be asked. More copies, larger messages and longer retention than wanted are fine, except
    for dead letters, which must not be kept longer than [bold]dead_letters.retention[/]. A raw topic may be
    made in any way, if only its partitions are as many as the settings say.
    """
    from streams.cli import topic_making  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(topic_making.check(config))


def describe(config: Config = DEFAULT) -> None:
    """Show each topic: what it is for, how it is to be made, whether it is there, how much is in it.

    A table on a terminal, else JSON lines, which also hold each topic's configuration. Offsets count the
    marks that end transactions and what compaction has removed, so that there are at most as many records.
    The size is that of all copies on disk; only a user who may describe the cluster sees it.
    """
    from streams.cli import topic_view  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(topic_view.describe(config))


def acls(
    config: Config = DEFAULT,
    worker: Annotated[
        list[str] | None,
        typer.Option(metavar="PRINCIPAL", help="Who runs workers: User:outfall; repeatable."),
    ] = None,
    producer: Annotated[
        list[str] | None, typer.Option(metavar="PRINCIPAL", help="Who writes raw records, and reads none.")
    ] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option(metavar="PRINCIPAL", help="Who reads alerts, in groups named PREFIX.something."),
    ] = None,
    deliverer: Annotated[
        list[str] | None,
        typer.Option(metavar="PRINCIPAL", help="Who runs outfall index and outfall page."),
    ] = None,
    hunter: Annotated[
        list[str] | None,
        typer.Option(metavar="PRINCIPAL", help="Who reads events, where kafka.events is on."),
    ] = None,
    operator: Annotated[
        list[str] | None,
        typer.Option(metavar="PRINCIPAL", help="Who makes topics, watches the lag, handles dead letters."),
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="Default: a table on a terminal, else JSON lines.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Create them; the configured user must be allowed to.")
    ] = False,
) -> None:
    """Print the access rights that each role needs on Kafka, and no more than those.

    Name the principals of at least one role. [bold]--format commands[/] prints calls of kafka-acls.sh for
    those who keep access rights in scripts. Printing asks no broker. With [bold]--apply[/] they are created,
    and those that are there already stay; none is ever taken away.
    """
    from streams.cli import acl_view  # noqa: PLC0415 - keeps --help fast

    principals = {"worker": worker, "producer": producer, "reader": reader}
    principals |= {"deliverer": deliverer, "hunter": hunter, "operator": operator}
    given = {role: names for role, names in principals.items() if names}
    raise typer.Exit(acl_view.acls(config, given, form=form, apply_=apply))
