"""Correlation documents of Sigma 2.1, "Sigma Correlation Rules": what is read, what is refused."""

from __future__ import annotations

import textwrap

import pytest
from sections import CONDITION_OPERATORS, CORRELATION_TYPES, TIMESPAN_UNITS
from sigma.correlations import (
    SigmaCorrelationConditionOperator,
    SigmaCorrelationTimespan,
    SigmaCorrelationType,
)

from streams.detect.load import RuleBook, loads
from streams.rule import Correlation, CorrelationType, Expression, Threshold

A_ID = "11111111-aaaa-4aaa-8aaa-111111111111"
BASE = f"""
title: A
id: {A_ID}
name: a
logsource: {{product: test}}
detection:
    sel: {{a: 1}}
    condition: sel
---
title: B
name: b
logsource: {{product: test}}
detection:
    sel: {{b: 1}}
    condition: sel
"""
SECOND = 1_000_000_000


def load(section: str, *, name: str = "c", more: str = "") -> RuleBook:
    body = textwrap.indent(textwrap.dedent(section).strip(), "    ")
    return loads(f"{BASE}---\ntitle: C\nname: {name}\ncorrelation:\n{body}\n{more}", "rule.yml")


def correlation(section: str) -> Correlation:
    loaded = load(section)
    assert not loaded.refused, [str(one) for one in loaded.refused]
    return loaded.correlations[0]


def test_an_event_count() -> None:
    found = correlation(
        f"""
        type: event_count
        rules: [{A_ID.upper()}, b]
        group-by: [user, host]
        timespan: 90m
        condition: {{gte: 100}}
        """
    )
    assert found.type is CorrelationType.EVENT_COUNT
    assert found.rules == (A_ID, "b")
    assert found.group_by == ("user", "host")
    assert found.timespan == 5400 * SECOND
    assert found.condition == Threshold("gte", 100)
    assert found.rule.alerts


@pytest.mark.parametrize(
    ("condition", "kind", "expected"),
    [
        ("{gt: 5}", "event_count", Threshold("gt", 5)),
        ("{lt: 5}", "event_count", Threshold("lt", 5)),
        ("{lte: 5}", "event_count", Threshold("lte", 5)),
        ("{eq: 0}", "event_count", Threshold("eq", 0)),
        ("{neq: 5}", "event_count", Threshold("neq", 5)),
        ("{gte: 5, field: f}", "value_count", Threshold("gte", 5, ("f",))),
        ("{gte: 5, field: [f, g]}", "value_count", Threshold("gte", 5, ("f", "g"))),
        ("{gte: 5.5, field: f}", "value_sum", Threshold("gte", 5.5, ("f",))),
        ("{gt: 1000, field: f}", "value_avg", Threshold("gt", 1000, ("f",))),
        ("{gt: 1000, field: f}", "value_median", Threshold("gt", 1000, ("f",))),
        ("{lt: 1, field: f, percentile: 95}", "value_percentile", Threshold("lt", 1, ("f",), 95)),
        ("{lt: 9, field: f}", "value_max", Threshold("lt", 9, ("f",))),
        ("{lt: 9, field: f}", "value_min", Threshold("lt", 9, ("f",))),
        ("{gte: 2}", "temporal", Threshold("gte", 2)),
        ("{lte: 200, gt: 100}", "event_count", Threshold("gt", 100, upper=("lte", 200))),
        ("{gte: 1, lt: 1.5, field: f}", "value_sum", Threshold("gte", 1, ("f",), upper=("lt", 1.5))),
    ],
)
def test_a_threshold(condition: str, kind: str, expected: Threshold) -> None:
    found = correlation(f"type: {kind}\nrules: [a, b]\ntimespan: 1h\ncondition: {condition}")
    assert found.condition == expected


