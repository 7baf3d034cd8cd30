"""Values of Sigma 2.1, "Detection": strings, wildcards, escapes, numbers, null, lists, keywords."""

from __future__ import annotations

from typing import Any

import pytest
from sections import BEYOND, ESCAPES, VALUES, assert_complete, both_ways, rows
from sigma_helper import HEAD_LINES, matches, refusal, rule, selection

# item, document, does it match
ITEMS = {
    "General": [
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
        ("f: 'a.c'", {"f": "abc"}, False),
        ("f: '[a]'", {"f": "a"}, False),
    ],
    "String Wildcard": [
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
    ],
    "Escape Character": [
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
    ],
    "Placeholders": [
        (r"f: '%TEMP%'", {"f": "%temp%"}, True),  # "Placeholders": literal without expand
        (r"f: '%TEMP%'", {"f": "x"}, False),
    ],
    "Maps": [
        # "the value is a string or integer value", and "General": all values are case-insensitive strings
        ("f: 4663", {"f": 4663}, True),
        ("f: 4663", {"f": "4663"}, True),
        ("f: 4663", {"f": 4663.0}, True),
        ("f: '4663'", {"f": 4663}, True),
        ("f: '46*'", {"f": 4663}, True),
        ("f: '46??'", {"f": 4663}, True),
        ("f|endswith: '63'", {"f": 4663}, True),
        ("f: -1", {"f": -1}, True),
        ("f: 0x10", {"f": 16}, True),  # YAML's own number
        ("f: 9007199254740993", {"f": 9007199254740993}, True),  # beyond a double's precision
        ("f: 4663", {"f": "4663.0"}, False),
        ("f: 4663", {"f": "04663"}, False),
        ("f: 4663", {"f": 46630}, False),
        ("f: '0x10'", {"f": 16}, False),
        ("f: 9007199254740993", {"f": 9007199254740992}, False),
        # "All elements of a map are joined with a logical 'AND'"
        ("f: a\ng: b", {"f": "a", "g": "b"}, True),
        ("f: a\ng: b", {"f": "a"}, False),
    ],
    "Special Field Values": [
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
    ],
    "Field Existence": [
        ("f|exists: true", {"f": 1}, True),
        ("f|exists: true", {"g": 1}, False),
        ("f|exists: false", {"f": None}, False),
    ],
    "Lists": [
        # of values: or; a list-valued field matches if any element does
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
        # of maps: or
        ("- f: a\n- g: b", {"g": "b"}, True),
        ("- f: a\n  h: c\n- g: b", {"f": "a"}, False),
        ("- f: a\n  h: c\n- g: b", {"f": "a", "h": "c"}, True),
    ],
    "Value Modifiers": [
        # "can also be chained", "applied in the given order"; "work on single values and value lists"
        ("f|base64|contains: foo", {"f": "xxZm9vxx"}, True),
        ("f|base64|contains: foo", {"f": "foo"}, False),
        ("f|startswith: [a, b]", {"f": "bc"}, True),
        ("f|startswith: [a, b]", {"f": "cab"}, False),
    ],
    "Field Usage": [
        # "use them as they appear in the log source": exactly, case and all
        ("f: a", {"f": "a"}, True),
        ("f: a", {"F": "a"}, False),
        ("Provider_Name: a", {"Provider_Name": "a"}, True),
        ("a.b: c", {"a": {"b": "c"}}, True),
        ("a.b: c", {"a.b": "c"}, True),
        ("'a[0]': c", {"a": ["c"]}, False),  # a name like any other
    ],
    # values that are neither text nor whole numbers
    BEYOND: [
        ("f: 1.5", {"f": 1.5}, True),
        ("f: 1.5", {"f": "1.5"}, True),
        ("f: 2.0", {"f": 2}, True),
        ("f: 1", {"f": True}, False),
        ("f: true", {"f": True}, True),
        ("f: true", {"f": "True"}, True),
        ("f: 'true'", {"f": True}, True),
        ("f: true", {"f": 1}, False),
        ("f: false", {"f": False}, True),
        ("f: false", {"f": None}, False),
        ("f: false", {}, False),
    ],
}


@pytest.mark.parametrize(("item", "document", "expected"), rows(ITEMS))
def test_value(item: str, document: dict[str, Any], expected: bool) -> None:
    assert matches(selection(item), document) is expected


