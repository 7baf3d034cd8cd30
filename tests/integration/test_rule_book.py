"""The rule book: every test beside a rule, and the house rules."""

from __future__ import annotations

import sys
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
import yaml

from streams.rulebook import runner
from streams.rulebook.case import SUFFIX, Case, read
from streams.rulebook.house import findings
from streams.rulebook.mutation import mutate, percent

RULES = Path(__file__).parents[2] / "rules"
FILES = sorted(
    path for path in RULES.glob("*/*.yml") if not path.name.endswith(SUFFIX) and path.parent.name != "lists"
)
TESTS = sorted(RULES.rglob(f"*{SUFFIX}"))
CASES = [*chain.from_iterable(read(path) for path in TESTS)]
ENOUGH = 95.0
"""The least mutation score, in percent."""


@cache
def opened() -> runner.Runner:
    return runner.open_book(RULES)


def short(path: Path) -> str:
    return path.name.partition(".")[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.name}")
def test_the_alerts_are_exactly_those_expected(case: Case) -> None:
    assert opened().run(case).problems == ()


def test_a_rule_that_says_something_else_breaks_a_test(capsys: pytest.CaptureFixture[str]) -> None:
    scores = mutate(opened(), TESTS, lambda: None)
    for survivor in (one for score in scores for one in score.survivors):
        sys.stdout.write(f"{survivor.rule}: no test notices: {survivor.changed}\n")
    with capsys.disabled():
        sys.stdout.write(f"mutation score of the rule book: {percent(scores):.1f} %\n")
    assert percent(scores) >= ENOUGH


def test_no_rule_is_refused() -> None:
    assert [str(refusal) for refusal in opened().book.refused] == []


def test_every_rule_keeps_the_house_rules() -> None:
    assert [str(finding) for finding in findings(opened().book)] == []


def test_there_are_enough_of_them_and_each_is_ours() -> None:
    alerting = [rule for rule in opened().book.rules if rule.alerts]
    assert len(alerting) >= 45
    for path in FILES:
        documents = [*yaml.safe_load_all(path.read_text(encoding="utf-8"))]
        assert {document["author"] for document in documents} == {"outfall"}


def test_a_test_stands_beside_a_rule() -> None:
    assert [path.name for path in TESTS if not path.with_name(f"{short(path)}.yml").is_file()] == []
