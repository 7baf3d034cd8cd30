"""The rule book: every test beside a rule, and the house rules."""

from __future__ import annotations

import re
import sys
import uuid
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.rule import Extras, Rule
from streams.rulebook import runner
from streams.rulebook.case import SUFFIX, Case, read
from streams.rulebook.mutation import mutate, percent

RULES = Path(__file__).parents[2] / "rules"
FILES = sorted(path for path in RULES.glob("*/*.yml") if not path.name.endswith(SUFFIX))
TESTS = sorted(RULES.rglob(f"*{SUFFIX}"))
CASES = [*chain.from_iterable(read(path) for path in TESTS)]
ENOUGH = 95.0
"""The least mutation score, in percent."""
TACTICS = frozenset({"collection", "exfiltration", "credential-access", "persistence", "discovery"})


@cache
def opened() -> runner.Runner:
    return runner.open_book(RULES)


def documents(path: Path) -> list[dict[str, Any]]:
    return [*yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def alerting() -> list[Rule]:
    return [rule for rule in opened().book.rules if rule.alerts]


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


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


def test_ids_are_random_and_each_rule_has_its_own() -> None:
    ids = [document["id"] for path in FILES for document in documents(path)]
    assert len(set(ids)) == len(ids)
    assert {uuid.UUID(rule_id).version for rule_id in ids} == {4}


@pytest.mark.parametrize("path", FILES, ids=short)
def test_a_file_is_called_like_its_one_alerting_rule(path: Path) -> None:
    found = [rule for rule in alerting() if Path(rule.place.path) == path]
    assert [rule.name for rule in found] == [path.stem]
    assert slug(found[0].title) == path.stem
    assert documents(path)[-1]["name"] == path.stem


@pytest.mark.parametrize("path", FILES, ids=short)
def test_a_rule_says_what_it_is_and_what_to_do(path: Path) -> None:
    for document in documents(path):
        assert {"title", "id", "name", "status", "description", "author", "date", "level"} <= document.keys()
        assert document["author"] == "outfall"
    rule = next(rule for rule in alerting() if Path(rule.place.path) == path)
    assert rule.falsepositives
    assert rule.references
    assert len(rule.extras.runbook) >= 3
    assert rule.extras.evasion
    assert "`outfall alerts show ID`" in rule.extras.runbook[0]
    assert any("outfall alerts close ID" in step for step in rule.extras.runbook)


@pytest.mark.parametrize("path", FILES, ids=short)
def test_tags_are_a_tactic_and_its_techniques(path: Path) -> None:
    tags = [tag for document in documents(path)[-1:] for tag in document["tags"]]
    names = [tag.removeprefix("attack.") for tag in tags]
    assert all(tag.startswith("attack.") for tag in tags)
    assert any(name in TACTICS for name in names)
    assert all(name in TACTICS or re.fullmatch(r"t[0-9]{4}(\.[0-9]{3})?", name) for name in names)
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("path", FILES, ids=short)
def test_a_rule_has_tests_for_what_it_finds_and_for_what_it_must_not(path: Path) -> None:
    cases = [case for case in CASES if Path(case.place.path) == path.with_name(path.stem + SUFFIX)]
    firing = [path.stem in (expected.rule for expected in case.expect) for case in cases]
    assert firing.count(True) >= 1
    assert firing.count(False) >= 2


def test_a_test_stands_beside_a_rule() -> None:
    assert [path.name for path in TESTS if not path.with_name(short(path) + ".yml").is_file()] == []


def test_every_rule_that_does_not_alert_serves_one_that_does() -> None:
    serves = {rule for correlation in opened().book.correlations for rule in correlation.rules}
    unused = [rule.label for rule in opened().book.rules if not rule.alerts and rule.id not in serves]
    assert unused == []


def test_what_outfall_adds_is_stated_only_where_it_has_an_effect() -> None:
    for rule in opened().book.rules:
        if not rule.alerts:
            assert rule.extras == Extras(), rule.label