@pytest.mark.parametrize("kind", ["temporal", "temporal_ordered"])
def test_a_temporal_without_condition_needs_all_its_rules(kind: str) -> None:
    found = correlation(f"type: {kind}\nrules: [a, b]\ntimespan: 5m\ngroup-by: user")
    assert found.condition == Threshold("gte", 2)
    assert found.group_by == ("user",)


def test_an_extended_condition_is_a_tree_over_ids() -> None:
    found = correlation("type: temporal\ntimespan: 5m\ncondition: a and not b or (b and a)")
    a, b = Expression("rule", A_ID), Expression("rule", "b")
    assert found.rules == (A_ID, "b")
    assert found.condition == Expression(
        "or",
        operands=(
            Expression("and", operands=(a, Expression("not", operands=(b,)))),
            Expression("and", operands=(b, a)),
        ),
    )


@pytest.mark.parametrize(
    ("timespan", "seconds"),
    [
        ("1s", 1),
        ("2m", 120),
        ("3h", 10_800),
        ("1d", 86_400),
        ("7d", 604_800),
    ],
)
def test_timespan(timespan: str, seconds: int) -> None:
    found = correlation(f"type: event_count\nrules: a\ntimespan: {timespan}\ncondition: {{gte: 2}}")
    assert found.timespan == seconds * SECOND


def test_aliases_speak_of_rule_ids() -> None:
    found = correlation(
        """
        type: temporal
        rules: [a, b]
        group-by: [ip]
        timespan: 10s
        aliases:
            ip:
                a: source.ip
                b: destination.ip
        """
    )
    assert found.aliases == {"ip": {A_ID: "source.ip", "b": "destination.ip"}}
    assert found.field_for("ip", A_ID) == "source.ip"


def test_correlations_stand_after_those_that_they_refer_to() -> None:
    loaded = loads(
        f"""
title: Last
name: last
correlation: {{type: temporal, rules: [middle, b], timespan: 1h}}
---
title: Middle
name: middle
correlation: {{type: event_count, rules: [first], timespan: 1h, condition: {{gte: 2}}}}
---
title: First
name: first
correlation: {{type: event_count, rules: [a], timespan: 1h, condition: {{gte: 2}}}}
---{BASE}"""
    )
    assert not loaded.refused
    assert [one.rule.id for one in loaded.correlations] == ["first", "middle", "last"]
    assert {rule.label: rule.alerts for rule in loaded.rules} == {
        "a": False,
        "b": False,
        "first": False,
        "middle": False,
        "last": True,
    }


@pytest.mark.parametrize(("where", "expected"), [("inside", True), ("beside", True), ("nowhere", False)])
def test_generate_lets_the_rules_alert_by_themselves(where: str, expected: bool) -> None:
    """The section "Generate" has it beside `correlation`, pySigma inside."""
    inside = "generate: true\n" if where == "inside" else ""
    beside = "generate: true\n" if where == "beside" else ""
    loaded = load(f"{inside}type: event_count\nrules: a\ntimespan: 1h\ncondition: {{gte: 2}}", more=beside)
    alerts = {rule.label: rule.alerts for rule in loaded.rules}
    assert alerts == {"a": expected, "b": True, "c": True}


