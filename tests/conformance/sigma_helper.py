"""Builds rules and events for the tables of the Sigma conformance tests."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import Any

from streams.correlate.correlator import Correlator
from streams.correlate.severity import SeverityTable
from streams.detect import fields
from streams.detect.load import RuleBook, loads
from streams.detect.ruleset import RuleSet
from streams.errors import Refusal
from streams.event import NANOSECONDS, Event, LogSource, Origin, flatten

HEAD = "title: A rule\nlogsource:\n    product: test\n"
HEAD_LINES = HEAD.count("\n")
TEST_SOURCE = LogSource(product="test")


def event(document: dict[str, Any], *logsources: LogSource) -> Event:
    return Event(
        id="1",
        time=0,
        fields=flatten(document),
        origin=Origin("test", "stream", 0, 0),
        logsources=logsources or (TEST_SOURCE,),
    )


def rule(detection: str) -> str:
    """Complete what stands below `detection:` to a rule."""
    return f"{HEAD}detection:\n{textwrap.indent(textwrap.dedent(detection).strip(), '    ')}\n"


def selection(item: str) -> str:
    """Complete `field|modifier: value` to a rule."""
    return rule(f"sel:\n{textwrap.indent(textwrap.dedent(item).strip(), '    ')}\ncondition: sel")


def book(text: str) -> RuleBook:
    """Load rules of which none may be refused."""
    loaded = loads(text, "rule.yml")
    assert not loaded.refused, [str(refusal) for refusal in loaded.refused]
    return loaded


def matches(text: str, document: dict[str, Any]) -> bool:
    """Tell whether the one rule matches a document whose fields are named as the rule names them."""
    return bool(matched(text, document))


def matched(text: str, document: dict[str, Any]) -> list[str]:
    """Give the ids of the rules that match."""
    rules = RuleSet(book(text), ignore_logsource=True, mapping=fields.NONE)
    found, failures = rules.match([event(document)])
    assert not failures
    return [match.rule.id for match in found]


def firings(text: str, seen: list[tuple[int, dict[str, Any]]]) -> list[tuple[str, int, float]]:
    """Give which correlation fired at which second with which value, over documents at their seconds."""
    loaded = book(text)
    rules = RuleSet(loaded, ignore_logsource=True, mapping=fields.NONE)
    correlator = Correlator(loaded.rules, loaded.correlations, SeverityTable(), keep_firings=True)
    for index, (second, document) in enumerate(seen):
        one = dataclasses.replace(event(document), id=str(index), time=second * NANOSECONDS)
        found, failures = rules.match([one])
        assert not failures
        correlator.apply(one, [match.rule for match in found], -(2**62))
    correlator.conclude()
    return sorted(
        (found.correlation.rule.label, found.time // NANOSECONDS, found.value)
        for found in correlator.firings()
        if found.correlation.timespan
    )


def refusal(text: str) -> Refusal:
    """Give the one refusal of a text in which no other rule compiles."""
    loaded = loads(text, "rule.yml")
    assert not loaded.rules
    assert len(loaded.refused) == 1, [str(one) for one in loaded.refused]
    return loaded.refused[0]
