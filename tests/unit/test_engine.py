"""The engine, prefilter and generated Python, gives what the reference gives: for every rule and event."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reference import as_events, engine, reference
from strategies import events, events_near, rules
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.event import Fields, Value


@st.composite
def books(draw: st.DrawFn) -> tuple[str, list[Fields], list[Fields]]:
    """Give some rules, events that come first, by which literals are chosen, and events to compare over."""
    written = [draw(rules(f"r{number}")) for number in range(draw(st.integers(1, 5)))]
    near = st.one_of(events(), *(events_near(rule) for rule in written))
    return (
        "---\n".join(written),
        draw(st.lists(near, max_size=3)),
        draw(st.lists(near, min_size=1, max_size=6)),
    )


@given(books())
def test_the_engine_agrees_with_the_reference(book: tuple[str, list[Fields], list[Fields]]) -> None:
    text, first, then = book
    loaded = loads(text)
    compiled = RuleSet(loaded, ignore_logsource=True)
    for many in (first, then):
        assert engine(compiled, as_events(many)) == reference(loaded, as_events(many))


WITHOUT: list[Fields] = [{"b": f"ordinary {number}", "size": number} for number in range(40)]
WITH: list[Fields] = [
    {"a": f"ordinary {number}" if number % 2 else [number, "ordinary"], "A\xc4": "x"} for number in range(40)
]
"""Events before: without the field that is asked for, and with it, so that other literals are chosen."""
KELVIN, LONG_S, DOTTED_I = "\u212a", "\u017f", "\u0130"
TRAPS: list[tuple[str, Any, list[Value]]] = [
    # numbers stand in JSON without quotes, and not as their text is written
    ("a", 4663, [4663, "4663", 4663.0, ["x", 4663], ["x", "4663"], [4663, ":b"]]),
    ("a", "4663", [4663, 4663.0]),
    ("a", 0, [0, -0.0, "0", [1, -0.0]]),
    ("a", -5, [-5, -5.0, "-5"]),
    ("a", 1.5, [1.5, "1.5"]),
    ("a", "1e-07", [1e-7, "1E-07"]),
    ("a", "5e-05", [0.00005]),
    ("a", 10**22, [1e22, 10**22, "10000000000000000000000"]),
    ("a", 2**64, [2**64, 2.0**64, str(2**64)]),
    ("a|contains", "66", [4663, [4663], "x66y", -1.66]),
    ("a|contains", "000", [1e22, 10**30]),
    ("a|startswith", "-4", [-4663, [None, -4.5]]),
    ("a|endswith", "63", [4663, 4663.0, "xx63"]),
    ("a|re", "^466[0-9]$", [4663, 4663.0]),
    ("a|re", "0000$", [1e22]),
    ("a|gte", 5, [5, "5", [1, 7.5], "5e1", 10**30]),
    # so do true and false; what is no number is null there
    ("a", True, [True, "TRUE", [0, True]]),
    ("a|contains", "als", [False, "xalsy"]),
    ("a|contains", "na", [float("nan"), "NAN"]),
    ("a|startswith", "-in", [float("-inf")]),
    ("a", "inf", [float("inf"), "INF"]),
    ("a|endswith", "nf", [float("inf"), float("-inf")]),
    ("a", "fal" + LONG_S + "e", [False, "FALSE"]),
    # case beyond ASCII
    ("a|contains", "kelvin", ["x" + KELVIN + "ELVIN", "KELVIN \xe9"]),
    ("a|contains", KELVIN + "elvin", ["kelvin", "Kelvin"]),
    ("a", "s" + LONG_S, [LONG_S + "S"]),
    ("a|endswith", "\u03bf\u03b4\u03bf\u03c2", ["\u039f\u0394\u039f\u03a3", "x\u03bf\u03b4\u03bf\u03c3"]),
    ("a|contains", "\xb5m", ["5 \u039cM"]),
    ("a", "stra\xdfe", ["STRA\u1e9eE"]),
    ("a", DOTTED_I + "stanbul", [DOTTED_I + "STANBUL"]),
    ("a|re|i", "kelvin", [KELVIN + "elvin"]),
    ("a|re|i", "caf\xe9s", ["CAF\xc9" + LONG_S]),
    ("a|contains|cased", "Kelvin", ["xKelvin"]),
    # escapes, control characters, what is no character
    ("a|contains", 'say "cmd"', ['I say "CMD"']),
    ("a|endswith", "\\Temp\\", ["C:\\Temp\\"]),
    ("a|contains", "one\ntwo", ["one\nTWO", ["", "one\ntwo"]]),
    ("a|startswith", "tab\t\x7f\u2028", ["TAB\t\x7f\u2028x"]),
    ("a|startswith", "cmd", ["cmd\ud800", ["\udc00", "CMD"]]),
    ("a|contains", "\U0001f600", ["x\U0001f600"]),
    ("a|re", r"\x00cmd", ["x\0cmd"]),
    # nothing
    ("a", "", ["", ["x", ""]]),
    ("a|exists", True, [None, "", 0]),
    ("a|neq", None, ["x", 0, ""]),
    # what looks like a key, and keys that look like values
    ("a|contains", "cmd", ['cmd":', ["cmd", ":b"], ["x\\cmd\\", ":"], 'cmd\\":']),
    ("a|endswith", ".exe", [["a.exe", ":b"], 'b".exe']),
    ("a|contains", '","b":"', ['x","b":"y']),
    ("a", '"a":"b"', ['"A":"b"']),
    # long ones, networks, and what is found by one of several
    ("a|startswith", "x" * 500, ["X" * 501]),
    ("a|startswith", "\xe9" * 300, ["\xc9" * 300]),
    (
        "a|cidr",
        "10.0.0.0/8",
        ["10.1.2.3", "::ffff:10.1.2.3", "::FFFF:a01:203", "0:0:0:0:0:ffff:0a01:0203", [1, "10.0.0.1"]],
    ),
    ("a|cidr", "10.1.2.3/32", ["10.1.2.3", "::ffff:10.1.2.3"]),
    ("a|cidr", "10.128.0.0/9", ["10.200.0.1"]),
    ("a|cidr", "2001:db8::/32", ["2001:DB8::1"]),
    ("a|re", "(foo|ba[rz])qux", ["barqux", "fooqux"]),
    ("a|re", "(foo)*bar", ["bar"]),
    ("a|re", "foo(?:bar){0,2}baz", ["foobaz"]),
    ("a|re", "(?!bar)ba[sz]", ["baz"]),
    ("a|re", "cmd\ufffdx", ["cmd\ud800x"]),  # RE2 is given U+FFFD for what is no character
    ("a|re", "foo|[0-9]{3}", ["x123", 4663]),
    ("a", "one*two?three", ["ONEandTWO-three"]),
    ("|contains", "needle", ["haystack NEEDLE", ["x", "needle"]]),
    ("|contains", "4663", [4663, [4663.0, "x"]]),
]


@pytest.mark.parametrize("before", [WITHOUT, WITH], ids=["without", "with"])
@pytest.mark.parametrize(("item", "asked", "values"), TRAPS, ids=lambda one: ascii(one)[:40])
def test_a_trap(item: str, asked: Any, values: list[Value], before: list[Fields]) -> None:
    """What the rule asks for is found in each of these values, whatever the events before were like."""
    rule = {"title": "A trap", "id": "trap", "logsource": {"product": "any"}}
    loaded = loads(yaml.safe_dump(rule | {"detection": {"s": {item: asked}, "condition": "s"}}, width=10**6))
    assert not loaded.refused
    for value in values:
        compiled = RuleSet(loaded, ignore_logsource=True)
        compiled.match(as_events(before))
        many = as_events([*before, {"a": value, "b": 1}, *before, {"a": value}])
        expected = reference(loaded, many)
        assert {(40, "trap"), (81, "trap")} <= expected.keys(), ascii(value)
        assert engine(compiled, many) == expected, ascii(value)
        for odd in ("\ud800", 2**70):  # which is written to JSON by another hand
            many = as_events([*before, {"odd": odd}, {"a": value, "odd": odd}])
            assert engine(compiled, many) == reference(loaded, many), ascii(value)


TOO_LONG = "x" * 5000


@pytest.mark.parametrize("before", [WITHOUT, WITH], ids=["without", "with"])
@pytest.mark.parametrize(
    ("condition", "fields", "matches"),
    [
        ("none", {"c": 1}, True),
        ("none", {"a.b": 1}, False),
        ("not none", {"a.b": 1}, True),
        ("not none", {"a": 0}, True),
        ("not (none and there)", {"a": 1}, True),
        ("there", {"a.b.c": None}, True),
        ("umlaut", {"A\xc4": 5}, True),
        ("umlaut", {'A\xc4.x"y': 5}, True),
        ("umlaut", {"A\xe4": 5}, False),
        ("same", {"a": "x", "A\xc4": "X"}, True),
        ("1 of word*", {"a": "one", "b": "two"}, False),  # two values are not one
        ("1 of word*", {"a": ["one", "two"]}, False),
        ("1 of word*", {"one": "two"}, False),
        ("1 of word*", {"a": "one", "b": "two", "outfall.x": "onetwo"}, False),
        ("1 of word*", {"a": "one", "b": "two", "outfall.x": "one\0two"}, False),
        ("1 of word*", {"a": 10**5000, "b": "onetwo"}, None),
        ("text", {"a": "xONEx", "b": 10**5000}, True),
        ("not text", {"b": 10**5000}, True),
        ("none", {"b": 10**5000}, True),
        ("(digits and other) or text", {"a": "one", "b": 10**5000}, True),
        ("(digits and other) or text", {"a": 10**5000, "b": "other"}, None),
        ("hard", {"a": TOO_LONG}, None),
        ("hard or text", {"a": TOO_LONG, "b": "x"}, None),
        ("hard or other", {"a": TOO_LONG, "b": "other"}, True),
        ("hard and other", {"a": TOO_LONG, "b": "x"}, False),
    ],
)
def test_a_trap_of_several(
    condition: str, fields: Fields, matches: bool | None, before: list[Fields]
) -> None:
    text = f"""