# "Escape Character": what is written, a text that it means, one that it does not
ESCAPED = [
    ("\\", "\\", "\\\\"),  # "Plain backslash not followed by a wildcard"
    ("\\\\", "\\", "\\\\"),
    ("\\*", "*", "x"),  # "A wildcard has to be escaped to be handled as a plain character"
    ("\\?", "?", "x"),
    ("\\\\*", "\\x", "x"),  # "a backslash followed by a wildcard"
    ("\\\\?", "\\x", "x"),
    ("\\\\\\*", "\\*", "\\x"),  # "handle them as plain values"
    ("\\\\\\?", "\\?", "\\x"),
    ("\\\\\\", "\\\\", "\\"),  # "Three or four backslashes are handled as double backslash"
    ("\\\\\\\\", "\\\\", "\\"),
]


@pytest.mark.parametrize(
    ("modifier", "before", "after"),
    [
        ("", "", ""),
        ("|startswith", "", "z"),
        ("|endswith", "z", ""),
        ("|contains", "z", "z"),
        ("|cased", "", ""),
    ],
)
@pytest.mark.parametrize(("written", "meant", "other"), ESCAPED)
def test_an_escape_with_whatever_modifier(
    modifier: str, before: str, after: str, written: str, meant: str, other: str
) -> None:
    text = selection(f"f{modifier}: 'a{written}b'")
    assert matches(text, {"f": f"{before}a{meant}b{after}"})
    assert not matches(text, {"f": f"{before}a{other}b{after}"})


def test_every_escape_has_its_rows() -> None:
    assert tuple(written for written, _, _ in ESCAPED) == ESCAPES


# definition of a search identifier, document, does it match
IDENTIFIERS = {
    # "anywhere in the event"
    "Keywords search": [
        ("- mimikatz\n- rubeus", {"a": {"b": ["x", "run MIMIKATZ now"]}}, True),
        ("- mimikatz\n- rubeus", {"a": "rubens"}, False),
        ("- 'event::clear'", {"m": "event::clear"}, True),
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
    ],
    # "lists and maps"
    "Search-Identifier": [
        ("f: a", {"f": "a"}, True),
        ("f: a", {"f": "b"}, False),
        ("- a", {"f": "a"}, True),
        ("- a", {"f": "b"}, False),
    ],
}


@pytest.mark.parametrize(("definition", "document", "expected"), rows(IDENTIFIERS))
def test_search_identifier(definition: str, document: dict[str, Any], expected: bool) -> None:
    lines = "\n".join(f"    {line}" for line in definition.splitlines())
    assert matches(rule(f"keywords:\n{lines}\ncondition: keywords"), document) is expected


def test_every_section_has_its_rows() -> None:
    assert_complete(ITEMS | IDENTIFIERS, VALUES)
    assert all(both_ways(table) for table in [*ITEMS.values(), *IDENTIFIERS.values()])


# definition of a search identifier, what the reason says
NOT_OF_2_1 = [
    ("mimikatz", "keywords that are no list are of the draft of Sigma 2.2"),
    ("4104", "keywords that are no list are of the draft of Sigma 2.2"),
    ("null", "keywords that are no list are of the draft of Sigma 2.2"),
    ("[[a, b], [c]]", "a list in a list"),
    ("[{f: a}, [c]]", "a list in a list"),
]


@pytest.mark.parametrize(("definition", "reason"), NOT_OF_2_1)
def test_what_is_not_of_sigma_2_1_is_refused_by_its_name(definition: str, reason: str) -> None:
    refused = refusal(rule(f"keywords: {definition}\ncondition: keywords"))
    assert reason in refused.reason
    assert "Sigma 2.1" in refused.reason
    assert refused.place.line == HEAD_LINES + 2


# "Yaml File": YAML 1.2, in which these are not what they are in YAML 1.1
@pytest.mark.parametrize(
    "value", ["yes", "No", "on", "OFF", "010", "-017", "0b11", "1_000", "1_0.5", "1:30", "1:30.5", "8:15:00"]
)
def test_what_versions_of_yaml_read_differently_is_refused(value: str) -> None:
    refused = refusal(selection(f"f: {value}"))
    assert f"`{value}` means something else in YAML 1.2" in refused.reason
    assert (refused.place.line, refused.place.column) == (HEAD_LINES + 3, 12)
    assert matches(selection(f"f: '{value}'"), {"f": value})


def test_a_keyword_is_negated_over_the_whole_event() -> None:
    text = rule("keywords:\n    - bad\nall:\n    f: '*'\ncondition: all and not keywords")
    assert matches(text, {"f": "fine", "g": "good"})
    assert not matches(text, {"f": "fine", "g": "bad"})