# the section, what the reason says, the line of the section
REFUSED = [
    ("type: nonsense\nrules: a\ntimespan: 1h", "no correlation type", 1),
    ("rules: a\ntimespan: 1h\ncondition: {gte: 1}", "no correlation type", 0),
    ("type: event_count\ntimespan: 1h\ncondition: {gte: 1}", "must name the rules", 0),
    ("type: event_count\nrules: []\ntimespan: 1h\ncondition: {gte: 1}", "must name the rules", 2),
    ("type: event_count\nrules: {a: b}\ntimespan: 1h\ncondition: {gte: 1}", "list of texts", 2),
    ("type: event_count\nrules: [a, nowhere]\ntimespan: 1h\ncondition: {gte: 1}", "no rule `nowhere`", 2),
    ("type: event_count\nrules: [a, a]\ntimespan: 1h\ncondition: {gte: 1}", "named twice", 2),
    (f"type: event_count\nrules: [a, {A_ID}]\ntimespan: 1h\ncondition: {{gte: 1}}", "named twice", 2),
    ("type: event_count\nrules: c\ntimespan: 1h\ncondition: {gte: 1}", "refers to itself", 2),
    ("type: event_count\nrules: a\ncondition: {gte: 1}", "timespan", 0),
    ("type: event_count\nrules: a\ntimespan: 0s\ncondition: {gte: 1}", "greater than zero", 3),
    ("type: event_count\nrules: a\ntimespan: 1 h\ncondition: {gte: 1}", "invalid", 3),
    ("type: event_count\nrules: a\ntimespan: 60\ncondition: {gte: 1}", "invalid", 3),
    ("type: event_count\nrules: a\ntimespan: 99999d\ncondition: {gte: 1}", "100 years", 3),
    ("type: event_count\nrules: a\ntimespan: 1h", "must have a map", 0),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gt: 1, gte: 9}", "a range", 4),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gt: 1, lte: 9, neq: 5}", "a range", 4),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gt: 9, lte: 1}", "nothing is in this range", 4),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gt: 9, lte: many}", "no valid", 4),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {}", "exactly one", 4),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: true}", "number", 4),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: many}", "no valid", 4),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1, window: x}", "invalid items", 4),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: a and b", "must have a map", 4),
    ("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: f}", "counts no field", 4),
    ("type: value_count\nrules: a\ntimespan: 1h\ncondition: {gte: 1}", "must name a `field`", 4),
    ("type: value_sum\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: [f, g]}", "one field", 4),
    ("type: value_percentile\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: f}", "percentile", 4),
    (
        "type: value_percentile\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: f, percentile: 101}",
        "100",
        4,
    ),
    (
        "type: value_percentile\nrules: a\ntimespan: 1h\ncondition: {gte: 1, field: f, percentile: 9.5}",
        "whole",
        4,
    ),
    ("type: temporal\nrules: [a]\ntimespan: 1h\ncondition: a and b", "same rules", 4),
    ("type: temporal\nrules: [a, b]\ntimespan: 1h\ncondition: a or", "parse", 4),
    ("type: temporal\nrules: [a]\ntimespan: 1h\ngenerate: perhaps", "true or false", 4),
    ("type: temporal\nrules: [a]\ntimespan: 1h\naliases: {x: {b: f}}", "none of the correlation's rules", 4),
    ("type: temporal\nrules: [a]\ntimespan: 1h\naliases: {x: f}", "map rules to fields", 4),
    ("type: temporal\nrules: [a]\ntimespan: 1h\ngroup-by: {x: f}", "list of texts", 4),
]


@pytest.mark.parametrize(("section", "reason", "line"), REFUSED)
def test_a_correlation_that_cannot_be_exact_is_refused(section: str, reason: str, line: int) -> None:
    loaded = load(section)
    assert [reason in one.reason for one in loaded.refused] == [True], loaded.refused
    start = BASE.count("\n") + 4
    assert loaded.refused[0].place.line == start + line
    assert len(loaded.detections) == 2  # the others still run


# the section, what the reason says, the line of the section
NOT_OF_2_1 = [
    ("type: temporal_extended\nrules: a\ntimespan: 1h", "no correlation type `temporal_extended`", 1),
    ("type: temporal_ordered_extended\nrules: a", "no correlation type `temporal_ordered_extended`", 1),
    ("type: absence\nrules: a\ntimespan: 1h", "no correlation type `absence`", 1),
    ("type: event_count\nrules: a\ntimespan: 1w\ncondition: {gte: 1}", "no unit `w` of a timespan", 3),
    ("type: event_count\nrules: a\ntimespan: 1M\ncondition: {gte: 1}", "no unit `M` of a timespan", 3),
    ("type: event_count\nrules: a\ntimespan: 1y\ncondition: {gte: 1}", "no unit `y` of a timespan", 3),
    ("type: event_count\nrules: a\ntimespan: 1H\ncondition: {gte: 1}", "no unit `H` of a timespan", 3),
    ("type: temporal\nrules: [a]\ntimespan: 1h\nwindow: tumbling", "`window` is not part", 4),
    ("type: temporal\nrules: [a]\ntimespan: 1h\ntimeframe: 1h", "`timeframe` is not part", 4),
    (
        "type: value_percentile\nrules: a\ntimespan: 1h\ncondition: {lte: 1, field: f}",
        "does not say which",
        4,
    ),
]


