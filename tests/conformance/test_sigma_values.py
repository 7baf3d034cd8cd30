"""Values of Sigma 2.1, "Detection": strings, wildcards, escapes, numbers, null, lists, keywords."""

from __future__ import annotations

from typing import Any

import pytest
from sigma_helper import matches, rule, selection

# item, document, does it match
STRINGS = [
    # "General": case-insensitive, the whole value
    ("f: Whoami", {"f": "WHOAMI"}, True),
    ("f: whoami", {"f": "whoami /all"}, False),
    ("f: whoami", {"f": "xwhoami"}, False),
    ("f: whoami", {}, False),
    ("f: whoami", {"F": "whoami"}, False),  # field names are compared exactly
    ("f: ÄÖÜ", {"f": "äöü"}, True),
    ("f: ОТЧЁТ", {"f": "отчёт"}, True),
    ("f: 'ΟΔΟΣ'", {"f": "οδος"}, True),  # the final sigma is a sigma
    ("f|contains: 'ΔΟΣ'", {"f": "οδοσα"}, True),
    ("f: kelvin", {"f": "\u212aelvin"}, True),
    ("f: straße", {"f": "STRA\u1e9eE"}, True),
    ("f: straße", {"f": "strasse"}, False),  # one character stays one character
    # "String Wildcard"
    ("f: prog?.exe", {"f": "progA.exe"}, True),
    ("f: prog?.exe", {"f": "prog.exe"}, False),
    ("f: prog?.exe", {"f": "progAB.exe"}, False),
    ("f: 'stra?e'", {"f": "straße"}, True),
    ("f: '?'", {"f": "\U0001f600"}, True),
    ("f: antivirus_V*.exe", {"f": "ANTIVIRUS_v21.2.1.EXE"}, True),
    ("f: antivirus_V*.exe", {"f": "antivirus_V.exe"}, True),
    ("f: antivirus_V*.exe", {"f": "antivirus_V1.exe.bak"}, False),
    ("f: '*a*b*'", {"f": "xxaxxbxx"}, True),
    ("f: '*a*b*'", {"f": "xxbxxaxx"}, False),
    ("f: 'ab*ba'", {"f": "aba"}, False),  # the two ends do not overlap
    ("f: 'ab*ba'", {"f": "abba"}, True),
    ("f: '*ab?d*f'", {"f": "ababxdef"}, True),
    ("f: '*ab?d*f'", {"f": "ababxxdef"}, False),
    ("f: 'a**b'", {"f": "ab"}, True),
    ("f: 'a*b'", {"f": "a\nx\nb"}, True),  # any character, also a line feed
    ("f: 'a?b'", {"f": "a\nb"}, True),
    ("f: '*'", {"f": "anything"}, True),
    ("f: '*'", {"f": ""}, True),
    ("f: '*'", {"f": None}, False),
    ("f: '*'", {}, False),
    ("f: '?*'", {"f": ""}, False),
    ("f: '?*'", {"f": 7}, True),
    # "Escape Character"
    (r"f: 'C:\Temp\a.exe'", {"f": r"C:\Temp\a.exe"}, True),
    (r"f: 'C:\\Temp'", {"f": r"C:\Temp"}, True),
    (r"f: '\*'", {"f": "*"}, True),
    (r"f: '\*'", {"f": "x"}, False),
    (r"f: '\?'", {"f": "?"}, True),
    (r"f: '\?'", {"f": "x"}, False),
    (r"f: 'a\\*'", {"f": "a\\bc"}, True),
    (r"f: 'a\\*'", {"f": "abc"}, False),
    (r"f: 'a\\\*'", {"f": "a\\*"}, True),
    (r"f: 'a\\\*'", {"f": "a\\x"}, False),
    (r"f: '\\\share'", {"f": r"\\share"}, True),  # three backslashes are two
    (r"f: '\\\\share'", {"f": r"\\share"}, True),  # and so are four
    (r"f|contains: '\Temp\'", {"f": "C:\\Temp\\a.exe"}, True),
    (r"f|endswith: '\'", {"f": "C:\\"}, True),
    (r"f: '%TEMP%'", {"f": "%temp%"}, True),  # "Placeholders": literal without expand
    ("f: 'a.c'", {"f": "abc"}, False),
    ("f: '[a]'", {"f": "a"}, False),
]

NUMBERS = [
    # "Maps": a value is a string or integer; "General": all values are case-insensitive strings
    ("f: 4663", {"f": 4663}, True),
    ("f: 4663", {"f": "4663"}, True),
    ("f: 4663", {"f": 4663.0}, True),
    ("f: 4663", {"f": "4663.0"}, False),
    ("f: 4663", {"f": "04663"}, False),
    ("f: 4663", {"f": 46630}, False),
    ("f: '4663'", {"f": 4663}, True),
    ("f: '46*'", {"f": 4663}, True),
    ("f: '46??'", {"f": 4663}, True),
    ("f|endswith: '63'", {"f": 4663}, True),
    ("f: 1.5", {"f": 1.5}, True),
    ("f: 1.5", {"f": "1.5"}, True),
    ("f: 2.0", {"f": 2}, True),
    ("f: -1", {"f": -1}, True),
    ("f: 0x10", {"f": 16}, True),  # YAML's own number
    ("f: '0x10'", {"f": 16}, False),
    ("f: 9007199254740993", {"f": 9007199254740993}, True),  # beyond a double's precision
    ("f: 9007199254740993", {"f": 9007199254740992}, False),
    ("f: 1", {"f": True}, False),
    ("f: true", {"f": True}, True),
    ("f: true", {"f": "True"}, True),
    ("f: 'true'", {"f": True}, True),
    ("f: true", {"f": 1}, False),
    ("f: false", {"f": False}, True),
    ("f: false", {"f": None}, False),
    ("f: false", {}, False),
]

