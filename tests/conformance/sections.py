"""The sections of Sigma 2.1.0 (released 2025-08-02) whose rules the conformance tests have tables for.

https://github.com/SigmaHQ/sigma-specification, folder `specification`. A table's key is the section that its
rows are from; `BEYOND` is for what docs/rules.md lists under "Beyond Sigma 2.1".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from _pytest.mark import ParameterSet

BEYOND = "Beyond Sigma 2.1"

VALUES = (  # sigma-rules-specification.md, "Detection"
    "Search-Identifier",
    "General",
    "String Wildcard",
    "Escape Character",
    "Lists",
    "Maps",
    "Field Usage",
    "Special Field Values",
    "Field Existence",
    "Value Modifiers",
    "Placeholders",
    "Keywords search",
)
ESCAPES = (  # all that "Escape Character" names
    "\\",
    "\\\\",
    "\\*",
    "\\?",
    "\\\\*",
    "\\\\?",
    "\\\\\\*",
    "\\\\\\?",
    "\\\\\\",
    "\\\\\\\\",
)
CONDITION = (  # sigma-rules-specification.md, "Condition": its items, and what it says below them
    "Logical AND/OR",
    "1/all of them",
    "1/all of search-identifier-pattern",
    "Negation with 'not'",
    "Brackets",
    "Operator Precedence",
    "The condition can be a list",
)
MODIFIERS = {  # sigma-appendix-modifiers.md, with the modifiers of each
    "Generic Modifiers": ("all", "startswith", "endswith", "contains", "exists", "cased", "neq"),
    "String Modifiers": ("windash",),
    "Regular Expression": ("re", "i", "m", "s"),
    "Encoding": ("base64", "base64offset", "utf16le", "utf16be", "utf16", "wide"),
    "Numeric Modifiers": ("lt", "lte", "gt", "gte", "neq"),
    "Time Modifiers": ("minute", "hour", "day", "week", "month", "year"),
    "IP (Internet Protocol) Modifiers": ("cidr",),
    "Specific Modifiers": ("expand", "fieldref"),
}
CORRELATION_TYPES = {  # sigma-correlation-rules-specification.md, "Correlation Types"
    "Event Count (event_count)": "event_count",
    "Value Count (value_count)": "value_count",
    "Temporal Proximity (temporal)": "temporal",
    "Ordered Temporal Proximity (temporal_ordered)": "temporal_ordered",
    "Value Sum (value_sum)": "value_sum",
    "Value Max (value_max)": "value_max",
    "Value Min (value_min)": "value_min",
    "Value Average (value_avg)": "value_avg",
    "Value Percentile (value_percentile)": "value_percentile",
}
CORRELATION = (  # the same, "Correlation section"; Level and Generate have tests instead of tables
    "Related rules",
    "Aliases",
    "Grouping",
    "Time Selection",
    "Condition",
    "Field Name Aliases",
    "Failed Logins Followed by Successful Login",
)
CONDITION_OPERATORS = ("gt", "gte", "lt", "lte", "eq", "neq")
TIMESPAN_UNITS = ("s", "m", "h", "d")
FILTERS = (  # sigma-filters-specification.md, "Components"
    "Log source",
    "Relative rules",
    "filter selection",
    "filter condition",
)

Tables = Mapping[str, Sequence[tuple[Any, ...]]]


def rows(tables: Tables) -> list[ParameterSet]:
    """Give the rows of all tables to pytest, each under the name of its section."""
    return [
        pytest.param(*row, id=f"{section}: {row[0]}") for section, table in tables.items() for row in table
    ]


def assert_complete(tables: Tables, sections: Iterable[str]) -> None:
    """Every section has rows, and no row is of another section."""
    wanted = {*sections}
    assert {section for section, table in tables.items() if table} - {BEYOND} == wanted


def both_ways(table: Iterable[tuple[Any, ...]]) -> bool:
    """Tell whether among these rows something must match and something must not: their last column."""
    return {row[-1] for row in table} == {True, False}