@pytest.mark.parametrize(("section", "reason", "line"), NOT_OF_2_1)
def test_what_is_not_of_sigma_2_1_is_refused_by_its_name(section: str, reason: str, line: int) -> None:
    (refused,) = load(section).refused
    assert reason in refused.reason
    assert "Sigma 2.1" in refused.reason
    assert refused.place.line == BASE.count("\n") + 4 + line


def test_pysigma_has_no_type_and_no_operator_that_is_neither_read_nor_refused() -> None:
    types = {name.name.lower() for name in SigmaCorrelationType}
    assert types - set(CORRELATION_TYPES.values()) == {"value_median"}  # "Beyond Sigma 2.1"
    assert {*CORRELATION_TYPES.values(), "value_median"} == set(CorrelationType)
    assert SigmaCorrelationConditionOperator.operators() == set(CONDITION_OPERATORS)
    assert set(SigmaCorrelationTimespan.unit_seconds) - set(TIMESPAN_UNITS) == {"w", "M", "y"}


@pytest.mark.parametrize("level", ["informational", "low", "medium", "high", "critical"])
def test_a_level_of_its_own(level: str) -> None:
    """The section "Level"."""
    loaded = load("type: event_count\nrules: a\ntimespan: 1h\ncondition: {gte: 2}", more=f"level: {level}")
    assert {rule.label: rule.level for rule in loaded.rules} == {"a": "medium", "b": "medium", "c": level}


def chained(name: str, *rules: str) -> str:
    return (
        f"---\ntitle: {name}\nname: {name}\ncorrelation:\n    type: temporal\n"
        f"    rules: [{', '.join(rules)}]\n    timespan: 1h\n"
    )


def test_circles_are_refused_and_so_is_what_rests_on_them() -> None:
    loaded = loads(
        BASE + chained("x", "y", "a") + chained("y", "x") + chained("z", "x") + chained("fine", "a")
    )
    assert [one.rule.id for one in loaded.correlations] == ["fine"]
    reasons = [one.reason for one in loaded.refused]
    assert ["circle" in reason for reason in reasons] == [True, True, False]
    assert "were refused" in reasons[2]


def test_what_rests_on_a_refused_rule_is_refused_and_its_rules_stay_silent() -> None:
    text = BASE.replace("name: b", "name: b\nlevel: enormous")
    loaded = loads(text + chained("x", "a", "b") + chained("y", "x"))
    assert not loaded.correlations
    assert ["enormous" in one.reason for one in loaded.refused] == [True, False, False]
    assert ["was refused" in one.reason for one in loaded.refused] == [False, True, True]
    assert [rule.alerts for rule in loaded.rules] == [False]  # it was to serve x, not to alert by itself


def test_an_ordered_correlation_may_name_a_rule_twice() -> None:
    found = correlation("type: temporal_ordered\nrules: [a, b, a]\ntimespan: 1h")
    assert found.rules == (A_ID, "b", A_ID)
    assert found.condition == Threshold("gte", 3)


def test_a_long_chain_is_resolved() -> None:
    text = (
        BASE + "".join(chained(f"n{index}", f"n{index + 1}") for index in range(300)) + chained("n300", "a")
    )
    loaded = loads(text)
    assert not loaded.refused
    assert loaded.correlations[0].rule.id == "n300"
