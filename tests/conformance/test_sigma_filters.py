"""Filters of Sigma 2.1, "Sigma Filters Specification", section by section."""

from __future__ import annotations

from typing import Any

import pytest
from sections import FILTERS, assert_complete, rows
from sigma_helper import matched

from streams.detect.load import loads

RULES = """
title: First
id: 0e95725d-7320-415d-80f7-004da920fc11
name: first
logsource: {category: process_creation, product: windows}
detection:
    sel: {a: 1}
    other: {b: 1}
    condition:
        - sel
        - other
---
title: Second
name: second
logsource: {category: process_creation, product: linux}
detection:
    sel: {a: 1}
    condition: sel
---
title: Over both
name: over
correlation:
    type: event_count
    rules: [first, second]
    timespan: 1h
    condition: {gte: 5}
"""


FIRST = "0e95725d-7320-415d-80f7-004da920fc11"
BOTH = f"[{FIRST}, second]"


def filtered(
    rules: str,
    *,
    logsource: str = "{category: process_creation}",
    selection: str = "User|startswith: adm_",
    condition: str = "not sel",
    extra: str = "",
) -> str:
    return f"""{RULES}
---
title: Not the administrators
logsource: {logsource}
filter:
    rules: {rules}
    sel:
        {selection}
    condition: {condition}
{extra}"""


ADMIN = {"a": 1, "User": "ADM_anna"}
ANNA = {"a": 1, "User": "anna"}

# what the filter has, document, what matches
TABLES: dict[str, list[tuple[dict[str, str], dict[str, Any], list[str]]]] = {
    "Relative rules": [
        ({"rules": "[first]"}, ADMIN, ["second"]),
        ({"rules": "[first]"}, ANNA, [FIRST, "second"]),
        ({"rules": "first"}, ADMIN, ["second"]),
        ({"rules": FIRST}, ADMIN, ["second"]),
        ({"rules": f"[{FIRST.upper()}, second]"}, ADMIN, []),
        ({"rules": "[first, first]"}, ADMIN, ["second"]),
    ],
    "Log source": [
        ({"rules": "[first]", "logsource": "{product: windows}"}, ADMIN, ["second"]),
        ({"rules": BOTH, "logsource": "{category: PROCESS_CREATION}"}, ADMIN, []),
        (
            {"rules": "first", "logsource": "{category: process_creation, product: windows}"},
            ANNA,
            [FIRST, "second"],
        ),
        (
            {"rules": "first", "logsource": "{category: process_creation, product: windows}"},
            ADMIN,
            ["second"],
        ),
    ],
    "filter selection": [
        ({"rules": BOTH, "selection": "User|cased: adm_x"}, {"a": 1, "User": "adm_x"}, []),
        ({"rules": BOTH, "selection": "User|cased: adm_x"}, {"a": 1, "User": "Adm_x"}, [FIRST, "second"]),
        ({"rules": BOTH, "selection": "User: null"}, {"a": 1}, []),
        ({"rules": BOTH, "selection": "User: [x, y]"}, {"a": 1, "User": "y"}, []),
    ],
    "filter condition": [
        # joined with and, to each of a rule's conditions
        ({"rules": "[first]"}, {"b": 1, "User": "adm_x"}, []),
        ({"rules": "[first]"}, {"b": 1, "User": "x"}, [FIRST]),
        ({"rules": BOTH, "condition": "sel"}, ADMIN, [FIRST, "second"]),
        ({"rules": BOTH, "condition": "sel"}, ANNA, []),
        ({"rules": BOTH, "condition": "not 1 of s*"}, ADMIN, []),
        ({"rules": BOTH, "condition": "not 1 of s*"}, {"User": "x"}, []),  # takes away, never adds
    ],
}


@pytest.mark.parametrize(("options", "document", "expected"), rows(TABLES))
def test_a_filter_applies_to_its_rules(
    options: dict[str, str], document: dict[str, Any], expected: list[str]
) -> None:
    assert matched(filtered(**options), document) == expected


def test_every_section_has_its_rows() -> None:
    assert_complete(TABLES, FILTERS)
    for table in TABLES.values():
        assert len({tuple(expected) for _, _, expected in table}) > 1


def test_filters_add_up() -> None:
    second = """---
title: Not the servers
logsource: {product: windows}
filter:
    rules: first
    sel: {Host: server}
    condition: not sel
"""
    text = filtered("[first]", logsource="{product: windows}", extra=second)
    assert matched(text, {"a": 1, "Host": "pc"}) == [FIRST, "second"]
    assert matched(text, {"a": 1, "Host": "server"}) == ["second"]
    assert matched(text, ADMIN) == ["second"]


def test_a_filters_identifiers_are_its_own() -> None:
    text = """
title: First
name: first
logsource: {product: windows}
detection:
    sel_a: {a: 1}
    condition: 1 of them
---
title: Filter
logsource: {product: windows}
filter:
    rules: first
    sel_a: {b: 1}
    sel_b: {c: 1}
    _sel_d: {d: 1}
    condition: not 1 of them
"""
    assert matched(text, {"a": 1, "d": 1}) == ["first"]
    assert matched(text, {"a": 1, "b": 1}) == []
    assert matched(text, {"b": 1}) == []


# the filter, what the reason says, in which line of the filter
UNRESOLVED = [
    ("rules: [first, nowhere]", "no rule `nowhere`", 5),
    ("rules: over", "filters are for detections", 5),
    ("rules: [second]", "another log source", 5),
]


@pytest.mark.parametrize(("rules", "reason", "line"), UNRESOLVED)
def test_what_a_filter_names_in_vain_is_refused(rules: str, reason: str, line: int) -> None:
    text = filtered("first").replace("rules: first", rules)
    text = text.replace(
        "logsource: {category: process_creation}\nfilter", "logsource: {product: windows}\nfilter"
    )
    loaded = loads(text)
    assert len(loaded.refused) == 1
    assert reason in loaded.refused[0].reason
    start = text[: text.index("title: Not the administrators")].count("\n")
    assert loaded.refused[0].place.line == start + line - 1
    assert len(loaded.rules) == 3


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("    rules: first\n", "", "must name its rules"),
        ("rules: first", "rules: []", "must name its rules"),
        ("rules: first", "rules: [5]", "must name its rules"),
        (
            "rules: first",
            "rules: any",
            "`filter.rules: any` is of the draft of Sigma 2.2; Sigma 2.1 has it not",
        ),
        (
            "rules: first",
            "rules: ANY",
            "`filter.rules: any` is of the draft of Sigma 2.2; Sigma 2.1 has it not",
        ),
        ("condition: not sel\n", "", "exactly one condition"),
        ("condition: not sel\n", "condition: [sel]\n", "exactly one condition"),
        ("condition: not sel\n", "condition: nothing\n", "no search identifier"),
        ("User|startswith", "User|expand", "expand"),
        ("logsource: {category: process_creation}\nfilter", "filter", "logsource"),
        ("filter:\n", "detection: {a: {b: 1}, condition: a}\nfilter:\n", "not both"),
    ],
)
def test_a_filter_that_cannot_be_exact_is_refused(old: str, new: str, reason: str) -> None:
    text = filtered("first", extra="")
    head, filter_text = text[: text.rindex("---")], text[text.rindex("---") :]
    assert old in filter_text
    loaded = loads(head + filter_text.replace(old, new))
    assert [reason in refused.reason for refused in loaded.refused] == [True]
    assert len(loaded.rules) == 3  # the rules themselves still run
