"""`outfall rules check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.terminal import plain, shown
from streams.cli import app

RULES = """\
title: Several expressions
id: several
logsource: {product: any}
detection:
    a: {f|re: 'a+b', g|re|i: '(?!y)x+y', h: 1}
    b: {f|re: 'a+b'}
    c: {'|re': '^c'}
    condition: 1 of them
---
title: None
name: none
logsource: {product: any}
detection: {s: {f: 1}, condition: s}
---
title: Many
name: many
correlation: {type: event_count, rules: none, timespan: 1h, condition: {gte: 2}}
"""
FILTER = """---
title: Not these
logsource: {product: any}
filter:
    rules: none
    s: {f|re: '(a)\\1'}
    condition: not s
"""
BROKEN = "---\ntitle: Broken\nlogsource: {product: any}\ndetection: {s: {f|re: '('}, condition: s}\n"
UNKNOWN = (
    "---\ntitle: Wrong\nlogsource: {product: any}\ndetection: {s: {outfall.chanel: web}, condition: s}\n"
)


def check(folder: Path, text: str) -> tuple[int, list[dict[str, Any]], str]:
    (folder / "rules.yml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["rules", "check", str(folder)])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_each_rule_with_the_bounds_of_its_expressions(tmp_path: Path) -> None:
    code, found, said = check(tmp_path, RULES)
    assert (code, said) == (0, "")
    assert [(one["rule"], one["kind"], one["line"], one["alerts"]) for one in found] == [
        ("several", "detection", 1, True),
        ("none", "detection", 10, False),
        ("many", "event_count", 15, True),
    ]
    several, none, many = (one["expressions"] for one in found)
    assert (none, many) == ([], [])
    assert several == [
        {"field": "f", "expression": "a+b", "flags": "", "bound": "RE2 (linear time)", "longest_text": None},
        {
            "field": "g",
            "expression": "(?!y)x+y",
            "flags": "i",
            "bound": "Python re, texts up to 2048 characters",
            "longest_text": 2048,
        },
        {"field": None, "expression": "^c", "flags": "", "bound": "RE2 (linear time)", "longest_text": None},
    ]
    assert found[0]["path"] == str(tmp_path / "rules.yml")


def test_expressions_of_filters_are_those_of_their_rules(tmp_path: Path) -> None:
    _, found, _ = check(tmp_path, RULES + FILTER)
    assert [one["expression"] for one in found[1]["expressions"]] == [r"(a)\1"]
    assert found[1]["expressions"][0]["bound"].startswith("Python re, texts up to ")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (BROKEN, "rules.yml:21:17: the expression is invalid"),
        (
            UNKNOWN,
            "rules.yml:19:1: rules:3: nothing sets the field outfall.chanel; outfall.channel is meant?",
        ),
        ("---\ntitle: ]", "rules.yml:19:8: not YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, more: str, said: str) -> None:
    code, found, errors = check(tmp_path, RULES + more)
    assert code == 1
    assert said in errors
    assert len(found) >= 3  # the others are there all the same


def test_a_table_and_a_summary_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")
    status, raw = shown([Path(sys.executable).with_name("outfall"), "rules", "check", tmp_path])
    assert status == 0
    lines = [" ".join(line.split()) for line in plain(raw).splitlines()]
    assert "Several expressions detection f: RE2 (linear time)" in lines
    assert "g: Python re, texts up to 2048 characters" in lines
    assert "none detection" in lines
    assert lines[-1] == (
        "3 rules, 0 refused, 0 further findings; 3 regular expressions:"
        " 2 on RE2, 1 bounded by the text's length"
    )


@pytest.mark.parametrize("path", ["empty", "nowhere"])
def test_wrong_use(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(app, ["rules", "check", str(tmp_path / path)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{tmp_path / path}: there is no" in done.stderr


def test_our_own_rule_book_passes() -> None:
    book = Path(__file__).parents[2] / "rules"
    done = CliRunner().invoke(app, ["rules", "check", str(book)])
    assert (done.exit_code, done.stderr) == (0, "")
