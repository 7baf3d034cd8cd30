"""Rule files damaged at random: read or refused with a place, never a crash, and what is read is exact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reference import as_events, engine, reference
from strategies import events, rules
from streams.correlate.correlator import Correlator
from streams.correlate.severity import SeverityTable
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.event import Fields

CORRELATION = """
title: Several
id: several
correlation:
    type: value_count
    rules: [r]
    group-by: [user.name]
    timespan: 5m
    aliases: {x: {r: a}}
    condition: {gte: 2, field: x}
---
title: Narrower
id: narrower
logsource: {product: test}
filter: {rules: [r], sel: {a: 1}, condition: not sel}
"""
PIECES = (
    *"|:-[]{}'\"*?&!#%@`,>\\\n\t\0 01",
    "\n    ",
    "---\n",
    "not ",
    " and ",
    "(",
    ")",
    "1 of ",
    "all of them",
    "|re",
    "|all",
    "|cidr",
    "|base64offset|contains",
    "null",
    "true",
    "1e999",
    "&x ",
    "*x",
    "<<: *x",
    "(a+)+$",
    "[" * 40,
    "x" * 1000,
    "9" * 400,
    "\ufeff",
    "\ud800",
    "timespan: 0s",
    "condition: not several",
    "type: temporal_ordered",
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Give a rule file with some of it taken out, repeated, or replaced."""
    text = draw(rules()) + "---\n" + CORRELATION
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 0, 1, 3, 20))))
        text = text[:start] + draw(st.sampled_from(("", text[start:end] * 2, *PIECES))) + text[end:]
    return text


@given(damaged(), st.lists(events(), max_size=3))
def test_a_damaged_file_is_read_or_refused(text: str, many: list[Fields]) -> None:
    book = loads(text)
    assert all(refusal.reason and refusal.place.path for refusal in book.refused)
    Correlator(book.rules, book.correlations, SeverityTable())
    compiled = RuleSet(book, ignore_logsource=True)
    assert engine(compiled, as_events(many)) == reference(book, as_events(many))
