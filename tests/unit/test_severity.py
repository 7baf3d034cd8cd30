"""Severity from harm, and the table's own checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.correlate.severity import SeverityTable, load
from streams.correlate.tally import Tally
from streams.errors import ConfigError, Place
from streams.rule import Extras, Rule


def tally(people: int, *, where: str = "self", verdict: str = "allowed", category: str = "care") -> Tally:
    made = Tally()
    made.add(
        "event",
        {
            "outfall.subjects.id": [f"k1:{number}" for number in range(people)],
            "outfall.data.category": [category],
            "outfall.data.vulnerable": True,
            "outfall.egress": True,
            "outfall.destination.class": [where],
            "outfall.verdict": verdict,
        },
    )
    return made


def rule(level: str = "medium", **extras: object) -> Rule:
    return Rule("r", "r", "r", Place("r.yml"), alerts=True, level=level, extras=Extras.model_validate(extras))


def test_more_people_are_never_less_severe() -> None:
    table = SeverityTable()
    order = ("informational", "low", "medium", "high", "critical")
    grades = [order.index(table.severity(rule(), tally(people))) for people in (1, 10, 100, 500, 1000)]
    assert grades == sorted(grades)
    assert grades[-1] == order.index("critical")


@pytest.mark.parametrize(
    ("where", "expected"), [("self", "critical"), ("partner", "high"), ("print", "high")]
)
def test_where_it_goes_matters(where: str, expected: str) -> None:
    assert SeverityTable().severity(rule(), tally(400, where=where)) == expected


def test_what_was_blocked_is_less_severe() -> None:
    table = SeverityTable()
    assert table.severity(rule(), tally(10, verdict="blocked")) == "medium"
    assert table.severity(rule(), tally(10)) == "high"


def test_the_rule_bounds_severity() -> None:
    table = SeverityTable()
    assert table.severity(rule(max_severity="low"), tally(1000)) == "low"
    assert table.severity(rule(severity="high"), tally(1, where="internal", category="contact")) == "high"


def test_without_known_people_the_level_stands() -> None:
    assert SeverityTable().severity(rule(level="high"), Tally()) == "high"


@pytest.mark.parametrize(
    ("people", "tier"), [(0, 0), (1, 1), (9, 1), (10, 10), (99, 10), (100, 100), (999, 500), (4000, 1000)]
)
def test_tiers_are_the_keys_of_the_table(people: int, tier: int) -> None:
    assert SeverityTable().tier(people) == tier


def test_a_rule_may_not_page_at_all() -> None:
    table = SeverityTable()
    assert table.pages(rule(), "high")
    assert not table.pages(rule(), "medium")
    assert not table.pages(rule(page=False), "critical")


def test_every_problem_of_a_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "severity.yml"
    path.write_text("vulnerable: much\nunknown: 1\npeople: {x: 1}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, [])
    assert len(caught.value.problems) == 3
    assert all(str(path) in problem for problem in caught.value.problems)


def test_the_table_beside_the_rules_is_found(tmp_path: Path) -> None:
    assert load(None, [tmp_path]) == SeverityTable()
    (tmp_path / "severity.yml").write_text("vulnerable: 77\n", encoding="utf-8")
    assert load(None, [tmp_path]).vulnerable == 77
    assert load(None, [tmp_path / "rule.yml"]).vulnerable == 77


@pytest.mark.parametrize("text", ["severities: {awful: 10}", "people: [", "page_from: never"])
def test_a_bad_table_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "severity.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load(path, [])
