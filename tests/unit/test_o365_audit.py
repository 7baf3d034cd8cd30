"""Microsoft 365's unified audit, bare and wrapped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.errors import RecordError
from streams.event import LogSource
from streams.normalise.base import Context, Parsed
from streams.normalise.o365_audit import O365Audit

FORMAT = O365Audit()
ITEM = "7D0E1A2B-3C4D-4E5F-8091-A2B3C4D5E6F7"
IDENTITY = f"sharepoint:{ITEM.lower()}"
URL = "https://council.sharepoint.example/sites/care/list.xlsx"
FILE = {
    "ObjectId": URL,
    "SourceFileName": "List.xlsx",
    "SourceFileExtension": "xlsx",
    "SourceRelativeUrl": "Shared Documents",
    "ListItemUniqueId": ITEM,
}


def record(operation: str, kind: int = 6, workload: str = "SharePoint", **more: Any) -> dict[str, Any]:
    return {
        "CreationTime": "2026-03-02T09:00:00",
        "Id": "6F1C2B7A-0000-4000-8000-000000000001",
        "Operation": operation,
        "RecordType": kind,
        "Workload": workload,
        "UserId": "j.smith@council.example",
    } | more


def parse(document: dict[str, Any]) -> Parsed:
    line = json.dumps(document)
    assert FORMAT.recognises(line)
    return FORMAT.parse(line, Context(received=0))


def held(parsed: Parsed, expected: dict[str, Any]) -> dict[str, Any]:
    return {name: parsed.fields.get(name) for name in expected}


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda inner: inner, id="bare"),
        pytest.param(lambda inner: {"o365audit": inner, "event": {"kind": "event"}}, id="filebeat"),
        pytest.param(lambda inner: {"event": {"original": json.dumps(inner)}}, id="original"),
        pytest.param(lambda inner: {"message": json.dumps(inner)}, id="message"),
        pytest.param(lambda inner: {"RecordType": 6, "AuditData": json.dumps(inner)}, id="search as text"),
        pytest.param(lambda inner: {"Identity": "x", "AuditData": inner}, id="search"),
        pytest.param(lambda inner: {"id": "x", "auditData": inner}, id="graph"),
    ],
)
def test_every_wrapping_gives_the_same_event(wrap: Any) -> None:
    parsed = parse(wrap(record("FileAccessed", ClientIP="[::ffff:203.0.113.9]:51514", **FILE)))
    assert parsed.time == 1_772_442_000_000_000_000
    assert parsed.id == "6f1c2b7a-0000-4000-8000-000000000001"
    assert parsed.logsources == (LogSource(None, "m365", "audit"),)
    expected = {
        "event.action": "FileAccessed",
        "event.code": "SharePointFileOperation",
        "event.provider": "SharePoint",
        "event.outcome": "success",
        "user.name": "j.smith",
        "user.email": "j.smith@council.example",
        "source.ip": "203.0.113.9",
        "url.full": URL,
        "file.name": "List.xlsx",
        "file.extension": "xlsx",
        "outfall.channel": "file",
        "o365.audit.Operation": "FileAccessed",
    }
    assert held(parsed, expected) == expected


@pytest.mark.parametrize(
    ("operation", "name", "value", "targets"),
    [
        (
            "New-InboxRule",
            "ForwardTo",
            '"Me" [SMTP:me@home.example];smtp:b@c.example',
            ["me@home.example", "b@c.example"],
        ),
        ("Set-InboxRule", "RedirectTo", "O'Brien <o'brien@home.example>", ["o'brien@home.example"]),
        (
            "New-InboxRule",
            "ForwardAsAttachmentTo",
            ["me@home.example", "me@home.example"],
            ["me@home.example"],
        ),
        ("Set-Mailbox", "ForwardingSmtpAddress", "smtp:me@home.example", ["me@home.example"]),
        ("New-TransportRule", "BlindCopyTo", "me@home.example", ["me@home.example"]),
        ("Set-Mailbox", "ForwardingAddress", "A Colleague", None),
    ],
)
def test_a_rule_that_sends_mail_on(operation: str, name: str, value: Any, targets: list[str] | None) -> None:
    rule = record(
        operation, 1, "Exchange", Parameters=[{"Name": "Name", "Value": "r"}, {"Name": name, "Value": value}]
    )
    parsed = parse(rule)
    assert parsed.fields["outfall.channel"] == "mail_rule"
    assert parsed.fields.get("email.to.address") == targets
    assert LogSource(None, "m365", "exchange") in parsed.logsources


def test_a_rule_made_in_outlook() -> None:
    actions = json.dumps(
        [{"ActionType": "Forward", "Recipients": ["me@home.example"], "ForwardFlags": "None"}]
    )
    made = record(
        "UpdateInboxRules", 2, "Exchange", OperationProperties=[{"Name": "RuleActions", "Value": actions}]
    )
    assert parse(made).fields["email.to.address"] == ["me@home.example"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("Set-Mailbox", [{"Name": "ForwardingSmtpAddress", "Value": ""}]),
        ("Set-Mailbox", [{"Name": "ForwardingSmtpAddress", "Value": None}]),
        ("Set-Mailbox", [{"Name": "ForwardingSmtpAddress", "Value": "$null"}]),
        ("Set-Mailbox", "ForwardingSmtpAddress"),
        ("New-InboxRule", [{"Name": "MoveToFolder", "Value": "a@b.example"}]),
        ("UpdateInboxRules", [{"Name": "RuleActions", "Value": '[{"ActionType":"MarkAsRead"}]'}]),
        ("Set-TransportConfig", [{"Name": "ForwardTo", "Value": "a@b.example"}]),
    ],
)
def test_other_rules_send_nothing_on(operation: str, parameters: Any) -> None:
    assert "outfall.channel" not in parse(record(operation, 1, "Exchange", Parameters=parameters)).fields


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            {"Operation": "AnonymousLinkCreated"},
            {"outfall.channel": "share", "email.to.address": None},
        ),
        (
            {
                "Operation": "AddedToSecureLink",
                "TargetUserOrGroupType": "Guest",
                "TargetUserOrGroupName": "ann_lee_home.example#EXT#@council.onmicrosoft.example",
            },
            {
                "outfall.channel": "share",
                "email.to.address": ["ann_lee@home.example"],
            },
        ),
        (
            {
                "Operation": "SharingSet",
                "TargetUserOrGroupType": "Member",
                "TargetUserOrGroupName": "a.brown@council.example",
            },
            {"outfall.channel": "share", "email.to.address": ["a.brown@council.example"]},
        ),
        (
            {
                "Operation": "SharingSet",
                "TargetUserOrGroupType": "SharePointGroup",
                "TargetUserOrGroupName": "SharingLinks.x.AnonymousEdit.y",
            },
            {"outfall.channel": "file", "email.to.address": None, "outfall.content.carries": None},
        ),
    ],
)
def test_shares(more: dict[str, str], expected: dict[str, Any]) -> None:
    parsed = parse(record("", 14) | FILE | more)
    assert held(parsed, expected) == expected
    if expected["outfall.channel"] == "share":
        assert parsed.fields["outfall.content.carries"] == [IDENTITY]


@pytest.mark.parametrize(
    ("more", "made_from", "made"),
    [
        ({"Operation": "FileUploaded", "FileSizeBytes": 12}, ["file:list.xlsx:12"], [IDENTITY]),
        ({"Operation": "FileDownloaded", "FileSizeBytes": "12"}, [IDENTITY], ["file:list.xlsx:12"]),
        (
            {"Operation": "FileRenamed", "FileSizeBytes": 12, "DestinationFileName": "Fun.xlsx"},
            [IDENTITY, "file:list.xlsx:12"],
            ["file:fun.xlsx:12"],
        ),
        ({"Operation": "FileUploaded"}, None, None),
        ({"Operation": "FileAccessed", "FileSizeBytes": 12}, None, None),
    ],
)
def test_what_a_file_was_made_of(
    more: dict[str, Any], made_from: list[str] | None, made: list[str] | None
) -> None:
    fields = parse(record("") | FILE | more).fields
    assert fields.get("outfall.content.from") == made_from
    assert fields.get("outfall.content.produces") == made
    assert fields["file.name"] == more.get("DestinationFileName", "List.xlsx")


def dlp(**more: Any) -> dict[str, Any]:
    found = [
        {"Count": 52, "UniqueCount": 37, "SensitiveInformationDetections": {"Value": "943 476 5919"}},
        {"Count": 4},
    ]
    rule = {
        "RuleName": "numbers",
        "RuleMode": "Enable",
        "Actions": ["BlockAccess"],
        "ConditionsMatched": {"SensitiveInformation": found},
    }
    message = {
        "From": "j.smith@council.example",
        "To": ["me@home.example"],
        "CC": [],
        "BCC": ["b@c.example"],
        "Subject": "as discussed",
        "MessageID": "<m1@council.example>",
        "FileSize": 73211,
    }
    return record(
        "DlpRuleMatch",
        13,
        "Exchange",
        UserId="DlpAgent",
        ExchangeMetaData=message,
        PolicyDetails=[{"Rules": [rule | more]}],
    )


def test_a_dlp_verdict_on_a_message() -> None:
    parsed = parse(dlp())
    expected = {
        "outfall.channel": "email",
        "outfall.verdict": "blocked",
        "outfall.raw.anonymous": 37,
        "outfall.bytes": 73211,
        "event.outcome": "failure",
        "user.email": "j.smith@council.example",
        "user.name": "j.smith",
        "user.id": "DlpAgent",
        "email.from.address": "j.smith@council.example",
        "email.to.address": ["me@home.example"],
        "email.cc.address": None,
        "email.bcc.address": ["b@c.example"],
        "email.message_id": "<m1@council.example>",
    }
    assert held(parsed, expected) == expected
    assert "943" not in json.dumps(parsed.fields)


@pytest.mark.parametrize(
    "document",
    [
        dlp(Actions=["NotifyUser"]),
        dlp(RuleMode="AuditAndNotify"),
        dlp() | {"ExceptionInfo": "{}"},
        dlp() | {"Operation": "DlpRuleUndo"},
    ],
)
def test_dlp_that_lets_pass(document: dict[str, Any]) -> None:
    assert parse(document).fields["outfall.verdict"] == "allowed"


def test_a_dlp_verdict_on_a_file() -> None:
    file = {"FileName": "list.xlsx", "From": "J.Smith@council.example", "FilePathUrl": URL, "UniqueID": ITEM}
    parsed = parse(record("DLPRuleMatch", 11, "OneDrive", UserId="DlpPolicyService", SharePointMetaData=file))
    expected = {
        "outfall.channel": "file",
        "file.name": "list.xlsx",
        "url.full": URL,
        "user.email": "J.Smith@council.example",
        "outfall.raw.anonymous": None,
    }
    assert held(parsed, expected) == expected


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"ResultStatus": "True"}, "success"),
        ({"ResultStatus": "PartiallySucceeded"}, "success"),
        ({"ResultStatus": "Failed"}, "failure"),
        ({"ResultStatus": "False"}, "failure"),
        ({}, "success"),
        ({"Operation": "UserLoginFailed", "ResultStatus": "Success"}, "failure"),
    ],
)
def test_outcome(more: dict[str, str], outcome: str) -> None:
    assert parse(record("UserLoggedIn", 15, "AzureActiveDirectory") | more).fields["event.outcome"] == outcome


def test_who_did_it() -> None:
    system = parse(record("Set-Mailbox", 1, "Exchange", UserId=r"NT AUTHORITY\SYSTEM (X)")).fields
    assert system["user.id"] == r"NT AUTHORITY\SYSTEM (X)"
    assert (system["user.domain"], "user.email" in system) == ("NT AUTHORITY", False)
    own = record(
        "MailItemsAccessed", 50, "Exchange", UserId="S-1-5-21-9", MailboxOwnerUPN="a@b.example", LogonType=0
    )
    assert parse(own).fields["user.email"] == "a@b.example"
    other = parse(own | {"LogonType": 2}).fields
    assert ("user.email" in other, other["user.target.email"]) == (False, "a@b.example")


def test_pairs_keep_their_names_for_sigma() -> None:
    pairs = [{"Name": "RequestType", "Value": "Cmsi:Cmsi"}]
    fields = parse(record("UserLoggedIn", 15, ExtendedProperties=pairs, ApplicationId="9ba1")).fields
    names = ("RequestType", "ExtendedProperties.RequestType", "ApplicationId")
    assert [fields[f"o365.audit.{name}"] for name in names] == ["Cmsi:Cmsi", "Cmsi:Cmsi", "9ba1"]


def test_an_alert_is_threat_management() -> None:
    parsed = parse(record("AlertTriggered", 40, "SecurityComplianceCenter"))
    assert LogSource(None, "m365", "threat_management") in parsed.logsources


def test_a_record_type_without_a_name_keeps_its_number() -> None:
    assert parse(record("Something", 99999)).fields["event.code"] == "99999"


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        '{"CreationTime": 1, "RecordType"',
        '{"CreationTime": [], "RecordType": 1}',
        '{"CreationTime": "soon", "RecordType": 1}',
        '{"CreationTime": "0000-00-00T00:00:00", "RecordType": 1}',
        '{"AuditData": "not JSON", "RecordType": 1}',
        json.dumps(record("New-InboxRule", ExtendedProperties=[{"Name": "." * 99, "Value": "x"}])),
    ],
)
def test_what_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(RecordError):
        FORMAT.parse(line, Context(received=0))


def test_an_error_names_the_place_and_not_the_content() -> None:
    with pytest.raises(RecordError, match="CreationTime") as refused:
        FORMAT.parse(json.dumps(record("x") | {"CreationTime": "Ann Example"}), Context(received=0))
    assert "Ann" not in str(refused.value)
