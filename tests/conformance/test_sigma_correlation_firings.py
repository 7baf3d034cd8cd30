"""What fires of Sigma 2.1, "Sigma Correlation Rules Specification", section by section."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from sections import (
    BEYOND,
    CONDITION_OPERATORS,
    CORRELATION,
    CORRELATION_TYPES,
    TIMESPAN_UNITS,
    assert_complete,
    both_ways,
    rows,
)
from sigma_helper import firings

A_ID = "22222222-bbbb-4bbb-8bbb-222222222222"
BASE = f"""
title: A
id: {A_ID}
name: a
logsource: {{product: test}}
detection: {{sel: {{is: a}}, condition: sel}}
---
title: B
name: b
logsource: {{product: test}}
detection: {{sel: {{is: b}}, condition: sel}}
---
title: D
name: d
logsource: {{product: test}}
detection: {{sel: {{is: d}}, condition: sel}}
"""

Seen = list[tuple[int, dict[str, Any]]]


def at(second: int, rule: str = "a", **fields: Any) -> tuple[int, dict[str, Any]]:
    return second, {"is": rule, "user": "ann", **fields}


def counted(number: int) -> Seen:
    """So many events at one time, of which there is one window."""
    return [at(0)] * number


def valued(*values: Any) -> Seen:
    return [at(0, v=value) for value in values]


def named(rules: str, second: int = 0) -> Seen:
    """Events one second after another, each of the rule that a letter names."""
    return [at(second + index, rule) for index, rule in enumerate(rules)]


def correlation(kind: str, condition: str, *, rules: str = "[a]", span: str = "10s", more: str = "") -> str:
    lines = [f"type: {kind}", f"rules: {rules}", "group-by: [user]", f"timespan: {span}"]
    return "\n".join([*lines, *([f"condition: {condition}"] if condition else []), *([more] if more else [])])


def event_count(condition: str = "{gte: 2}", **options: str) -> str:
    return correlation("event_count", condition, **options)


TEMPORAL = correlation("temporal", "", rules="[a, b, d]")
ORDERED = correlation("temporal_ordered", "", rules="[a, b, d]")
SWAPPED = """
type: temporal
rules: [a, b]
group-by: [inside, outside]
timespan: 10s
aliases:
    inside: {a: destination.ip, b: source.ip}
    outside: {a: source.ip, b: destination.ip}
