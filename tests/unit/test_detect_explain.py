"""Explanations: the outcome of every node, in words, with the field of the event that was looked at."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from strategies import cases
from streams.detect.evaluate import Test, compile_test
from streams.detect.event_view import EventView
from streams.detect.explain import Explanation, Looked, explain
from streams.detect.failure import failure_reason
from streams.detect.fields import MAPPINGS, NONE
from streams.detect.load import loads
from streams.detect.ruleset import applies
from streams.detect.tree import Node
from streams.event import Event, Fields, LogSource, Origin, flatten
from streams.safe_regex import TextTooLongError

TOO_LONG = failure_reason(TextTooLongError())

RULE = "title: A rule\nlogsource: {{product: test}}\ndetection:\n    sel: {sel}\n    condition: sel\n"
LONG = "x" * 5000


def event(fields: Fields) -> Event:
    return Event("e", 0, fields, Origin("test", "stream", 0, 0))


def condition(sel: str) -> Node:
    book = loads(RULE.format(sel=sel))
    assert not book.refused, book.refused
    return book.detections[0].condition


def explained(sel: str, document: dict[str, Any], mapping: str = "none") -> Explanation:
    return explain(condition(sel), event(flatten(document)), MAPPINGS[mapping])


# the one item of a selection, its kind, its words
WORDS = [
    ("f: a", "text", 'f is "a"'),
    ("f: ''", "text", "f is empty"),
    ("f: '*'", "text", "f has any value"),
    ("f: 4663", "text", 'f is "4663"'),
    ("f: true", "text", 'f is "true"'),
    ("f|contains: a", "text", 'f contains "a"'),
    ("f|startswith: a", "text", 'f starts with "a"'),
    (r"f|endswith: '\a.exe'", "text", r'f ends with "\a.exe"'),
    (r"f: 'a*b?\*\\*'", "text", r'f is like "a*b?\*\\*"'),
    ("f|cased: A", "text", 'f is "A", letters as they are'),
    ("f: null", "null", "f is null or absent"),
    ("f|exists: true", "exists", "f exists"),
    ("f|exists: false", "exists", "f does not exist"),
    ("f|gte: 5", "compare", "f ≥ 5"),
    ("f|lt: 1.5", "compare", "f < 1.5"),
    ("f|hour: 5", "timepart", "the hour of f = 5"),
    ("f|week|gt: 5", "timepart", "the week of f > 5"),
    ("f|re|i: ^a+$", "regex", "f matches /^a+$/i"),
    ("f|cidr: 10.0.0.0/8", "cidr", "f is in 10.0.0.0/8"),
    ("f|fieldref: g", "reference", "f is what g is"),
    ("f|fieldref|endswith: g", "reference", "f ends with what g is"),
    ("'|cased': A", "text", 'any value of the event contains "A", letters as they are'),
    ("'|re': a", "regex", "any value of the event matches /a/"),
]


@pytest.mark.parametrize(("item", "kind", "words"), WORDS)
def test_an_atom_in_words(item: str, kind: str, words: str) -> None:
    found = explained(f"{{{item}}}", {})
    assert (found.kind, found.words) == (kind, words)


# selection, document, mapping, what was looked at
LOOKED = [
    ("{f: a}", {"f": "b"}, "none", [Looked("f", "f", ("b",))]),
    ("{f: a}", {"f": [1, None, "b"]}, "none", [Looked("f", "f", (1, None, "b"))]),
    ("{f: a}", {"f": None}, "none", [Looked("f", "f")]),
    ("{f: a}", {"g": "a"}, "none", [Looked("f", None)]),
    ("{f|exists: true}", {"f": {"g": 1}}, "none", [Looked("f", "f.*")]),
    (
        "{EventID: 1}",
        {"winlog.event_id": 1, "event.code": 2},
        "windows",
        [Looked("EventID", "winlog.event_id", (1,))],
    ),
    ("{EventID: 1}", {"event.code": "1"}, "windows", [Looked("EventID", "event.code", ("1",))]),
    ("{f|fieldref: g}", {"f": 1}, "none", [Looked("f", "f", (1,)), Looked("g", None)]),
    (
        "[a]",
        {"f": "xax", "g": "b", "h": ["b", "a"]},
        "none",
        [Looked(None, "f", ("xax",)), Looked(None, "h", ("b", "a"))],
    ),
    ("[a]", {"f": "b", "outfall.subjects.id": "a"}, "none", []),
]


@pytest.mark.parametrize(("sel", "document", "mapping", "looked"), LOOKED)
def test_what_was_looked_at(sel: str, document: dict[str, Any], mapping: str, looked: list[Looked]) -> None:
    assert list(explained(sel, document, mapping).looked) == looked


def test_every_node_has_its_outcome() -> None:
    found = explained("{a: [1, 2], b|neq: 3}", {"a": 2, "b": 3})
    assert (found.kind, found.true) == ("and", False)
    one, other = found.parts
    assert (one.kind, one.true, [part.true for part in one.parts]) == ("or", True, [False, True])
    assert (other.kind, other.true, [part.true for part in other.parts]) == ("not", False, [True])


@pytest.mark.parametrize(
    ("sel", "document", "expected", "failed"),
    [
        ("{f|re: '(?!y)x+y'}", {"f": LONG}, None, TOO_LONG),
        ("{f|re|neq: '(?!y)x+y'}", {"f": LONG}, None, TOO_LONG),
        ("{a: 1, f|re: '(?!y)x+y'}", {"f": LONG}, False, None),  # decided without it
        ("{a: 1, f|re: '(?!y)x+y'}", {"f": LONG, "a": 1}, None, TOO_LONG),
        ("[{a: 1}, {f|re: '(?!y)x+y'}]", {"f": LONG, "a": 1}, True, None),
        ("[{f|re: '(?!y)x+y'}, {a: 1}]", {"f": LONG, "a": 1}, True, None),
    ],
)
def test_an_atom_that_raises(
    sel: str, document: dict[str, Any], expected: bool | None, failed: str | None
) -> None:
    found = explained(sel, document)
    assert (found.true, found.failed) == (expected, failed)


@pytest.mark.parametrize(
    ("wanted", "sources", "expected"),
    [
        (None, [], True),
        (LogSource(product="windows"), [], False),
        (LogSource(product="windows"), [LogSource("x", "WINDOWS", "y")], True),
        (LogSource("a", "b"), [LogSource("a"), LogSource(product="b")], False),
    ],
)
def test_a_log_source_applies(wanted: LogSource | None, sources: list[LogSource], expected: bool) -> None:
    assert applies(wanted, sources) is expected


def outcome(test: Test, one: Event) -> tuple[bool | None, str | None]:
    try:
        return test(EventView(one)), None
    except ValueError as error:
        return None, type(error).__name__


@settings(max_examples=100)
@given(cases())
def test_the_outcome_is_that_of_the_evaluator(case: tuple[str, list[Fields]]) -> None:
    text, documents = case
    for detection in loads(text).detections:
        for mapping in (NONE, MAPPINGS["windows"]):
            test = compile_test(detection.condition, mapping)
            for document in documents:
                found = explain(detection.condition, event(document), mapping)
                assert (found.true, found.failed) == outcome(test, event(document))
