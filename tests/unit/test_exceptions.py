"""Exceptions and lists as code: what they leave out, until when, and what is told of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.alert import Alert
from streams.correlate.severity import SeverityTable
from streams.detect.load import RuleBook, loads
from streams.detect.ruleset import RuleSet
from streams.event import NANOSECONDS, Origin, RawRecord, rfc3339
from streams.normalise import FORMATS
from streams.pipeline import Pipeline
from streams.rule import SHADOW
from streams.rulebook.expiry import expiries
from streams.sinks.alert_document import document
from streams.stages.reader import Source

RULES = """\
title: A list goes out
id: 4c8f5a30-6a58-4a5b-b3a6-0f1f0a5c1a01
name: list_out
logsource: {category: egress, product: outfall}
detection: {out: {action: sent}, condition: out}
---
title: Another thing happens
name: other
logsource: {category: egress, product: outfall}
detection: {other: {action: other}, condition: other}
---
title: Many people
name: many
correlation:
  type: value_count
  rules: [list_out]
  group-by: [who]
  timespan: 10s
  condition: {gte: 3, field: person}
---
title: Many, then another thing
name: then
correlation:
  type: temporal_ordered
  rules: [many, other]
  generate: true
  aliases: {actor: {many: who, other: name}}
  group-by: [actor]
  timespan: 30s
---
title: Single
name: single
logsource: {category: egress, product: outfall}
detection: {one: {person: p1}, condition: one}
level: high
outfall: {group_by: [who]}
"""
EXCEPTION = """\
---
title: The approved job
name: approved_job
logsource: {category: egress, product: outfall}
filter:
  rules: [list_out, single]
  job: {to: approved.example}
  condition: not job
