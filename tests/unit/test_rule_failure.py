"""A rule that raises on an event: counted, located, reported as an alert, and the others still run.

The rule here has an expression that RE2 cannot run, and events have texts longer than Python's re is given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.correlate.severity import SeverityTable
from streams.detect.failure import failure_reason
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.enrich.load import load as load_enrichment
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS
from streams.pipeline import Outcome, Pipeline
from streams.rule import RuleFailure
from streams.rulebook.runner import TEST_KEY
from streams.safe_regex import TextTooLongError, longest_text
from streams.stages.look import Look
from streams.stages.reader import Reader, Source

TOO_LONG = failure_reason(TextTooLongError())

EXPRESSION = "(?!y)x+y"
RULES = f"""\
title: Before
name: before
logsource: {{product: any}}
detection: {{s: {{a|startswith: x}}, condition: s}}
outfall: {{group_by: [user]}}
---
title: Slow
name: slow
logsource: {{product: any}}
detection: {{s: {{a|re: '{EXPRESSION}'}}, condition: s}}
outfall: {{group_by: [user]}}
---
title: After
name: after
logsource: {{product: any}}
detection: {{s: {{a|endswith: x}}, condition: s}}
outfall: {{group_by: [user]}}
---
title: Not in use
name: spared
logsource: {{product: any}}
detection: {{s: {{b: 1, a|re: '{EXPRESSION}'}}, condition: s}}
outfall: {{group_by: [user]}}
"""
SECRET = "x" * 5000
RECORDS = [
    {"k": "e1", "t": "2026-01-01T10:00:00Z", "user": "ann", "a": SECRET},
    {"k": "e2", "t": "2026-01-01T10:00:01Z", "user": "ann", "a": "xxyx"},
    {"k": "e3", "t": "2026-01-01T10:00:02Z", "user": "bob", "a": SECRET},
]


def lines(path: Path) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS), encoding="utf-8")
    return path


def outcome() -> Outcome:
    book = loads(RULES, "rules.yml")
    assert not book.refused
    source = Source("s", FORMATS["json"], time_field="t", id_field="k")
    pipeline = Pipeline([source], RuleSet(book, ignore_logsource=True), book, None, SeverityTable())
    return pipeline.process(
        [
            RawRecord(json.dumps(record).encode(), Origin("s", "f", index, index))
            for index, record in enumerate(RECORDS)
        ]
    )


def test_the_sample_is_longer_than_the_bound() -> None:
    longest = longest_text(EXPRESSION)
    assert longest is not None
    assert len(SECRET) > longest


def test_each_failure_counts_and_names_rule_and_event() -> None:
    found = outcome()
    slow = next(one.rule for one in loads(RULES, "rules.yml").detections if one.rule.name == "slow")
    first, _, third = (event.id for event in found.events)
    assert found.failures == [RuleFailure(slow, event, TOO_LONG) for event in (first, third)]
    assert str(slow.place) == "rules.yml:7:1"


def test_the_other_rules_still_run_and_so_does_this_one_on_other_events() -> None:
    assert [(match.event, match.rule.name) for match in outcome().matches] == [
        (0, "before"),
        (0, "after"),
        (1, "before"),
        (1, "slow"),
        (1, "after"),
        (2, "before"),
        (2, "after"),
    ]


def test_an_operational_alert_says_which_rule_fails_and_where() -> None:
    found = outcome()
    by_rule = {alert.rule.name: alert for alert in found.alerts}
    alert = by_rule["rule_failed"]
    assert by_rule.keys() == {"rule_failed", "before", "slow", "after"}
    assert alert.group == {"outfall.rule.id": "slow"}
    assert len(alert.evidence) == 2  # both failures of the rule are one alert
    (said, _) = (one.fields for one in alert.evidence)
    assert said["outfall.rule.place"] == "rules.yml:7:1"
    assert said["outfall.rule.failure"] == TOO_LONG
    assert not alert.pages
    assert "xxxx" not in str(alert)


@pytest.mark.parametrize("command", ["match", "replay"])
def test_the_commands_say_it_with_the_place_and_exit_with_1(tmp_path: Path, command: str) -> None:
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")
    options = ["--time-field", "t", "--id-field", "k"] if command == "replay" else []
    arguments = ["--rules", str(tmp_path / "rules.yml"), "--ignore-logsource", "--format", "json", *options]
    done = CliRunner().invoke(app, [command, *arguments, str(lines(tmp_path / "log.jsonl"))])
    assert done.exit_code == 1
    said = [line for line in done.stderr.splitlines() if "TextTooLongError" in line]
    assert len(said) == 2
    assert all(line.startswith(f"{tmp_path / 'rules.yml'}:7:1: failed on ") for line in said)
    assert "xxxx" not in done.stderr
    shown = done.stdout
    assert "Before" in shown
    assert "After" in shown


def test_a_run_says_it_once_for_each_rule_and_exits_with_1(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES.replace("product: any", "product: outfall"), encoding="utf-8")
    documents = [
        {"@timestamp": record["t"], "event.id": record["k"], "outfall.channel": "web", **record}
        for record in RECORDS
    ]
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in documents))
    (tmp_path / "outfall.toml").write_text(
        'rules = ["rules.yml"]\n[[sources]]\nname = "log"\npath = "log.jsonl"\nformat = "ecs"\n'
    )
    done = subprocess.run(
        [Path(sys.executable).with_name("outfall"), "run", "--once", "--config", tmp_path / "outfall.toml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "OUTFALL_PSEUDONYM_KEY": "k1:" + "A" * 43 + "="},
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("rules.yml:7:1: failed on an event: TextTooLongError: ") == 1
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert {alert["rule"] for alert in shown} >= {"rule_failed", "before", "after"}
    assert "xxxx" not in done.stdout + done.stderr


def test_it_is_told_of_what_was_looked_at_ahead() -> None:
    book = loads(RULES, "rules.yml")
    source = Source("s", FORMATS["json"], time_field="t", id_field="k")
    records = [
        RawRecord(json.dumps(record).encode(), Origin("s", "f", index, index))
        for index, record in enumerate([*RECORDS, RECORDS[1] | {"k": "e4", "a": "nothing"}])
    ]
    found = []
    for ahead in (False, True):
        rules = RuleSet(book, ignore_logsource=True)
        enricher = Enricher(load_enrichment(None, key=TEST_KEY))
        pipeline = Pipeline([source], rules, book, enricher, SeverityTable())
        items = Look(Reader([source], None), enricher, rules).prepare(records) if ahead else records
        found.append(pipeline.process(items))
    plain, looked = found
    assert looked.failures == plain.failures
    assert len(plain.failures) == 2
    assert [one.rule.name for one in looked.matches] == [one.rule.name for one in plain.matches]
    assert [len(one.events) for one in found] == [4, 3]
    assert {one.rule.name for one in looked.alerts} == {one.rule.name for one in plain.alerts}
    assert "rule_failed" in {one.rule.name for one in looked.alerts}
