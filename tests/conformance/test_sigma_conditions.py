"""Conditions of Sigma 2.1, "Condition", by its items."""

from __future__ import annotations

import pytest
from sections import CONDITION, assert_complete, both_ways, rows
from sigma_helper import HEAD_LINES, matches, refusal, rule

IDENTIFIERS = """
sel_a: {a: 1}
sel_b: {b: 1}
filter_c: {c: 1}
other-d: {d: 1}
_hidden: {h: 1}
notepad: {n: 1}
"""

# condition, the fields that are 1, does it match
CONDITIONS = {
    "Logical AND/OR": [
        ("sel_a", "a", True),
        ("sel_a", "b", False),
        ("sel_a and sel_b", "a", False),
        ("sel_a and sel_b", "ab", True),
        ("sel_a or sel_b", "b", True),
        ("other-d", "d", True),
        ("notepad", "n", True),
        ("_hidden", "h", True),
        ("sel_a or sel_b", "c", False),
    ],
    "Operator Precedence": [
        ("sel_a or sel_b and filter_c", "a", True),
        ("sel_a and filter_c or sel_b", "b", True),
        ("sel_a and filter_c or sel_b", "a", False),
        ("not sel_a or sel_b", "ab", True),
        ("not sel_a and sel_b", "b", True),
        ("not sel_a and sel_b", "ab", False),
        ("not 1 of sel_* or filter_c", "ac", True),
    ],
    "Negation with 'not'": [
        ("not not sel_a", "a", True),
        ("sel_a and not filter_c", "a", True),
        ("sel_a and not filter_c", "ac", False),
        ("not sel_a", "b", True),
        ("not sel_a", "a", False),
    ],
    "Brackets": [
        ("(sel_a or sel_b) and filter_c", "a", False),
        ("(sel_a or sel_b) and filter_c", "bc", True),
        ("not (sel_a or sel_b)", "c", True),
        ("not (sel_a or sel_b)", "b", False),
        ("((sel_a) and (not ((filter_c or (sel_b)))))", "a", True),
        ("((sel_a) and (not ((filter_c or (sel_b)))))", "ab", False),
    ],
    "1/all of them": [
        # without identifiers that begin with an underscore
        ("1 of them", "d", True),
        ("1 of them", "h", False),
        ("all of them", "abcdn", True),
        ("all of them", "abcdh", False),
    ],
    "1/all of search-identifier-pattern": [
        ("1 of sel_*", "b", True),
        ("1 of sel_*", "c", False),
        ("all of sel_*", "ab", True),
        ("all of sel_*", "a", False),
        ("1 of *_b", "b", True),
        ("all of s*_*", "ab", True),
        ("1 of *l*", "c", True),
        ("1 of _h*", "h", True),
        ("1 of *", "h", False),
        ("1 of sel_a", "a", True),
        ("1 of other-*", "d", True),
        ("1 of  other-*", "d", True),
        ("1 of other-*", "a", False),
        ("all of *-d and not 1 of sel_*", "d", True),
        ("sel_a and (1 of *r-d or all of o*-*)", "ad", True),
        ("not 1 of sel_*", "c", True),
        ("1 of sel_* and not 1 of filter_*", "a", True),
        ("1 of sel_* and not 1 of filter_*", "ac", False),
        ("all of sel_* or filter_c", "c", True),
    ],
    "The condition can be a list": [
        ("[sel_a and sel_b, filter_c]", "c", True),
        ("[sel_a and sel_b, filter_c]", "a", False),
    ],
}


@pytest.mark.parametrize(("condition", "present", "expected"), rows(CONDITIONS))
def test_condition(condition: str, present: str, expected: bool) -> None:
    text = rule(f"{IDENTIFIERS}\ncondition: {condition}")
    assert matches(text, dict.fromkeys(present, 1)) is expected


def test_every_form_has_its_rows() -> None:
    assert_complete(CONDITIONS, CONDITION)
    assert all(both_ways(table) for table in CONDITIONS.values())


# condition, what the reason says
NOT_OF_2_1 = [
    ("any of them", "no `any of` in Sigma 2.1"),
    ("sel_a and any of sel_*", "no `any of` in Sigma 2.1"),
    ("2 of sel_*", "no `2 of` in Sigma 2.1"),
    ("some of them", "no `some of` in Sigma 2.1"),
    ("sel_a AND sel_b", "no `AND` in Sigma 2.1"),
    ("sel_a OR sel_b", "no `OR` in Sigma 2.1"),
    ("NOT (sel_a)", "no `NOT` in Sigma 2.1"),
    ("sel_a | count() > 5", "`| count` is of Sigma 1; Sigma 2.1 has correlations"),
    ("sel_a | count(x) by y > 5", "`| count` is of Sigma 1"),
    ("sel_a | min(x) < 5", "`| min` is of Sigma 1"),
    ("sel_a | near sel_b and sel_c", "`| near` is of Sigma 1"),
]


@pytest.mark.parametrize(("condition", "reason"), NOT_OF_2_1)
def test_what_is_not_of_sigma_2_1_is_refused_by_its_name(condition: str, reason: str) -> None:
    refused = refusal(rule(f"{IDENTIFIERS}\ncondition: {condition}"))
    assert reason in refused.reason
    assert str(refused.place) == f"rule.yml:{HEAD_LINES + 9}:5"


# condition, what the reason says
REFUSED = [
    ("sel_x", "no search identifier `sel_x`"),
    ("sel_a and sel_x", "no search identifier `sel_x`"),
    ("1 of sel_x*", "no search identifier"),
    ("1 of other-x*", "`1 of other-x*` means no search identifier"),
    ("1 of -", "`1 of -` means no search identifier"),
    ("sel_a and", "cannot be used"),
    ("(sel_a", "cannot be used"),
    ("''", "cannot be used"),
    ("5", "text"),
    ("{a: b}", "text"),
    ("[sel_a, 5]", "text"),
    ("[]", "no condition"),
    ("null", "no condition"),
    ("(" * 500 + "sel_a" + ")" * 500, "brackets"),
    ("not " * 200 + "sel_a", "too deeply"),
    ("not " * 1500 + "sel_a", "too deeply"),
    ("sel_a" + " or sel_a" * 2000, "more than 8192 characters"),
]


@pytest.mark.parametrize(("condition", "reason"), REFUSED)
def test_a_condition_that_cannot_be_used_is_refused(condition: str, reason: str) -> None:
    refused = refusal(rule(f"{IDENTIFIERS}\ncondition: {condition}"))
    assert reason in refused.reason
    assert refused.place.line in {HEAD_LINES + 1, HEAD_LINES + 9}


def test_many_negations_and_brackets_take_no_time() -> None:
    nested = "not (" * 30 + "sel_a" + ")" * 30
    assert matches(rule(f"{IDENTIFIERS}\ncondition: {nested}"), {"a": 1})


@pytest.mark.parametrize(
    ("detection", "reason"),
    [
        ("sel: {}\ncondition: sel", "empty"),
        ("sel: []\ncondition: sel", "empty"),
        ("sel: {a: 1}\ntimeframe: 5m\ncondition: sel", "`timeframe` is of Sigma 1"),
        ("condition: sel", "no search identifier"),
        ("sel: {a: 1}", "no condition"),
        ("sel: {a: 1}\nbroken: {a|nonsense: 1}\ncondition: sel", "nonsense"),  # though unused
    ],
)
def test_a_detection_that_cannot_be_used_is_refused(detection: str, reason: str) -> None:
    assert reason in refusal(rule(detection)).reason