outfall: {owner: head of payroll, reason: decision 7, expires: 2026-03-02}
"""
LIST = """\
---
list: watched
owner: security
reason: incident 3
expires: 2026-03-02
values: [bad.example, "*.worse.example", 7]
"""
END = int(dt.datetime(2026, 3, 3, tzinfo=dt.UTC).timestamp())
"""The second at which the exception and the list end."""
SEVERITY = SeverityTable()


@cache
def loaded(text: str) -> RuleBook:
    book = loads(text)
    assert not book.refused
    return book


def alerts(text: str, events: Sequence[dict[str, Any]]) -> list[Alert]:
    """Run events, each with its second as `at`, through the pipeline."""
    book = loaded(text)
    pipeline = Pipeline(
        [Source("s", FORMATS["ecs"])], RuleSet(book, ignore_logsource=True), book, None, SEVERITY
    )
    records = []
    for line, event in enumerate(sorted(events, key=lambda one: one["at"])):
        fields = {key: value for key, value in event.items() if key != "at"}
        fields["@timestamp"] = rfc3339(event["at"] * NANOSECONDS)
        records.append(RawRecord(orjson.dumps(fields), Origin("s", "f", line, line)))
    outcome = pipeline.process(records)
    assert not outcome.dead_letters
    latest = {alert.id: alert for alert in (*outcome.alerts, *pipeline.finish().alerts)}
    return [*latest.values()]


def said(found: Sequence[Alert]) -> list[tuple[Any, ...]]:
    """Give what two runs must have in common, whatever the ids."""
    return sorted(
        (a.rule.name, sorted(map(str, a.group.items())), a.first, a.last, a.firings, a.observed, _ids(a))
        for a in found
    )


def _ids(alert: Alert) -> list[str]:
    return sorted(each.id for each in alert.evidence)


EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(END - 20, END + 20),
            "action": st.sampled_from(["sent", "sent", "other"]),
            "who": st.sampled_from(["ann", "bob"]),
            "name": st.sampled_from(["ann", "bob"]),
            "person": st.sampled_from(["p1", "p2", "p3", "p4"]),
            "to": st.sampled_from(["approved.example", "elsewhere.example"]),
        }
    ),
    max_size=25,
    unique_by=lambda event: event["at"],
)


@given(EVENTS)
def test_what_is_excepted_is_as_if_it_were_not_there_and_told_none_the_less(
    events: list[dict[str, Any]],
) -> None:
    events = [event | {"event.id": str(event["at"])} for event in events]
    excepted = {e["event.id"] for e in events if e["to"] == "approved.example" and e["at"] < END}
    found = alerts(RULES + EXCEPTION, events)
    # The rule about another thing is not excepted, so that its events stay.
    left = [e for e in events if e["event.id"] not in excepted or e["action"] == "other"]
    left = [e | {"person": "nobody"} if e["event.id"] in excepted else e for e in left]
    assert said([a for a in found if not a.suppressed_by]) == said(alerts(RULES, left))
    without = [
        a
        for a in alerts(RULES, events)
        if a.rule.name in ("many", "then", "single") and covers(a, events, excepted)
    ]
    suppressed = [a for a in found if a.suppressed_by]
    assert said(suppressed) == said(without)
    assert all(a.suppressed_by == ["approved_job"] and not a.pages for a in suppressed)


def covers(alert: Alert, events: list[dict[str, Any]], excepted: set[str]) -> bool:
    """Tell whether an alert rests on an event that its rule is true of but for the exception."""
    about = {
        rfc3339(e["at"] * NANOSECONDS)
        for e in events
        if e["event.id"] in excepted
        and (e["person"] == "p1" if alert.rule.name == "single" else e["action"] == "sent")
    }
    return any(each.time in about for each in alert.evidence)


def sent(at: int, **fields: Any) -> dict[str, Any]:
    return {
        "at": at,
        "action": "sent",
        "who": "ann",
        "person": ["p2", "p3", "p4"],
        "to": "approved.example",
        **fields,
    }


def test_a_suppressed_alert_says_by_what_and_pages_nobody() -> None:
    (found,) = alerts(RULES + EXCEPTION, [sent(END - 5)])
    assert found.suppressed_by == ["approved_job"]
    assert found.pages == 0
    assert found.rule.name == "many"
    assert SHADOW not in found.rule.id
    assert found.reason.endswith("Suppressed by the exception approved_job.")
    assert found.evidence[0].marks == ["excepted:approved_job:list_out"]
    indexed = document(found)
    assert (indexed["event"]["kind"], indexed["outfall"]["open"]) == ("event", False)


def test_an_exception_ends_with_its_last_day() -> None:
    before, after = alerts(RULES + EXCEPTION, [sent(END - 86_400), sent(END)])
    assert (before.suppressed_by, after.suppressed_by) == (["approved_job"], [])


def test_a_filter_without_an_expiry_is_a_part_of_the_rule() -> None:
    text = RULES + EXCEPTION.partition("outfall:")[0]
    assert alerts(text, [sent(END - 5)]) == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("owner: head of payroll, ", "", "outfall.owner"),
        ("reason: decision 7, ", "", "outfall.reason"),
        (", expires: 2026-03-02", "", "outfall.expires"),
        ("expires: 2026-03-02", "expires: soon", "outfall.expires"),
        ("owner: head of payroll", 'owner: ""', "outfall.owner"),
        ("owner: head of payroll", "owner: a, page: false", "outfall.page"),
    ],
)
def test_an_exception_names_who_answers_for_it_and_until_when(old: str, new: str, reason: str) -> None:
    book = loads(RULES + EXCEPTION.replace(old, new))
    (refused,) = book.refused
    assert reason in refused.reason
    assert refused.place.line >= 35
    assert not book.mandates
    assert not book.shadow_detections


def rule(key: str, value: str) -> str:
    return f"""\
