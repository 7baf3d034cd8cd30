"""`outfall rules`: what concerns the rule book."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = typer.Typer(help="Look after the rule book.", no_args_is_help=True)
    rules.command()(check)
    rules.command("test")(run_tests)
    app.add_typer(rules, name="rules")


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="A rule, or a folder with rules below it.")
    ],
) -> None:
    """Check that every rule compiles, and say how its regular expressions are bounded.

    An expression runs on RE2, in linear time whatever the text, where that means the same; otherwise on
    Python's re, and only on texts so short that it surely ends: on a longer one the rule fails, and an alert
    says so.

    A table on a terminal, else a JSON line for each rule; what is refused, and outfall. fields that nothing
    sets, go to standard error with their places. Exit status 1 when there is any.
    """
    from streams.cli.checking import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(paths))


def run_tests(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="A rule book's folder, a rule, or a test file.")
    ],
    mutate: Annotated[
        bool, typer.Option("--mutate", help="See whether the tests notice when a rule says something else.")
    ] = False,
    score: Annotated[
        float, typer.Option(min=0, max=100, metavar="PERCENT", help="The least that --mutate must reach.")
    ] = 95,
) -> None:
    """Run the tests beside the rules, each within the whole rule book.

    A table on a terminal, else a JSON line for each case; what failed goes to standard error with its place.

    With [bold]--mutate[/] each rule is then run again and again with one thing changed: a condition left out,
    a threshold one up or down, a timespan halved. A change that no test of the rule notices is told on
    standard error; exit status 1 when more than the rest to --score go unnoticed.
    """
    from streams.cli.rule_testing import run, run_mutants  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run_mutants(paths, score) if mutate else run(paths))
