"""What `outfall rules test` does: tests beside the rules; with `--mutate`, whether they notice changes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from streams.cli import exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.errors import ConfigError
from streams.rulebook import runner
from streams.rulebook.field_names import unknown_fields
from streams.rulebook.mutation import Score, mutate, percent
from streams.rulebook.runner import Result, Runner
from streams.rulebook.updating import updated


def run(paths: Sequence[Path], *, update: bool = False) -> int:
    """Run the tests, print, and give the exit status; with `update`, once failing cases are rewritten."""
    errors = standard_error()
    results: list[Result] = []
    refused = False
    try:
        for path in paths:
            opened, tests, wrong = _opened(path, errors)
            refused = refused or wrong
            if update:
                for test in tests:
                    _update(test, [opened.run(case) for case in runner.read_all([test])])
            results += [opened.run(case) for case in runner.read_all(tests)]
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    if sys.stdout.isatty():
        _print_results(results)
    else:
        for result in results:
            sys.stdout.buffer.write(orjson.dumps(_of_result(result)) + b"\n")
    for result in results:
        for problem in result.problems:
            errors.print(f"{result.case.place}: {result.case.name}: {problem}", style="red", markup=False)
    failed = refused or not all(result.passed for result in results)
    return exits.FINDINGS if failed else exits.DONE


def _update(test: Path, results: Sequence[Result]) -> None:
    """Write a test file anew where cases failed, and print what changes as a diff, on standard error."""
    before = test.read_text(encoding="utf-8")
    after = updated(before, results)
    if after == before:
        return
    test.write_text(after, encoding="utf-8")
    errors = standard_error()
    lines = unified_diff(before.splitlines(), after.splitlines(), str(test), str(test), lineterm="")
    for line in lines:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        errors.print(Text(line, style), soft_wrap=True)


def run_mutants(paths: Sequence[Path], enough: float) -> int:
    """Run the mutants, print, and give the exit status; the tests must pass as the rules are."""
    status = run(paths)
    if status != exits.DONE:
        return status
    errors = standard_error()
    scores: list[Score] = []
    columns = (TextColumn("mutants of {task.description}"), BarColumn(), MofNCompleteColumn())
    for path in paths:
        opened, tests, _ = _opened(path, errors)
        with Progress(
            *columns, TimeRemainingColumn(), console=errors, transient=True, disable=not errors.is_terminal
        ) as bar:
            task = bar.add_task(str(path), total=len(tests))
            scores += mutate(opened, tests, lambda: bar.advance(task))  # noqa: B023 - called within the loop
    reached = percent(scores)
    if sys.stdout.isatty():
        _print_scores(scores, reached, enough)
    else:
        for score in scores:
            sys.stdout.buffer.write(orjson.dumps(_of_score(score)) + b"\n")
    for score in scores:
        for survivor in score.survivors:
            text = f"{survivor.place}: {survivor.rule}: no test notices: {survivor.changed}"
            errors.print(text, style="yellow", markup=False)
    return exits.DONE if reached >= enough else exits.FINDINGS


def _opened(path: Path, errors: Console) -> tuple[Runner, list[Path], bool]:
    """Open the book that a path is in; say what is wrong with it, and tell whether anything is."""
    root, tests = runner.find(path)
    opened = runner.open_book(root)
    wrong = [*opened.book.refused, *unknown_fields(opened.book)]
    say_refused(errors, wrong)
    return opened, tests, bool(wrong)


def _print_results(results: Sequence[Result]) -> None:
    table = Table("rule", "case", "alerts", "pages", "", box=None, header_style="bold")
    last = ""
    for result in results:
        rule = result.case.rule if result.case.rule != last else ""
        last = result.case.rule
        mark = Text("✓", "green") if result.passed else Text("✗ failed", "bold red")
        pages = sum(alert.pages for alert in result.fired)
        table.add_row(rule, Text(result.case.name), str(len(result.fired)), str(pages), mark)
    console = Console(emoji=False, highlight=False)
    console.print(table)
    failed = sum(not result.passed for result in results)
    console.print(f"{len(results)} cases, {failed} failed", style="red" if failed else "green")


def _of_result(result: Result) -> dict[str, object]:
    return {
        "test": result.case.place.path,
        "line": result.case.place.line,
        "rule": result.case.rule,
        "case": result.case.name,
        "passed": result.passed,
        "problems": result.problems,
        "fired": [alert.rule.name or alert.rule.id for alert in result.fired],
    }


def _print_scores(scores: Sequence[Score], reached: float, enough: float) -> None:
    table = Table("tests", "mutants", "noticed", "", box=None, header_style="bold")
    for score in scores:
        share = f"{percent([score]):.0f} %"
        style = "green" if not score.survivors else "yellow"
        table.add_row(Path(score.file).name, str(score.mutants), str(score.noticed), Text(share, style))
    console = Console(emoji=False, highlight=False)
    console.print(table)
    made, noticed = sum(score.mutants for score in scores), sum(score.noticed for score in scores)
    style = "green" if reached >= enough else "red"
    console.print(f"mutation score {reached:.1f} %: {noticed} of {made} mutants are noticed", style=style)


def _of_score(score: Score) -> dict[str, object]:
    return {
        "test": score.file,
        "mutants": score.mutants,
        "noticed": score.noticed,
        "survivors": [
            {"rule": one.rule, "place": one.place, "changed": one.changed} for one in score.survivors
        ],
    }