title: Watched
name: watched_place
logsource: {{category: egress, product: outfall}}
detection: {{place: {{"{key}": {value}}}, condition: place}}
"""


def fires(key: str, value: str, event: dict[str, Any], at: int = END - 1) -> bool:
    return bool(alerts(rule(key, value) + LIST, [{"at": at, **event}]))


@pytest.mark.parametrize(
    ("key", "value", "event", "expected"),
    [
        ("to|expand", "'%watched%'", {"to": "bad.example"}, True),
        ("to|expand", "'%watched%'", {"to": "BAD.example"}, True),
        ("to|expand", "'%watched%'", {"to": "x.worse.example"}, True),
        ("to|expand", "'%watched%'", {"to": 7}, True),
        ("to|expand", "'%watched%'", {"to": "a.bad.example"}, False),
        ("to|endswith|expand", "'@%watched%'", {"to": "a@bad.example"}, True),
        ("to|endswith|expand", "'@%watched%'", {"to": "bad.example"}, False),
        ("to|contains|expand", "['x%watched%', '%watched%y']", {"to": "--bad.exampley"}, True),
        ("to|contains|expand", "['x%watched%', '%watched%y']", {"to": "bad.example"}, False),
        ("to|cased|expand", "'%watched%'", {"to": "BAD.example"}, False),
    ],
)
def test_a_list_stands_for_its_values(key: str, value: str, event: dict[str, Any], expected: bool) -> None:
    assert fires(key, value, event) is expected
    assert not fires(key, value, event, at=END)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("to|expand", "'%unknown%'", "there is no list `unknown`"),
        ("to|expand", "bad.example", "names one list"),
        ("to|expand", "'%watched%%watched%'", "names one list"),
        ("to|expand", "7", "names one list"),
        ("to|expand|all", "['%watched%', '%watched%']", "`expand` cannot be combined with all"),
        ("to|re|expand", "'%watched%'", "`expand` cannot be combined with re"),
        ("to|gt|expand", "'%watched%'", ""),
        ("to|nonsense|expand", "'%watched%'", "no modifier `nonsense`"),
    ],
)
def test_what_cannot_be_expanded_is_refused(key: str, value: str, reason: str) -> None:
    (refused,) = loads(rule(key, value) + LIST).refused
    assert reason in refused.reason
    assert (refused.place.line, refused.place.column > 1) == (4, True)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("list: watched", "list: wat ched", "a list's name"),
        ("list: watched", "list: 5", "a list's name"),
        ("owner: security\n", "", "owner"),
        ("expires: 2026-03-02\n", "", "expires"),
        ("values: [", "value: [", "`value` is not part of a list"),
        ('values: [bad.example, "*.worse.example", 7]', "values: []", "at least one"),
        ("7]", "[7]]", "a value of a list is text or a number"),
        ("7]", "true]", "a value of a list is text or a number"),
        ("---", LIST + "---", "the list `watched` stands at"),
    ],
)
def test_a_list_that_is_not_as_it_must_be_is_refused(old: str, new: str, reason: str) -> None:
    refused = loads(RULES + LIST.replace(old, new)).refused
    assert any(reason in one.reason for one in refused)


def test_what_has_expired_what_soon_will_and_what_nobody_uses() -> None:
    book = loads(RULES + EXCEPTION + LIST, "book.yml")
    days = {0: ["expiring"] * 2, 1: ["expired"] * 2, -30: ["expiring"] * 2, -31: []}
    for later, checks in days.items():
        found = expiries(book, dt.date(2026, 3, 2) + dt.timedelta(days=later))
        assert [one.check for one in found] == [*checks, "unused-list"]
        assert all(one.warns is (one.check == "expiring") for one in found)
    assert str(found[-1]) == "book.yml:47:1: no rule refers to the list watched"


def test_a_list_may_stand_after_the_rule_that_refers_to_it_and_is_then_used() -> None:
    book = loads(rule("to|expand", "'%watched%'") + LIST)
    assert not book.unused_lists
    assert [one.name for one in book.lists] == ["watched"]
