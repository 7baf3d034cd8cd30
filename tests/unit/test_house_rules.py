"""`outfall rules check --house`, and how what it finds is told to other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import app, exits
from streams.detect.load import loads
from streams.rulebook.attack import attack, techniques
from streams.rulebook.house import CHECKS
from streams.rulebook.unreachable import unreachable

RULE = """\
title: An export
id: 6f6ff07a-5df5-4b8e-9f55-90c0a1f26b11
name: an_export
status: test
description: Somebody exports something.
author: somebody
date: 2026-11-27
references: [https://attack.mitre.org/techniques/T1213/]
tags: [attack.collection, attack.t1213]
logsource: {category: case_system, product: outfall}
detection:
  export: {event.action: record.exported}
  condition: export
falsepositives: [A report.]
level: low
outfall:
  runbook: ["Read it: `outfall alerts show ID`.", Ask., "Close: `outfall alerts close ID`."]
  evasion: Reading.
"""
TESTS = """\
cases:
  - name: an export
    events: [{at: +0m, outfall.channel: case_system, event.action: record.exported}]
    expect: [an_export]
  - name: a look
    events: [{at: +0m, outfall.channel: case_system, event.action: record.opened}]
    expect: []
  - name: a search
    events: [{at: +0m, outfall.channel: case_system, event.action: search}]
    expect: []
"""
HELPER = """\
---
title: Nobody needs it
id: 6f6ff07a-5df5-4b8e-9f55-90c0a1f26b12
name: nobody_needs_it
status: test
description: It serves a correlation.
author: somebody
date: 2026-11-27
logsource: {category: case_system, product: outfall}
detection: {a: {event.action: search}, condition: a}
level: low
"""
COUNTED = """\
---
title: Counted
name: counted
correlation: {type: event_count, rules: [nobody_needs_it], timespan: 1h, condition: {gt: 5}}
"""


def check(folder: Path, text: str, *options: str, tests: str | None = TESTS) -> tuple[int, str, str]:
    (folder / "an_export.yml").write_text(text, encoding="utf-8")
    if tests is not None:
        (folder / "an_export.test.yml").write_text(tests, encoding="utf-8")
    done = CliRunner().invoke(app, ["rules", "check", str(folder), "--house", *options])
    return done.exit_code, done.stdout, done.stderr


def test_a_rule_that_keeps_them(tmp_path: Path) -> None:
    code, _, said = check(tmp_path, RULE)
    assert (code, said) == (exits.DONE, "")


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("author: somebody\n", "", ":1:1: an_export: it does not say author"),
        ("6f6ff07a-5df5-4b8e-9f55-90c0a1f26b11", "an-export", ":2:1: an_export: its id is no random UUID"),
        ("title: An export", "title: An export!s", ":3:1: an_export: by its title its name is an_export_s"),
        ("name: an_export", "name: exported", "exported: its file is called an_export.yml, not exported.yml"),
        ("references: [https://attack.mitre.org/techniques/T1213/]\n", "", "it has no references"),
        ("falsepositives: [A report.]\n", "", "it names no false positives"),
        ("  evasion: Reading.\n", "", "it does not say how one would evade it"),
        (", Ask.", "", ":17:3: an_export: its runbook has fewer than 3 steps"),
        ("show ID", "list", "its runbook does not begin with `outfall alerts show ID`"),
        ("alerts close ID", "alerts", "no step of its runbook says `outfall alerts close ID …`"),
        ("attack.collection, ", "", ":9:1: an_export: its tags name no tactic of ATT&CK"),
        ("attack.t1213", "attack.t9999", "ATT&CK 17.0 has no tactic or technique t9999"),
        ("attack.t1213", "attack.t1048", "Alternative Protocol) serves exfiltration, which the tags"),
        ("attack.t1213", "attack.t1213, attack.t1213", "its tags name t1213 twice"),
        (
            "  condition: export",
            "  other: {a: 1}\n  condition: export",
            ":13:3: an_export: its condition does not use other",
        ),
    ],
)
def test_what_a_rule_must_say(tmp_path: Path, was: str, now: str, said: str) -> None:
    assert was in RULE
    code, _, told = check(tmp_path, RULE.replace(was, now))
    assert code == exits.FINDINGS
    assert said in told, told


def test_rules_that_serve_nobody_alert_twice_or_say_what_has_no_effect(tmp_path: Path) -> None:
    _, _, said = check(tmp_path, RULE + HELPER)
    assert "one rule of a file alerts; here: an_export, nobody_needs_it" in said
    _, _, said = check(tmp_path, RULE + HELPER.replace("level: low", "outfall: {page: false}") + COUNTED)
    assert "nobody_needs_it: outfall: has no effect in a rule that does not alert" in said


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        (None, "there is no an_export.test.yml beside it"),
        (TESTS.partition("  - name: a search")[0], "1 cases in which it fires and 1 in which it does not"),
        (TESTS.replace("[an_export]", "[]"), "0 cases in which it fires and 3 in which it does not"),
        ("cases: 5\n", "an_export.test.yml: 1: cases: a list is needed"),
    ],
)
def test_tests_stand_beside_a_rule(tmp_path: Path, tests: str | None, said: str) -> None:
    code, _, told = check(tmp_path, RULE, tests=tests)
    assert code == exits.FINDINGS
    assert said in told, told


def test_without_being_asked_none_is_held_to_them(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(RULE.replace("author: somebody\n", ""), encoding="utf-8")
    assert CliRunner().invoke(app, ["rules", "check", str(tmp_path)]).exit_code == exits.DONE


DEAD = """\
title: Never
name: never
logsource: {product: any}
detection:
  a: {f: 1}
  condition: CONDITION
---
title: Counted
name: counted
correlation: {type: event_count, rules: [never], timespan: 1h, condition: RANGE}
"""


@pytest.mark.parametrize(
    ("condition", "limits", "dead"),
    [
        ("a", "{gt: 3}", []),
        ("a and not a", "{gt: 3}", ["never", "counted"]),
        ("a or (a and not a)", "{gt: 3}", []),
        ("(a and not a) or (a and not a)", "{gt: 3}", ["never", "counted"]),
        ("a", "{gte: 5, lt: 5}", ["counted"]),
        ("a", "{gte: 5, lte: 5}", []),
        ("a", "{gt: 3, lt: 5}", []),
    ],
)
def test_conditions_that_contradict_themselves(condition: str, limits: str, dead: list[str]) -> None:
    book = loads(DEAD.replace("CONDITION", condition).replace("RANGE", limits))
    assert not book.refused
    assert [rule.name for rule in unreachable(book)] == dead


def sarif(folder: Path, text: str) -> dict[str, Any]:
    _, told, said = check(folder, text, "--format", "sarif")
    assert said == ""
    (run,) = json.loads(told)["runs"]
    found: dict[str, Any] = run
    return found


def test_sarif_has_every_check_and_the_places(tmp_path: Path) -> None:
    broken = "---\ntitle: B\nname: b\nlogsource: {product: any}\ndetection: {s: {f|re: '('}, condition: s}\n"
    run = sarif(tmp_path, RULE.replace("attack.t1213", "attack.t9999") + broken)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(CHECKS)
    assert [result["ruleId"] for result in run["results"]] == ["refused", "attack"]
    for result in run["results"]:
        assert list(CHECKS)[result["ruleIndex"]] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].endswith("an_export.yml")
        assert place["region"]["startLine"] in (9, 23)
    assert sarif(tmp_path, RULE)["results"] == []


def test_annotations_for_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, told, said = check(tmp_path, RULE.replace("attack.t1213", "attack.t9999"), "--format", "github")
    assert (code, said) == (exits.FINDINGS, "")
    message = "an_export: ATT&CK 17.0 has no tactic or technique t9999"
    assert told == f"::error file=an_export.yml,line=9,col=1,title=attack::{message}\n"


def test_the_pinned_version_of_attack() -> None:
    known = attack()
    assert {"collection", "exfiltration"} <= known.tactics
    assert len(known.techniques) > 600
    assert all(set(one.tactics) <= known.tactics for one in known.techniques.values())
    assert [one.name for one in techniques(["attack.t1213", "attack.collection", "x"])] == [
        "Data from Information Repositories"
    ]


def test_a_filter_that_says_nothing_of_owner_reason_and_expiry(tmp_path: Path) -> None:
    filtered = """\
---
title: Not the archive
name: not_the_archive
logsource: {category: case_system, product: outfall}
filter: {rules: [an_export], archive: {user.name: archive}, condition: not archive}
"""
    code, _, said = check(tmp_path, RULE + filtered)
    assert code == exits.FINDINGS
    assert "an_export.yml:20:1: not_the_archive: it does not say owner, reason, expires" in said
    mandate = "outfall: {owner: a, reason: b, expires: 2999-01-01}\n"
    code, _, said = check(tmp_path, RULE + filtered + mandate)
    assert "does not say owner" not in said
