"""Every modifier of Sigma 2.1, appendix "Modifiers", section by section, and what is refused of them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from sections import BEYOND, MODIFIERS, assert_complete, both_ways, rows
from sigma.modifiers import modifier_mapping
from sigma_helper import HEAD_LINES, matches, refusal, selection


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


MOMENT = {"t": "2024-02-29T23:05:59.5+01:00"}

# item, document, does it match
TABLES = {
    "Generic Modifiers": [
        ("f|contains: own", {"f": "The Owner"}, True),
        ("f|contains: own", {"f": "on"}, False),
        ("f|contains: 'o?n'", {"f": "The Owner"}, True),
        ("f|contains: ''", {"f": ""}, True),
        ("f|contains: ''", {}, False),
        ("f|startswith: adm", {"f": "Administrator"}, True),
        ("f|startswith: adm", {"f": "sadm"}, False),
        (r"f|endswith: '\cmd.exe'", {"f": r"C:\Windows\CMD.EXE"}, True),
        (r"f|endswith: '\cmd.exe'", {"f": r"C:\Windows\cmd.exe.bak"}, False),
        ("f|contains|all: [a, b]", {"f": "b-a"}, True),
        ("f|contains|all: [a, b]", {"f": "a"}, False),
        ("f|all: ['*a*', '*b*']", {"f": "ab"}, True),
        # "only verifies the presence of a field, not its value, be it empty or null"
        ("f|exists: true", {"f": "x"}, True),
        ("f|exists: true", {"f": ""}, True),
        ("f|exists: true", {"f": None}, True),
        ("f|exists: true", {}, False),
        ("f|exists: true", {"f": {"g": 1}}, True),
        ("f|exists: false", {}, True),
        ("f|exists: false", {"f": None}, False),
        ("f|cased: Whoami", {"f": "Whoami"}, True),
        ("f|cased: Whoami", {"f": "whoami"}, False),
        ("f|contains|cased: Own", {"f": "The Owner"}, True),
        ("f|cased|contains: Own", {"f": "The owner"}, False),
        ("f|neq: a", {"f": "b"}, True),
        ("f|neq: a", {"f": "A"}, False),
        ("f|neq: a", {}, True),
        ("f|neq: 5", {"f": "5"}, False),
        ("f|neq: [a, b]", {"f": "b"}, False),
        ("f|neq: [a, b]", {"f": "c"}, True),
        ("f|neq: null", {"f": "c"}, True),
        ("f|neq: null", {}, False),
        ("f|contains|neq: a", {"f": "xax"}, False),
        ("f|contains|all|neq: [a, b]", {"f": "xax"}, True),  # not all of them
        ("f|contains: 46", {"f": 14663}, True),  # "can be applied on all types of fields"
        ("f|contains: 46", {"f": 1463}, True),
        ("f|contains: 46", {"f": 4}, False),
        ("f|startswith: -1", {"f": "-12"}, True),
        ("f|endswith: 2.5", {"f": "x2.5"}, True),
        ("f|cased: 5", {"f": 5}, True),
        ("f|contains|all: [4, 6]", {"f": 46}, True),
        ("f|contains|all: [4, 6]", {"f": 47}, False),
    ],
    "String Modifiers": [
        ("f|windash|contains: ' -f '", {"f": "rm /f x"}, True),
        ("f|contains|windash: ' -f '", {"f": "rm \u2013f x"}, True),
        ("f|contains|windash: ' /f '", {"f": "rm \u2014f x"}, True),
        ("f|contains|windash: ' /f '", {"f": "rm \u2015f x"}, True),
        ("f|contains|windash: ' -param-name '", {"f": " /param/name "}, False),  # only at a word's start
        ("f|contains|windash: ' -f '", {"f": "rm +f x"}, False),
        ("f|contains|all|windash: [' -a', ' -b']", {"f": "x /a \u2013b"}, True),
        ("f|cased|windash|contains: ' -E'", {"f": "x /E"}, True),
        ("f|cased|windash|contains: ' -E'", {"f": "x /e"}, False),
    ],
    "Regular Expression": [
        ("f|re: 'b.d'", {"f": "abcde"}, True),  # unanchored
        ("f|re: '^b'", {"f": "abc"}, False),
        ("f|re: 'B'", {"f": "abc"}, False),  # case-sensitive
        ("f|re|i: 'B'", {"f": "abc"}, True),
        ("f|re|i: 'É'", {"f": "é"}, True),
        ("f|re|i: '^B'", {"f": "abc"}, False),
        ("f|re|m: '^b$'", {"f": "ab\nc"}, False),
        ("f|re|s: 'a.b'", {"f": "ab"}, False),
        ("f|re: '^b'", {"f": "a\nb"}, False),
        ("f|re|m: '^b$'", {"f": "a\nb\nc"}, True),
        ("f|re: 'a.b'", {"f": "a\nb"}, False),
        ("f|re|s: 'a.b'", {"f": "a\nb"}, True),
        ("f|re|i|m|s: '^B.C$'", {"f": "a\nb\nc\nd"}, True),
        ("f|re: 'c$'", {"f": "abc\n"}, True),  # as in PCRE
        ("f|re: 'c$'", {"f": "abc\n\n"}, False),
        ("f|re: '^(a|b$)'", {"f": "b\n"}, True),
        ("f|re: 'a{2,3}b'", {"f": "aab"}, True),
        ("f|re: 'a{2,3}b'", {"f": "ab"}, False),
        ("f|re: '^[^a-c]+$'", {"f": "xyz"}, True),
        ("f|re: '^[^a-c]+$'", {"f": "xbz"}, False),
        (r"f|re: '\\Temp\\[^\\]+\.exe$'", {"f": "C:\\Temp\\a.exe"}, True),
        ("f|re: ['x', 'b']", {"f": "abc"}, True),
        ("f|re|all: ['a', 'c']", {"f": "abc"}, True),
        ("f|re|all: ['a', 'x']", {"f": "abc"}, False),
        ("f|re: '66'", {"f": 4663}, True),
        ("f|re: 'a'", {"f": ["x", "a"]}, True),
        ("f|re: '.*'", {}, False),
        ("f|re|neq: 'a'", {"f": "b"}, True),
    ],
    "Encoding": [
        ("f|base64: foo", {"f": b64(b"foo")}, True),
        ("f|base64|contains: foo", {"f": f"-e {b64(b'foo')} x"}, True),
        ("f|base64: Grüße", {"f": b64("Grüße".encode())}, True),
        ("f|base64offset|contains: http://", {"f": b64(b"http://a")}, True),
        ("f|base64offset|contains: http://", {"f": b64(b"xhttp://a")}, True),
        ("f|base64offset|contains: http://", {"f": b64(b"xyhttp://a")}, True),
        ("f|base64offset|contains: http://", {"f": b64(b"xyzhttp://a")}, True),
        ("f|base64offset|contains: http://", {"f": b64(b"xyzftp://abcd")}, False),
        ("f|wide|base64offset|contains: ping", {"f": b64("a ping b".encode("utf-16-le"))}, True),
        ("f|utf16le|base64offset|contains: ping", {"f": b64("a ping b".encode("utf-16-le"))}, True),
        ("f|utf16le|base64offset|contains: ping", {"f": b64(b"a ping b")}, False),
        ("f|utf16be|base64offset|contains: ping", {"f": b64("a ping b".encode("utf-16-be"))}, True),
        ("f|utf16|base64: cmd", {"f": b64(b"\xff\xfec\0m\0d\0")}, True),
        ("f|base64offset|contains|all: [foo, bar]", {"f": b64(b"xfoo bar")}, True),
        ("f|base64offset|contains|all: [foo, bar]", {"f": b64(b"xfoo")}, False),
        ("f|base64: foo", {"f": b64(b"bar")}, False),
        ("f|base64: foo", {"f": "foo"}, False),
        ("f|wide|base64offset|contains: ping", {"f": b64(b"a ping b")}, False),
        ("f|utf16be|base64: cmd", {"f": b64("cmd".encode("utf-16-be"))}, True),
        ("f|utf16be|base64: cmd", {"f": b64("cmd".encode("utf-16-le"))}, False),
        ("f|utf16|base64: cmd", {"f": b64(b"c\0m\0d\0")}, False),  # without byte order mark
        ("f|utf16le: cmd", {"f": "c\0m\0d\0"}, True),
        ("f|utf16be: cmd", {"f": "\0c\0m\0d"}, True),
    ],
    "Numeric Modifiers": [
        ("f|lt: 5", {"f": 4}, True),
        ("f|lt: 5", {"f": 5}, False),
        ("f|lte: 5", {"f": 5}, True),
        ("f|gt: 5", {"f": 5.5}, True),
        ("f|gt: 5", {"f": 5}, False),
        ("f|gte: 5", {"f": 5}, True),
        ("f|gt: 5", {"f": "6"}, True),
        ("f|gt: 5", {"f": "1e3"}, True),
        ("f|gt: 5", {"f": "six"}, False),
        ("f|gt: 5", {"f": " 6"}, False),
        ("f|gt: 5", {"f": "inf"}, False),
        ("f|lt: 5", {"f": None}, False),
        ("f|lt: 5", {}, False),
        ("f|gte: 1", {"f": True}, False),
        ("f|lt: 1.5", {"f": "1.4"}, True),
        ("f|gt: 5", {"f": [1, 9]}, True),
        ("f|gte: 9007199254740993", {"f": 9007199254740992}, False),
        ("f|gt: 5\nf|lt: 9", {"f": 7}, True),
        ("f|gt|neq: 5", {"f": 4}, True),
        ("f|neq: 5", {"f": "5"}, False),
        ("f|lte: 5", {"f": 5.5}, False),
        ("f|gte: 5", {"f": 4}, False),
        ("f|lte: 5", {"f": "5.0"}, True),
        ("f|neq: 5", {"f": 6}, True),
        ("f|neq: 5", {"f": 5}, False),
        ("f|neq: 5", {"f": 5.0}, False),
    ],
    "Time Modifiers": [
        ("t|minute: 5", MOMENT, True),
        ("t|minute: 6", MOMENT, False),
        ("t|hour: 23", MOMENT, True),  # as written: "not designed to handle timezone conversions"
        ("t|day: 29", MOMENT, True),
        ("t|week: 9", MOMENT, True),
        ("t|month: 2", MOMENT, True),
        ("t|year: 2024", MOMENT, True),
        ("t|hour|gte: 20", MOMENT, True),
        ("t|hour|lt: 20", MOMENT, False),
        ("t|hour: [22, 23]", MOMENT, True),
        ("t|hour|neq: 23", MOMENT, False),
        ("t|hour: 8", {"t": "2024-02-29 08:00"}, True),
        ("t|day: 29", {"t": "2024-02-29"}, True),
        ("t|hour: 0", {"t": "2024-02-29"}, False),
        ("t|day: 30", {"t": "2024-02-30"}, False),
        ("t|year: 2024", {"t": 1709247959}, False),
        ("t|year: 2024", {"t": "in 2024"}, False),
        ("t|year: 2024", {}, False),
        ("t|day: 28", MOMENT, False),
        ("t|week: 8", MOMENT, False),
        ("t|month: 3", MOMENT, False),
        ("t|year: 2023", MOMENT, False),
        ("t|minute|lte: 5", MOMENT, True),
    ],
    "IP (Internet Protocol) Modifiers": [
        ("f|cidr: 10.0.0.0/8", {"f": "10.1.2.3"}, True),
        ("f|cidr: 10.0.0.0/8", {"f": "11.1.2.3"}, False),
        ("f|cidr: 10.0.0.0/8", {"f": "10.1.2.3:80"}, False),
        ("f|cidr: 10.0.0.0/8", {"f": "::ffff:10.1.2.3"}, True),  # the same host, written as IPv6
        ("f|cidr: 192.168.1.128/25", {"f": "192.168.1.129"}, True),
        ("f|cidr: 192.168.1.128/25", {"f": "192.168.1.127"}, False),
        ("f|cidr: 2001:db8::/32", {"f": "2001:DB8:0:0::1"}, True),
        ("f|cidr: 2001:db8::/32", {"f": "2001:db9::1"}, False),
        ("f|cidr: ['10.0.0.0/8', '::1/128']", {"f": ["8.8.8.8", "::1"]}, True),
        ("f|cidr: 0.0.0.0/0", {"f": "host"}, False),
        ("f|cidr: 0.0.0.0/8", {"f": 7}, False),
        ("f|cidr: 10.0.0.0/8", {}, False),
        ("f|cidr|neq: 10.0.0.0/8", {"f": "8.8.8.8"}, True),
    ],
    "Specific Modifiers": [
        ("f|fieldref: g", {"f": "Anna", "g": "ANNA"}, True),
        ("f|fieldref: g", {"f": "Anna", "g": "Bert"}, False),
        ("f|fieldref: g", {"f": 5, "g": "5"}, True),
        ("f|fieldref: g", {"f": "x"}, False),
        ("f|fieldref: g", {}, False),
        ("f|fieldref: g", {"f": None, "g": None}, False),
        ("f|fieldref: g", {"f": ["x", "y"], "g": ["y", "z"]}, True),
        ("f|fieldref|neq: g", {"f": "a", "g": "b"}, True),
        ("f|fieldref|neq: g", {"f": "a", "g": "A"}, False),
        ("f|fieldref|startswith: g", {"f": "Annabel", "g": "anna"}, True),
        ("f|fieldref|endswith: g", {"f": "C:\\a.exe", "g": "A.EXE"}, True),
        ("f|fieldref|endswith: g", {"f": "a.exe.bak", "g": "a.exe"}, False),
        ("f|fieldref|contains: g", {"f": "run a.exe -x", "g": "a.exe"}, True),
        ("f|fieldref|contains: g", {"f": "a*c", "g": "*"}, True),  # no wildcards in events
        ("f|fieldref|contains: g", {"f": "abc", "g": "*"}, False),
        ("f|cased|fieldref: g", {"f": "a", "g": "A"}, False),
    ],
    # metacharacters that the appendix has not, where PCRE and Python agree
    BEYOND: [
        ("f|re: '(?i)B'", {"f": "abc"}, True),
        ("f|re: 'a(?i:B)c'", {"f": "aBc"}, True),
        ("f|re: 'a(?i:B)c'", {"f": "ABc"}, False),
        (r"f|re: '^\d\w\s$'", {"f": "1_\v"}, True),
        (r"f|re: '\d'", {"f": "\u0663"}, False),  # digits are ASCII's, as in PCRE
        (r"f|re: '\bnet\b'", {"f": "run net user"}, True),
        (r"f|re: '\bnet\b'", {"f": "internet"}, False),
        (r"f|re: '^(?!.*good).*bad'", {"f": "bad"}, True),
        (r"f|re: '^(?!.*good).*bad'", {"f": "good bad"}, False),
        (r"f|re: '(ab)\1'", {"f": "abab"}, True),
        (r"f|re: '(?<=a)b'", {"f": "ab"}, True),
        (r"f|re: '[[]x'", {"f": "[x"}, True),
        (r"f|re: 'a\/b'", {"f": "a/b"}, True),
    ],
}


@pytest.mark.parametrize(("item", "document", "expected"), rows(TABLES))
def test_modifier(item: str, document: dict[str, Any], expected: bool) -> None:
    assert matches(selection(item), document) is expected


def modifiers_of(item: str) -> set[str]:
    return {name for line in item.splitlines() for name in line.partition(":")[0].split("|")[1:]}


def test_every_section_and_every_modifier_has_its_rows() -> None:
    assert_complete(TABLES, MODIFIERS)
    for section, names in MODIFIERS.items():
        for name in names:
            if name == "expand":  # "If the tool isn't able to handle placeholders, it must reject the rule"
                assert any(name in modifiers_of(item) for item, _ in REFUSED)
            else:
                assert both_ways(row for row in TABLES[section] if name in modifiers_of(row[0])), name


# item, what the reason says
NOT_OF_2_1 = [
    ("f|re|ignorecase: a", "no modifier `ignorecase` in Sigma 2.1; it is called `i` there"),
    ("f|re|multiline: a", "no modifier `multiline` in Sigma 2.1; it is called `m` there"),
    ("f|re|dotall: a", "no modifier `dotall` in Sigma 2.1; it is called `s` there"),
    ("f|array: a", "no modifier `array` in Sigma 2.1"),
    ("f|any: [a]", "no modifier `any` in Sigma 2.1"),
    ("f|not: a", "no modifier `not` in Sigma 2.1"),
    ("f|RE: a", "no modifier `RE` in Sigma 2.1"),
]


@pytest.mark.parametrize(("item", "reason"), NOT_OF_2_1)
def test_what_is_not_of_sigma_2_1_is_refused_by_its_name(item: str, reason: str) -> None:
    refused = refusal(selection(item))
    assert reason in refused.reason
    assert str(refused.place) == f"rule.yml:{HEAD_LINES + 3}:9"


def test_pysigma_has_no_modifier_that_is_neither_read_nor_refused_by_name() -> None:
    known = {name for names in MODIFIERS.values() for name in names}
    refused = {name for item, _ in NOT_OF_2_1 for name in modifiers_of(item)}
    assert set(modifier_mapping) <= known | refused


# item, what the reason says
REFUSED = [
    ("f|expand: '%servers%'", "there is no list `servers`"),
    ("f|re|expand: '%servers%'", "expand"),
    ("f|all: a", "several values"),
    ("f|all: [a]", "several values"),
    ("f|contains|all: a", "several values"),
    ("f|: a", "no modifier ``"),
    ("f|re: '('", "invalid"),
    ("f|re: '[[:digit:]]'", "POSIX"),
    (r"f|re: 'a\Z'", r"\Z"),
    (r"f|re: '\p{L}'", "invalid"),
    ("f|re: 5", "must be text"),
    ("f|re|startswith: a", "startswith"),
    ("f|re: '(?=(a+)+$)b'", "catastrophic"),
    (r"f|re: '(.*)(.*)(.*)(.*)\1'", "catastrophic"),
    ("f|re|i: '(?=ä)'", "ASCII"),
    ("f|i: a", "incompatible"),
    ("f|cidr: 10.0.0.1/8", "CIDR"),
    ("f|cidr: host", "CIDR"),
    ("f|lt: '5'", "incompatible"),
    ("f|lt: .inf", "Invalid number"),
    ("f|contains: true", "incompatible"),
    ("f|windash: 5", "incompatible"),
    ("f|base64: 5", "incompatible"),
    ("f|exists: 'true'", "incompatible"),
    ("f|contains|exists: true", "incompatible"),
    ("f|hour: 1.5", "whole number"),
    ("f|base64: 'a*'", "wildcards"),
    ("f|wide: ä", "ascii"),
    ("f|fieldref: 'a*'", "wildcards"),
    ("f|startswith|fieldref: g", "wildcards"),
    ("f|windash: ' -a -b -c -d'", "three"),
    ("f: []", "empty"),
    ("f: {a: b}", "not a map"),
    ("f: [[a]]", "not a list"),
    ("f: 2024-01-01", "not a date"),
    ("'|exists': true", "field"),
    ("'|lt': 5", "needs a field"),
    ("'|fieldref': f", "needs a field"),
    ("'|contains': null", "field"),
]


@pytest.mark.parametrize(("item", "reason"), REFUSED)
def test_what_cannot_be_exact_is_refused(item: str, reason: str) -> None:
    refused = refusal(selection(item))
    assert reason in refused.reason
    assert refused.place.line == HEAD_LINES + 3
    assert refused.place.path == "rule.yml"


def test_the_place_is_the_value_in_a_list() -> None:
    refused = refusal(selection("f|re:\n    - a\n    - b\n    - '(c'"))
    assert (refused.place.line, refused.place.column) == (HEAD_LINES + 6, 15)
