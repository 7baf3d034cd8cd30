"""Alert rules, their cases and runbooks belong together, and speak of metrics and commands that are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from promql import faults, metrics
from streams.cli import app

CHECKOUT = Path(__file__).resolve().parents[2]
PROMETHEUS = CHECKOUT / "deploy" / "prometheus"
RUNBOOKS = CHECKOUT / "docs" / "runbooks"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((PROMETHEUS / "outfall.rules.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
CASES: list[dict[str, Any]] = [
    case
    for test in yaml.safe_load((PROMETHEUS / "outfall.rules.test.yml").read_text(encoding="utf-8"))["tests"]
    for case in test["alert_rule_test"]
]
ALERTS = sorted(RULES)
PARTS = r"(.+?)\n\n\*\*Impact\.\*\* (.+?)\n\n## Diagnosis\n(.+?)\n\n## Remedy\n(.+)"


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_knows_its_metrics(alert: str) -> None:
    assert metrics(RULES[alert]["expr"])
    assert not faults(RULES[alert]["expr"])


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on(alert: str) -> None:
    rule = RULES[alert]
    assert re.fullmatch(r"Outfall([A-Z][a-z]+)+", alert)
    assert rule["labels"] == {"severity": rule["labels"]["severity"]}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{alert}.md"


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_cases_that_raise_it_and_cases_that_do_not(alert: str) -> None:
    raised = [bool(case["exp_alerts"]) for case in CASES if case["alertname"] == alert]
    assert set(raised) == {True, False}


def test_cases_and_runbooks_are_of_alerts() -> None:
    assert {case["alertname"] for case in CASES} == set(ALERTS)
    assert sorted(path.stem for path in RUNBOOKS.iterdir()) == ALERTS


@pytest.mark.parametrize("alert", ALERTS)
def test_a_runbook_says_what_happens_and_what_to_do_step_by_step(alert: str) -> None:
    text = (RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8")
    parts = re.fullmatch(rf"# {alert}\n{PARTS}", text, re.DOTALL)
    assert parts, "a sentence, **Impact.**, ## Diagnosis, ## Remedy"
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", parts[3], re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 3


@pytest.mark.parametrize("alert", ALERTS)
def test_a_runbook_names_what_there_is(alert: str) -> None:
    text = (RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8")
    assert not [fault for code in re.findall(r"`([^`]*)`", text) for fault in faults(code)]
    assert set(re.findall(r"\bOutfall[A-Z]\w+", text)) <= set(ALERTS)
    group = typer.main.get_command(app)
    for command in re.findall(r"`outfall ([^`]*)`", text):
        word, *rest = command.split()
        found = group.commands.get(word)  # type: ignore[attr-defined]  # it has subcommands
        assert found, f"outfall {command}"
        options = {option for parameter in found.params for option in parameter.opts}
        if hasattr(found, "commands"):
            assert rest[0] in found.commands, f"outfall {command}"
        else:
            assert {each for each in rest if each.startswith("-")} - {"-"} <= options, f"outfall {command}"
