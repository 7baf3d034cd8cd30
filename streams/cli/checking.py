"""What `outfall rules check` does: every rule compiled or refused, and how its expressions are bounded."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.cli.rule_findings import annotation, sarif
from streams.cli.rules import Form
from streams.detect.load import RuleBook, load
from streams.errors import ConfigError
from streams.rule import Rule
from streams.rulebook.bounds import Bound, bounds
from streams.rulebook.expiry import expiries
from streams.rulebook.field_names import unknown_fields
from streams.rulebook.house import Finding, findings
from streams.rulebook.unreachable import unreachable
from streams.runtime.cache import user_cache

_Row = tuple[Rule, str, tuple[Bound, ...]]


def run(paths: Sequence[Path], *, house: bool, form: Form) -> int:
    """Check, print, and give the exit status."""
    errors = standard_error()
    try:
        book = load(paths, user_cache())
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    if not book.rules and not book.refused:
        say_problems(errors, ConfigError([f"{path}: there is no rule" for path in paths]))
        return exits.USAGE
    found = [Finding("refused", one.place, one.reason) for one in book.refused]
    found += [Finding("unknown-field", one.place, one.reason) for one in unknown_fields(book)]
    found += [
        Finding("unreachable", rule.place, f"{rule.label}: its condition contradicts itself: it never fires")
        for rule in unreachable(book)
    ]
    found += expiries(book, dt.datetime.now(dt.UTC).date())
    if house:
        found += findings(book)
    if form is Form.SARIF:
        sys.stdout.buffer.write(orjson.dumps(sarif(found), option=orjson.OPT_INDENT_2) + b"\n")
    elif form is Form.GITHUB:
        sys.stdout.writelines(f"{annotation(one)}\n" for one in found)
    else:
        for one in found:
            errors.print(str(one), style="yellow", markup=False)
        if sys.stdout.isatty():
            _print_table(_rows(book), found)
        else:
            _print_json(_rows(book))
    return exits.FINDINGS if any(not one.warns for one in found) else exits.DONE


def _rows(book: RuleBook) -> list[_Row]:
    return [
        *((one.rule, "detection", bounds(one)) for one in book.detections),
        *((one.rule, one.type.value, ()) for one in book.correlations),
    ]


def _print_json(rows: list[_Row]) -> None:
    for rule, kind, bounded in rows:
        line = {
            "rule": rule.id,
            "name": rule.name,
            "title": rule.title,
            "kind": kind,
            "path": rule.place.path,
            "line": rule.place.line,
            "alerts": rule.alerts,
            "expressions": [
                {
                    "field": one.field,
                    "expression": one.expression,
                    "flags": one.flags,
                    "bound": one.words,
                    "longest_text": one.longest,
                }
                for one in bounded
            ],
        }
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")


def _print_table(rows: list[_Row], found: Sequence[Finding]) -> None:
    table = Table("rule", "kind", "regular expressions", box=None, header_style="bold")
    for rule, kind, bounded in rows:
        told = Text("\n").join(_told(one) for one in bounded)
        table.add_row(Text(rule.name or rule.title), kind, told)
    console = Console(emoji=False, highlight=False)
    console.print(table)
    all_bounds = [one for _, _, bounded in rows for one in bounded]
    on_re2 = sum(one.longest is None for one in all_bounds)
    refused = sum(one.check == "refused" for one in found)
    console.print(
        f"{len(rows)} rules, {refused} refused, {len(found) - refused} further findings; {len(all_bounds)}"
        f" regular expressions: {on_re2} on RE2, {len(all_bounds) - on_re2} bounded by the text's length",
        style="red" if found else "green",
    )


def _told(one: Bound) -> Text:
    return Text.assemble(
        f"{one.field or 'any value'}: ", (one.words, "" if one.longest is None else "yellow")
    )