NULLS = [
    # "Special Field Values"
    ("f: null", {}, True),
    ("f: null", {"f": None}, True),
    ("f: null", {"f": ""}, False),
    ("f: null", {"f": 0}, False),
    ("f: null", {"f": False}, False),
    ("f: null", {"f": []}, True),
    ("f: null", {"f": ["a", None]}, True),
    ("f: null", {"f": {"g": 1}}, False),  # an object is there
    ("f:", {}, True),
    ("f: ''", {"f": ""}, True),
    ("f: ''", {"f": None}, False),
    ("f: ''", {}, False),
    ("f: ''", {"f": " "}, False),
    ("f: ['', null]", {}, True),
    ("f: ['', null]", {"f": "a"}, False),
    ("f: 'null'", {"f": None}, False),
]

LISTS = [
    # "Lists" of values are linked with or; a list-valued field matches if any element does
    ("f: [a, b]", {"f": "B"}, True),
    ("f: [a, b]", {"f": "c"}, False),
    ("f: a", {"f": ["x", "A"]}, True),
    ("f: a", {"f": ["x", "y"]}, False),
    ("f|contains|all: [a, b]", {"f": ["xa", "xb"]}, True),  # each value by some element
    ("f|contains|all: [a, b]", {"f": ["xa", "xc"]}, False),
    ("g.f: 2", {"g": [{"f": 1}, {"f": 2}]}, True),  # objects in a list
    ("f: '*x*'", {"f": [None, 3, "axb"]}, True),
    ("f|neq: a", {"f": ["a", "b"]}, False),  # negates the whole
    ("f|neq: a", {"f": ["b", "c"]}, True),
    # "Maps": and
    ("f: a\ng: b", {"f": "a", "g": "b"}, True),
    ("f: a\ng: b", {"f": "a"}, False),
    # "Lists" of maps: or
    ("- f: a\n- g: b", {"g": "b"}, True),
    ("- f: a\n  h: c\n- g: b", {"f": "a"}, False),
    ("- f: a\n  h: c\n- g: b", {"f": "a", "h": "c"}, True),
]


@pytest.mark.parametrize(("item", "document", "expected"), [*STRINGS, *NUMBERS, *NULLS, *LISTS])
def test_value(item: str, document: dict[str, Any], expected: bool) -> None:
    assert matches(selection(item), document) is expected


# "Keywords search": anywhere in the event
KEYWORDS = [
    ("- mimikatz\n- rubeus", {"a": {"b": ["x", "run MIMIKATZ now"]}}, True),
    ("- mimikatz\n- rubeus", {"a": "rubens"}, False),
    ("- 'event::clear'", {"m": "event::clear"}, True),
    ("mimikatz", {"a": "mimikatz.exe"}, True),  # one keyword
    ("- 'a*b'", {"m": "xxa--bxx"}, True),
    ("- 'a*b'", {"m": "a", "n": "b"}, False),  # within one value
    ("- 4104", {"EventID": 4104}, True),
    ("- mimikatz", {"mimikatz": "key"}, False),  # values, not keys
    ("- x", {"a": None}, False),
    ("'|all':\n    - one\n    - ' -two '", {"m": "one", "n": "call -two now"}, True),
    ("'|all':\n    - one\n    - ' -two '", {"m": "one"}, False),
    ("'|contains|all': [one, two]", {"m": "x one two"}, True),
    ("'|startswith': one", {"m": "x one"}, False),
    ("'|startswith': one", {"m": "one x"}, True),
    ("'|re': 'o[nm]e$'", {"m": "x ome"}, True),
    ("'|cased': One", {"m": "one"}, False),
    ("'|cidr': 10.0.0.0/8", {"m": "x", "n": ["10.1.2.3"]}, True),
    ("- a\n- f: b", {"f": "b"}, True),  # keywords and maps mixed
]


@pytest.mark.parametrize(("definition", "document", "expected"), KEYWORDS)
def test_keyword(definition: str, document: dict[str, Any], expected: bool) -> None:
    lines = "\n".join(f"    {line}" for line in definition.splitlines())
    assert matches(rule(f"keywords:\n{lines}\ncondition: keywords"), document) is expected


def test_a_keyword_is_negated_over_the_whole_event() -> None:
    text = rule("keywords:\n    - bad\nall:\n    f: '*'\ncondition: all and not keywords")
    assert matches(text, {"f": "fine", "g": "good"})
    assert not matches(text, {"f": "fine", "g": "bad"})
