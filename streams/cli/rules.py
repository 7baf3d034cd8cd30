"""`outfall rules`: what concerns the rule book."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from streams.cli import rules_into_use


class Form(StrEnum):
    """How `outfall rules check` tells what is wrong."""

    TEXT = "text"
    SARIF = "sarif"
    GITHUB = "github"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = typer.Typer(help="Look after the rule book.", no_args_is_help=True)
    rules.command()(new)
    rules.command()(check)
    rules.command("test")(run_tests)
    rules.command()(explain)
    rules.command()(coverage)
    rules.command()(docs)
    rules.command("import")(take_over)
    rules_into_use.register(rules)
    app.add_typer(rules, name="rules")


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="A rule, or a folder with rules below it.")
    ],
    house: Annotated[
        bool, typer.Option("--house", help="Hold them to the house rules as well, which docs/rules.md has.")
    ] = False,
    form: Annotated[
        Form, typer.Option("--format", help="How to tell what is wrong: SARIF 2.1.0, GitHub annotations.")
    ] = Form.TEXT,
) -> None:
    """Check that every rule compiles, and say how its regular expressions are bounded.

    An expression runs on RE2, in linear time whatever the text, where that means the same; otherwise on
    Python's re, and only on texts so short that it surely ends: on a longer one the rule fails, and an alert
    says so.

    A table on a terminal, else a JSON line for each rule; what is refused, and outfall. fields that nothing
    sets, go to standard error with their places. Exit status 1 when there is any.

    With [bold]--house[/] rules must also say what an analyst needs: a runbook, false positives, tags of
    ATT&CK as it is pinned, and a test beside them.
    """
    from streams.cli.checking import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(paths, house=house, form=form))


def run_tests(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="A rule book's folder, a rule, or a test file.")
    ],
    mutate: Annotated[
        bool, typer.Option("--mutate", help="See whether the tests notice when a rule says something else.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Let failing cases expect what happened; shows the diff.")
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

    With [bold]--update[/] the files of failing cases are rewritten, so that they expect what happened, and
    the difference is printed: read it before you commit it.
    """
    from streams.cli.rule_testing import run, run_mutants  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run_mutants(paths, score) if mutate else run(paths, update=update))


def coverage(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="A rule, or a folder with rules below it.")
    ],
    navigator: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a layer for the ATT&CK Navigator there.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(envvar="OUTFALL_CONFIG", help="Settings, whose sources are held against the rules."),
    ] = None,
) -> None:
    """Show which techniques of ATT&CK the rules alert of, and which log sources they need.

    With [bold]--config[/] also which of these the sources of the settings give, and which rules cannot fire
    with them.

    Tables on a terminal, else a JSON line for each technique, each log source and each rule that cannot fire.
    """
    from streams.cli.rule_coverage import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(paths, navigator, config))


def new(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is about, for analysts.")],
    folder: Annotated[Path, typer.Option("--in", metavar="FOLDER", help="Where it goes.")] = Path("rules"),
    author: Annotated[str, typer.Option(help="Who writes it.")] = "outfall",
) -> None:
    """Begin a rule: write it and its test, both of which run as they are, into a folder.

    What is still to be written is marked TODO. Then: [bold]outfall rules test FILE[/], and
    [bold]outfall rules backtest[/] for what it would have done.
    """
    import datetime as dt  # noqa: PLC0415 - keeps --help fast

    from streams.cli import exits  # noqa: PLC0415 - see above
    from streams.cli.complaints import say_problems, standard_error  # noqa: PLC0415 - see above
    from streams.errors import ConfigError  # noqa: PLC0415 - see above
    from streams.rulebook.scaffold import scaffold  # noqa: PLC0415 - see above

    try:
        written = scaffold(title, folder, author, dt.datetime.now(dt.UTC).date())
    except ConfigError as error:
        say_problems(standard_error(), error)
        raise typer.Exit(exits.USAGE) from None
    for path in written:
        typer.echo(path)


def explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id or name.")],
    event: Annotated[
        str,
        typer.Argument(
            metavar="[EVENT]", help="A file of events, a JSON document a line; - reads standard input."
        ),
    ] = "-",
    rules: Annotated[
        list[Path] | None, typer.Option("--rules", metavar="PATH", help="The rule book; repeatable.")
    ] = None,
) -> None:
    """Say why a rule is true of an event, or is not: each condition, and what stood in the event.

    An event is a document as the rules see it: ECS, nested or flat, as in a test, in an alert's evidence
    ([bold]outfall alerts show ID --json | jq -c '.evidence[].fields'[/]), or in the index of events. For a
    correlation each of the detections that it rests on is explained.

    A tree on a terminal, else a JSON line for each detection and event.
    """
    from streams.cli.rule_explaining import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(rule, event, rules or [Path("rules")]))


def docs(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="A rule, or a folder with rules below it.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the pages go.")] = Path("rule-pages"),
) -> None:
    """Write a page for each rule that alerts, in Markdown, and one that lists them.

    A page says what the rule looks for, in words; how grave it is for how many people, by the table of
    severities; what to do; what else may be behind it; how one would evade it; its exceptions and its tests.
    """
    from streams.cli.rule_pages import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(paths, out))


def take_over(
    checkout: Annotated[
        Path,
        typer.Argument(metavar="CHECKOUT", help="Rules of others: a folder, such as a checkout of SigmaHQ."),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Copy what runs here, and has something to see.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(envvar="OUTFALL_CONFIG", help="Settings, whose sources count; default: all formats."),
    ] = None,
) -> None:
    """Report which rules of others run here, and take those over.

    A rule runs if it compiles exactly; it has something to see if a format gives its log source. The report
    says for each field of a rule which fields of an event stand for it. Files are copied as they are, in the
    folders that they are in; mind their licence.

    A table by log source on a terminal, else a JSON line for each rule. Exit status 1 when one is refused.
    """
    from streams.cli.rule_importing import run  # noqa: PLC0415 - keeps --help fast

    raise typer.Exit(run(checkout, out, config))