title: A trap
id: trap
logsource: {{product: any}}
detection:
    none: {{a: null}}
    there: {{a.b|exists: true}}
    umlaut: {{'A\xc4|exists': true}}
    same: {{'a|fieldref': 'A\xc4'}}
    word: ["onetwo"]
    word_zero: ["one\\0two"]
    text: {{a|contains: one}}
    hard: {{a|re: '(?!y)x+qqzz9'}}
    other: {{b: other}}
    digits: {{b|contains: '1'}}
    condition: {condition}
"""
    loaded = loads(text)
    assert not loaded.refused
    compiled = RuleSet(loaded, ignore_logsource=True)
    compiled.match(as_events(before))
    many = as_events([*before, fields])
    expected = reference(loaded, many)
    assert expected.get((40, "trap"), False) is matches
    assert engine(compiled, many) == expected


@pytest.mark.parametrize("depth", [2, 30])
def test_nesting_nearly_as_deep_as_conditions_may_be(depth: int) -> None:
    condition = "not (a or (b and " * (depth // 2) + "a" + "))" * (depth // 2)
    text = f"""
title: Deep
id: deep
logsource: {{product: any}}
detection:
    a: {{x|re: '(?!y)x+y'}}
    b: {{y: 1}}
    condition: {condition}
"""
    loaded = loads(text)
    assert not loaded.refused
    many = as_events([*WITHOUT, {"x": "xy"}, {"y": 1}, {"x": TOO_LONG, "y": 1}])
    assert engine(RuleSet(loaded, ignore_logsource=True), many) == reference(loaded, many)
