"""Mutants of rules: each lacks one thing, and a test that is about that thing notices."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from streams.cli import app, exits
from streams.detect.load import loads
from streams.rulebook.mutants import mutants

RULES = """\
title: Mail outside
name: mail_outside
id: 0d6a2c0e-7f53-4f0e-8a3c-0a8f3f8f1a01
logsource: {category: email, product: outfall}
detection:
  outside: {outfall.destination.class: [webmail, self]}
  large: {outfall.bytes|gte: 1000}
  named:
    - {email.subject|contains: [list, names]}
    - {file.extension: csv}
  spared: {outfall.actor.kind: service}
  condition: outside and large and named and not spared
---
title: Much mail outside
name: much_mail_outside
id: 0d6a2c0e-7f53-4f0e-8a3c-0a8f3f8f1a02
correlation:
  type: event_count
  rules: [mail_outside]
  group-by: [outfall.actor.id, outfall.destination.name]
  timespan: 1h
  condition: {gte: 3}
outfall: {page: false, max_severity: low}
"""
CHANGED = {
    "mail_outside": [
        'without: outfall.destination.class is "webmail" or outfall.destination.class is "self"',
        "without: outfall.bytes ≥ 1000",
        "outfall.bytes ≥ 1000: 1001 instead",
        "outfall.bytes ≥ 1000: 999 instead",
        'without: email.subject contains "list" or email.subject contains "names"',
        'without: file.extension is "csv"',
        'without: not (outfall.actor.kind is "service")',
    ],
    "much_mail_outside": [
        "gte 4 instead of 3",
        "gte 2 instead of 3",
        "half the timespan",
        "double the timespan",
        "without outfall.actor.id in group-by",
        "without outfall.destination.name in group-by",
        "without page: false",
        "without max_severity: low",
    ],
}
TEMPORAL = """\
title: One
name: one
logsource: {product: any}
detection: {s: {a: 1}, condition: s}
---
title: Two
name: two
logsource: {product: any}
detection: {s: {'a|minute': 5}, condition: s}
---
title: Both
name: both
correlation:
  type: temporal
  rules: [one, two]
  group-by: [user]
  timespan: 1m
  condition: one and not two
"""
ALONE = """\
title: An export
name: an_export
id: 0d6a2c0e-7f53-4f0e-8a3c-0a8f3f8f1a03
logsource: {category: case_system, product: outfall}
detection:
  export: {event.action: export}
  condition: export
level: low
"""
WEAK = """\
cases:
  - name: an export
    events: [{at: +0m, outfall.channel: case_system, user.name: a, event.action: export}]
    expect: [an_export]
"""
STRONG = (
    WEAK
    + """\
  - name: something else
    events: [{at: +0m, outfall.channel: case_system, user.name: a, event.action: open}]
    expect: []
  - name: two people are two alerts
    events:
      - {at: +0m, outfall.channel: case_system, user.name: a, event.action: export}
      - {at: +1m, outfall.channel: case_system, user.name: b, event.action: export}
    expect: [an_export, an_export]
"""
)


def changes(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    book = loads(text, "rules.yml")
    assert not book.refused
    for mutant in mutants(book, "rules.yml"):
        found.setdefault(mutant.rule.label, []).append(mutant.changed)
        assert mutant.book != book
    return found


def test_each_condition_number_and_group_is_changed_by_itself() -> None:
    assert changes(RULES) == CHANGED


def test_rules_of_a_correlation_and_parts_of_a_date_are_changed_too() -> None:
    found = changes(TEMPORAL)
    without = [changed for changed in found["both"] if "the rule" in changed]
    assert without == ["without the rule one", "without the rule two"]
    assert "the minute of a = 5: 6 instead" in found["two"]


def test_rules_of_other_files_stay_as_they_are() -> None:
    assert [*mutants(loads(RULES, "rules.yml"), "others.yml")] == []


def mutated(folder: Path, tests: str, *options: str) -> tuple[int, list[dict[str, object]], str]:
    (folder / "an_export.yml").write_text(ALONE, encoding="utf-8")
    (folder / "an_export.test.yml").write_text(tests, encoding="utf-8")
    done = CliRunner().invoke(app, ["rules", "test", str(folder), "--mutate", *options])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_tests_that_notice_everything(tmp_path: Path) -> None:
    code, lines, said = mutated(tmp_path, STRONG)
    assert (code, said) == (exits.DONE, "")
    assert lines[-1]["mutants"] == lines[-1]["noticed"] == 2


def test_what_no_test_notices_is_told(tmp_path: Path) -> None:
    code, lines, said = mutated(tmp_path, WEAK)
    assert code == exits.FINDINGS
    assert (lines[-1]["mutants"], lines[-1]["noticed"]) == (2, 0)
    assert 'an_export.yml:1:1: an_export: no test notices: without: event.action is "export"\n' in said
    assert mutated(tmp_path, WEAK, "--score", "0")[0] == exits.DONE


def test_nothing_is_changed_while_a_test_fails(tmp_path: Path) -> None:
    code, lines, said = mutated(tmp_path, WEAK.replace("[an_export]", "[]"))
    assert code == exits.FINDINGS
    assert "mutants" not in lines[-1]
    assert "expected no alert" in said