"""
CHAINED = """
type: temporal_ordered
rules: [many_failed, d]
group-by: [user]
timespan: 10s
"""
MANY = """---
title: Many
name: many_failed
correlation: {type: event_count, rules: [a], group-by: [user], timespan: 10s, condition: {gte: 3}}
"""

# the correlation, what is seen, does it fire
TABLES = {
    "Event Count (event_count)": [
        (event_count(), [at(0), at(10)], True),  # both ends of the window are in it
        (event_count(), [at(0), at(11)], False),
        (event_count(), [at(9), at(11)], True),  # wherever it begins
        (event_count(), [at(0), at(1, user="bob")], False),
        (event_count(), [at(0), at(1, user=None)], False),
        (event_count(), [at(1), at(0)], True),
        (event_count(), [at(0), at(1, "b")], False),
    ],
    "Value Count (value_count)": [
        (correlation("value_count", "{gte: 2, field: v}"), valued("x", "y"), True),
        (correlation("value_count", "{gte: 2, field: v}"), valued("x", "X"), False),
        (correlation("value_count", "{gte: 2, field: v}"), valued("x", None), False),
        (correlation("value_count", "{gte: 2, field: v}"), valued(["x", "y"]), True),
        (correlation("value_count", "{gte: 2, field: v}"), [at(0, v="x"), at(11, v="y")], False),
        # "When you use multiple values in `field` they are linked by an AND"
        (correlation("value_count", "{gte: 2, field: [v, w]}"), [at(0, v=1, w=1), at(0, v=1, w=2)], True),
        (correlation("value_count", "{gte: 2, field: [v, w]}"), [at(0, v=1, w=1), at(1, v=1, w=1)], False),
    ],
    "Temporal Proximity (temporal)": [
        (TEMPORAL, named("abd"), True),
        (TEMPORAL, named("dba"), True),
        (TEMPORAL, named("abba"), False),
        (TEMPORAL, [*named("ab"), at(12, "d")], False),
        (TEMPORAL, [*named("ab"), at(3, "d", user="bob")], False),
        (correlation("temporal", "{gte: 2}", rules="[a, b, d]"), named("ad"), True),
        (correlation("temporal", "{gte: 2}", rules="[a, b, d]"), named("aa"), False),
    ],
    "Ordered Temporal Proximity (temporal_ordered)": [
        (ORDERED, named("abd"), True),
        (ORDERED, named("aabbdd"), True),
        (ORDERED, named("adb"), False),  # the order counts beyond the second
        (ORDERED, named("bad"), False),
        (ORDERED, [at(0), at(1, "b"), at(1, "d")], False),  # at one time there is no order
        (ORDERED, [*named("ab"), at(11, "d")], False),
        (ORDERED, [*named("ab"), at(10, "d")], True),
    ],
    "Value Sum (value_sum)": [
        (correlation("value_sum", "{gt: 10, field: v}"), valued(6, "5"), True),
        (correlation("value_sum", "{gt: 10, field: v}"), valued(6, 4), False),
        (correlation("value_sum", "{eq: 0.3, field: v}"), valued(0.1, 0.2), True),
        (correlation("value_sum", "{lt: 10, field: v}"), valued("many"), False),  # nothing has no sum
    ],
    "Value Max (value_max)": [
        (correlation("value_max", "{gte: 100, field: v}"), valued(99, 100, 1), True),
        (correlation("value_max", "{gte: 100, field: v}"), valued(99, 98), False),
        (correlation("value_max", "{gte: 100, field: v}"), valued("100"), True),
        (correlation("value_max", "{lt: 3, field: v}"), valued(1, 2), True),
        (correlation("value_max", "{lt: 3, field: v}"), valued(1, 3), False),
    ],
    "Value Min (value_min)": [
        (correlation("value_min", "{lte: 400, field: v}"), valued(401, 400), True),
        (correlation("value_min", "{lte: 400, field: v}"), valued(401, 500), False),
        (correlation("value_min", "{gt: 3, field: v}"), valued(9, 4), True),
        (correlation("value_min", "{gt: 3, field: v}"), valued(9, 3), False),
    ],
    "Value Average (value_avg)": [
        (correlation("value_avg", "{gt: 5, field: v}"), valued(10, 1), True),
        (correlation("value_avg", "{gt: 5, field: v}"), valued(9, 1), False),
        (correlation("value_avg", "{gt: 5.5, field: v}"), valued(10, 1.5), True),
    ],
    "Value Percentile (value_percentile)": [
        (correlation("value_percentile", "{gt: 5, field: v, percentile: 50}"), valued(1, 6, 9), True),
        (correlation("value_percentile", "{gt: 5, field: v, percentile: 50}"), valued(1, 5, 9), False),
        (correlation("value_percentile", "{gte: 9, field: v, percentile: 90}"), valued(*range(11)), True),
        (correlation("value_percentile", "{gt: 9, field: v, percentile: 90}"), valued(*range(11)), False),
    ],
    "Condition": [
        (event_count("{gt: 2}"), counted(3), True),
        (event_count("{gt: 2}"), counted(2), False),
        (event_count("{gte: 2}"), counted(2), True),
        (event_count("{gte: 2}"), counted(1), False),
        (event_count("{lt: 2}"), counted(1), True),
        (event_count("{lt: 2}"), counted(2), False),
        (event_count("{lte: 2}"), counted(2), True),
        (event_count("{lte: 2}"), counted(3), False),
        (event_count("{eq: 2}"), counted(2), True),
        (event_count("{eq: 2}"), counted(3), False),
        (event_count("{neq: 2}"), counted(3), True),
        (event_count("{neq: 2}"), counted(2), False),
        # "To define a range"
        (event_count("{gt: 1, lte: 3}"), counted(1), False),
        (event_count("{gt: 1, lte: 3}"), counted(2), True),
        (event_count("{gt: 1, lte: 3}"), counted(3), True),
        (event_count("{gt: 1, lte: 3}"), counted(4), False),
        (event_count("{lt: 3, gte: 2}"), counted(2), True),
        (event_count("{lt: 3, gte: 2}"), counted(3), False),
        (correlation("value_sum", "{gte: 1, lt: 2, field: v}"), valued(0.5, 0.5), True),
        (correlation("value_sum", "{gte: 1, lt: 2, field: v}"), valued(1.5, 0.5), False),
    ],
    "Time Selection": [
        (event_count(span="2s"), [at(0), at(2)], True),
        (event_count(span="2s"), [at(0), at(3)], False),
        (event_count(span="90m"), [at(0), at(5400)], True),
        (event_count(span="90m"), [at(0), at(5401)], False),
        (event_count(span="1h"), [at(0), at(3600)], True),
        (event_count(span="1h"), [at(0), at(3601)], False),
        (event_count(span="7d"), [at(0), at(604_800)], True),
        (event_count(span="7d"), [at(0), at(604_801)], False),
    ],
    "Related rules": [
        (event_count(rules="a"), counted(2), True),
        (event_count(rules=f"[{A_ID.upper()}]"), counted(2), True),
        (event_count(rules="[a, b]"), named("ab"), True),
        (event_count(rules="[a, b]"), named("ad"), False),
        (event_count(rules="[many_failed]"), named("aaaa"), True),  # a correlation: its firings are events
        (event_count(rules="[many_failed]"), named("aaa"), False),
    ],
    "Grouping": [
        # "When you use multiple fields they are linked by an AND"
        (event_count(more="").replace("[user]", "[user, host]"), [at(0, host="x"), at(1, host="X")], True),
        (event_count(more="").replace("[user]", "[user, host]"), [at(0, host="x"), at(1, host="y")], False),
        (event_count(more="").replace("[user]", "[user, host]"), [at(0, host="x"), at(1)], False),
        (event_count(more="").replace("group-by: [user]\n", ""), [at(0), at(1, user="bob")], True),
    ],
    "Aliases": [
        (event_count(more="aliases: {user: {a: account}}"), [at(0, account=1), at(0, account=1)], True),
        (event_count(more="aliases: {user: {a: account}}"), [at(0, account=1), at(0, account=2)], False),
    ],
    "Field Name Aliases": [
        (
            SWAPPED,
            [
                at(0, "a", **{"source.ip": "192.0.2.1", "destination.ip": "10.0.0.1"}),
                at(1, "b", **{"source.ip": "10.0.0.1", "destination.ip": "192.0.2.1"}),
            ],
            True,
        ),
        (
            SWAPPED,
            [
                at(0, "a", **{"source.ip": "192.0.2.1", "destination.ip": "10.0.0.1"}),
                at(1, "b", **{"source.ip": "192.0.2.1", "destination.ip": "10.0.0.1"}),
            ],
            False,
        ),
    ],
    "Failed Logins Followed by Successful Login": [
        (CHAINED, named("aaad"), True),
        (CHAINED, named("aad"), False),
        (CHAINED, named("daaa"), False),
        (CHAINED, [*named("aaa"), at(13, "d")], False),
        (CHAINED, [*named("aaa"), at(3, "d", user="bob")], False),
    ],
    # a type and the conditions in words that pySigma adds
    BEYOND: [
        (correlation("value_median", "{gt: 5, field: v}"), valued(1, 6, 9), True),
        (correlation("value_median", "{gt: 5, field: v}"), valued(1, 5, 9), False),
        (correlation("temporal", "a and not b", rules="[a, b]"), named("a"), True),
        (correlation("temporal", "b and not a", rules="[a, b]"), named("ab"), False),
        (correlation("temporal", "(a or b) and d", rules="[a, b, d]"), named("db"), True),
        (correlation("temporal", "(a or b) and d", rules="[a, b, d]"), named("ab"), False),
        (correlation("temporal_ordered", "(a or b) and d", rules="[a, b, d]"), named("bd"), True),
        (correlation("temporal_ordered", "(a or b) and d", rules="[a, b, d]"), named("db"), False),
    ],
}


@pytest.mark.parametrize(("section", "seen", "expected"), rows(TABLES))
def test_firing(section: str, seen: Seen, expected: bool) -> None:
    body = textwrap.indent(section.strip(), "    ")
    found = firings(f"{BASE}{MANY}---\ntitle: C\nname: outer\ncorrelation:\n{body}\n", seen)
    assert any(label == "outer" for label, _, _ in found) is expected


def test_everything_has_its_rows() -> None:
    assert_complete(TABLES, [*CORRELATION_TYPES, *CORRELATION])
    assert all(both_ways(table) for table in TABLES.values())
    for section, kind in CORRELATION_TYPES.items():
        assert all(f"type: {kind}\n" in row[0] for row in TABLES[section])
    for operator in CONDITION_OPERATORS:
        assert both_ways(row for row in TABLES["Condition"] if f"{{{operator}:" in row[0]), operator
    for unit in TIMESPAN_UNITS:
        ending = f"{unit}\ncondition"
        assert both_ways(row for row in TABLES["Time Selection"] if ending in row[0]), unit


def test_an_event_of_a_correlation_has_the_fields_of_its_own_group_only() -> None:
    """ "Ordered Temporal Proximity", the note: the outer correlation groups by its own fields."""
    inner = MANY.replace("group-by: [user]", "group-by: [user, host]")
    outer = "---\ntitle: C\nname: outer\ncorrelation: {type: temporal, rules: [many_failed, d]"
    text = f"{BASE}{inner}{outer}, group-by: [user], timespan: 10s}}\n"
    events = [*[at(0, host="x")] * 3, at(1, "d")]
    assert ("outer", 1, 2) in firings(text, events)
    assert firings(text, [*[at(0, host="x")] * 2, at(0, host="y"), at(1, "d")]) == []
