"""A batch of events in, matches out: which rules apply, in which order, under which names, and failures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.detect.failure import failure_reason
from streams.detect.fields import MAPPINGS, mapping_for
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.event import Event, LogSource, Origin, flatten
from streams.normalise.base import Context
from streams.normalise.o365_audit import O365Audit
from streams.rule import Match, RuleFailure
from streams.safe_regex import TextTooLongError

TOO_LONG = failure_reason(TextTooLongError())

RULE = """
title: {id}
id: {id}
logsource: {logsource}
detection:
    sel: {selection}
    condition: sel
"""


def rules(**each: tuple[str, str]) -> str:
    """Make rules, id = (log source, selection)."""
    return "---".join(
        RULE.format(id=name, logsource=logsource, selection=selection)
        for name, (logsource, selection) in each.items()
    )


def event(document: dict[str, Any], *logsources: LogSource, name: str = "e") -> Event:
    return Event(name, 0, flatten(document), Origin("test", "stream", 0, 0), logsources)


def ids(text: str, *events: Event, **options: Any) -> list[tuple[int, str]]:
    book = loads(text)
    assert not book.refused
    matches, failures = RuleSet(book, **options).match(events)
    assert not failures
    return [(match.event, match.rule.id) for match in matches]


WINDOWS = LogSource("process_creation", "windows", "sysmon")

# Sigma 2.1, "LogSource": the rule's log source, those of the event, does it apply
LOGSOURCES = [
    ("{product: windows}", [WINDOWS], True),
    ("{product: Windows, service: SYSMON}", [WINDOWS], True),
    ("{category: process_creation, product: windows}", [WINDOWS], True),
    ("{product: windows, service: security}", [WINDOWS], False),
    ("{product: linux}", [WINDOWS], False),
    ("{category: proxy}", [WINDOWS, LogSource("proxy")], True),
    ("{category: proxy, product: windows}", [WINDOWS, LogSource("proxy")], False),  # of no one source
    ("{category: proxy}", [LogSource(product="squid")], False),
    ("{category: proxy}", [], False),
    ("{product: windows, definition: anything}", [WINDOWS], True),
]


@pytest.mark.parametrize(("wanted", "logsources", "expected"), LOGSOURCES)
def test_a_rule_applies_by_its_log_source(wanted: str, logsources: list[LogSource], expected: bool) -> None:
    text = rules(r=(wanted, "{a: 1}"))
    assert ids(text, event({"a": 1}, *logsources)) == ([(0, "r")] if expected else [])
    assert ids(text, event({"a": 1}, *logsources), ignore_logsource=True) == [(0, "r")]


def test_matches_stand_by_event_then_in_the_order_of_the_book() -> None:
    source = "{product: windows}"
    text = rules(z=(source, "{a: 1}"), y=(source, "{b: 1}"), x=(source, "{a: 1}"))
    events = [event(one, WINDOWS) for one in ({"b": 1, "a": 1}, {}, {"a": 1})]
    assert ids(text, *events) == [(0, "z"), (0, "y"), (0, "x"), (2, "z"), (2, "x")]
    assert ids(text) == []


def test_many_log_sources_are_no_trouble() -> None:
    text = rules(r=("{product: windows}", "{a: 1}"))
    events = [event({"a": 1}, LogSource(product=f"p{number}")) for number in range(3000)]
    assert ids(text, *events, event({"a": 1}, WINDOWS)) == [(3000, "r")]


def test_a_rule_that_fails_is_reported_and_the_others_run() -> None:
    text = rules(
        good=("{product: windows}", "{a|contains: x}"),
        bad=("{product: windows}", "{a|re: '(?!y)x+y'}"),
        late=("{product: windows}", "{a|endswith: x}"),
    )
    book = loads(text)
    secret = "x" * 1_000_000
    events = [event({"a": secret}, WINDOWS, name="first"), event({"a": "xx"}, WINDOWS, name="second")]
    matches, failures = RuleSet(book).match(events)
    good, bad, late = (detection.rule for detection in book.detections)
    assert matches == [Match(0, good), Match(0, late), Match(1, good), Match(1, late)]
    assert failures == [RuleFailure(bad, "first", TOO_LONG)]


def test_keywords_are_not_found_in_what_is_ours() -> None:
    text = rules(r=("{product: windows}", "[beef]"))
    ours = {"outfall.subjects.id": ["01beef"], "event.id": "beef01", "a": "x"}
    assert ids(text, event(ours, WINDOWS, name="beef01")) == []
    assert ids(text, event({"event.id": "beef01"}, WINDOWS, name="other")) == [(0, "r")]


# the rule's log source, its selection, the event's fields
MAPPED = [
    ("{product: windows}", "{EventID: 4663}", {"winlog.event_id": 4663}),
    ("{product: windows}", "{EventID: 4663}", {"event.code": "4663"}),
    ("{product: windows, service: security}", "{Provider_Name: P}", {"winlog.provider_name": "p"}),
    ("{product: windows}", "{Channel: Security}", {"winlog.channel": "Security"}),
    ("{product: windows}", "{Computer|endswith: local}", {"winlog.computer_name": "a.local"}),
    ("{product: windows}", "{SubjectUserName: anna}", {"winlog.event_data.SubjectUserName": "Anna"}),
    ("{product: windows}", "{User|fieldref: Owner}", {"winlog.event_data": {"User": "a", "Owner": "A"}}),
    ("{product: windows}", "{Image|exists: true}", {"winlog.event_data.Image": None}),
    ("{product: windows}", "{Image|re: x$}", {"winlog.event_data.Image": "x"}),
    ("{product: windows}", "{Ip|cidr: 10.0.0.0/8}", {"winlog.event_data.Ip": "10.0.0.1"}),
    ("{product: windows}", "{Size|gt: 5}", {"winlog.event_data.Size": "6"}),
    ("{product: windows}", "{When|year: 2026}", {"winlog.event_data.When": "2026-01-01"}),
    ("{category: proxy}", "{c-uri|contains: /up}", {"url.full": "https://a.example/up"}),
    ("{category: proxy}", "{c-uri: 'a.example:443'}", {"url.original": "a.example:443"}),
    ("{category: proxy}", "{cs-method: POST}", {"http.request.method": "POST"}),
    ("{category: proxy}", "{cs-host|endswith: .example}", {"url.domain": "a.example"}),
    ("{category: proxy}", "{r-dns: a.example}", {"url.domain": "a.example"}),
    ("{category: proxy}", "{c-useragent: x}", {"user_agent.original": "x"}),
    (
        "{category: proxy}",
        "{sc-status: 200, cs-bytes|gt: 9}",
        {"http.response.status_code": 200, "http.request.bytes": 10},
    ),
    ("{category: proxy}", "{dst_ip: 192.0.2.1}", {"destination.ip": "192.0.2.1"}),
    ("{category: proxy}", "{c-uri-extension: zip}", {"url.extension": "zip"}),
    ("{category: webserver}", "{cs-uri-query|contains: id=}", {"url.query": "id=1"}),
    (
        "{product: m365, service: audit}",
        "{Operation: Send, Workload: Exchange}",
        {"o365.audit": {"Operation": "Send", "Workload": "Exchange"}},
    ),
    ("{product: m365}", "{ResultStatus: Succeeded}", {"o365.audit.ResultStatus": "Succeeded"}),
    (
        "{product: m365, service: threat_management}",
        "{eventSource: SecurityComplianceCenter, eventName: 'Risky sign-in', status: success}",
        {
            "event.provider": "SecurityComplianceCenter",
            "event.action": "Risky sign-in",
            "event.outcome": "success",
        },
    ),
    ("{product: google_workspace}", "{visibility: shared}", {"google_workspace.drive.visibility": "shared"}),
    ("{product: gcp, service: google_workspace.admin}", "{eventName: X}", {"event.action": "X"}),
    ("{product: outfall}", "{outfall.egress: true}", {"outfall.egress": True}),
]


@pytest.mark.parametrize(("logsource", "selection", "fields"), MAPPED)
def test_fields_go_by_the_rules_log_source(logsource: str, selection: str, fields: dict[str, Any]) -> None:
    text = rules(r=(logsource, selection))
    assert ids(text, event(fields), ignore_logsource=True) == [(0, "r")]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, [(0, "r")]),
        ({"ResultStatus": "Failed"}, []),
        ({"Operation": "Another"}, []),
        ({"Workload": "Exchange"}, []),
    ],
)
def test_an_audit_record_is_threat_management(changed: dict[str, str], found: list[tuple[int, str]]) -> None:
    text = rules(
        r=(
            "{product: m365, service: threat_management}",
            "{eventSource: SecurityComplianceCenter, eventName: 'Risky sign-in', status: success}",
        )
    )
    record = {
        "CreationTime": "2026-03-02T09:00:00",
        "RecordType": 98,
        "Operation": "Risky sign-in",
        "Workload": "SecurityComplianceCenter",
        **changed,
    }
    parsed = O365Audit().parse(json.dumps(record), Context(received=0))
    assert ids(text, event(dict(parsed.fields), *parsed.logsources)) == found


def test_a_field_by_its_sigma_name_counts_first() -> None:
    text = rules(r=("{product: windows}", "{Image: mapped}"))
    fields = {"Image": "literal", "winlog.event_data.Image": "mapped"}
    assert ids(text, event(fields), ignore_logsource=True) == []


def test_a_mapping_may_be_given_for_all_rules() -> None:
    text = rules(r=("{category: anything}", "{EventID: 1}"))
    mapped = event({"winlog.event_id": 1})
    assert ids(text, mapped, ignore_logsource=True, mapping=MAPPINGS["windows"]) == [(0, "r")]
    assert ids(text, mapped, ignore_logsource=True, mapping=MAPPINGS["none"]) == []
    assert ids(text, mapped, ignore_logsource=True) == []


def test_null_is_asked_of_all_names() -> None:
    text = rules(r=("{product: windows}", "{Image: null}"))
    assert ids(text, event({"winlog.event_data.Image": "x"}), ignore_logsource=True) == []
    assert ids(text, event({"winlog.event_data.Other": "x"}), ignore_logsource=True) == [(0, "r")]


def test_no_log_source_means_no_mapping() -> None:
    assert mapping_for(None).names_for("EventID") == ("EventID",)
    assert mapping_for(LogSource("Proxy")).names_for("cs-method") == ("cs-method", "http.request.method")
