"""`outfall rules`: what concerns the rule book."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import exits

if TYPE_CHECKING:
    from streams.rulebook.runner import Result


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = typer.Typer(help="Look after the rule book.", no_args_is_help=True)
    rules.command()(check)
    rules.command()(test)
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


def test(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="A rule book's folder, a rule, or a test file.")
    ],
) -> None:
    """Run the tests beside the rules, each within the whole rule book.

    A table on a terminal, else a JSON line for each case; what failed goes to standard error with its place.
    """
    import sys  # noqa: PLC0415 - keeps --help fast

    from streams.cli.complaints import (  # noqa: PLC0415 - see above
        say_problems,
        say_refused,
        standard_error,
    )
    from streams.errors import ConfigError  # noqa: PLC0415 - see above
    from streams.rulebook import runner  # noqa: PLC0415 - see above
    from streams.rulebook.field_names import unknown_fields  # noqa: PLC0415 - see above

    errors = standard_error()
    results: list[Result] = []
    refused = False
    try:
        for path in paths:
            root, tests = runner.find(path)
            cases = runner.read_all(tests)
            opened = runner.open_book(root)
            wrong = [*opened.book.refused, *unknown_fields(opened.book)]
            say_refused(errors, wrong)
            refused = refused or bool(wrong)
            results += [opened.run(case) for case in cases]
    except ConfigError as error:
        say_problems(errors, error)
        raise typer.Exit(exits.USAGE) from None
    if sys.stdout.isatty():
        _print_table(results)
    else:
        _print_json(results)
    for result in results:
        for problem in result.problems:
            errors.print(f"{result.case.place}: {result.case.name}: {problem}", style="red", markup=False)
    failed = refused or not all(result.passed for result in results)
    raise typer.Exit(exits.FINDINGS if failed else exits.DONE)


def _print_table(results: list[Result]) -> None:
    from rich.console import Console  # noqa: PLC0415 - keeps --help fast
    from rich.table import Table  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - see above

    table = Table("rule", "case", "alerts", "pages", "", box=None, header_style="bold")
    last = ""
    for result in results:
        rule = result.case.rule if result.case.rule != last else ""
        last = result.case.rule
        mark = Text("✓", "green") if result.passed else Text("✗ failed", "bold red")
        pages = sum(alert.pages for alert in result.fired)
        table.add_row(rule, Text(result.case.name), str(len(result.fired)), str(pages), mark)
    console = Console(highlight=False)
    console.print(table)
    failed = sum(not result.passed for result in results)
    console.print(f"{len(results)} cases, {failed} failed", style="red" if failed else "green")


def _print_json(results: list[Result]) -> None:
    import sys  # noqa: PLC0415 - keeps --help fast

    import orjson  # noqa: PLC0415 - see above

    for result in results:
        line = {
            "test": result.case.place.path,
            "line": result.case.place.line,
            "rule": result.case.rule,
            "case": result.case.name,
            "passed": result.passed,
            "problems": result.problems,
            "fired": [alert.rule.name or alert.rule.id for alert in result.fired],
        }
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
