"""Whatever JSON an attacker writes, a format gives an event that can be written out, or refuses it."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.errors import RecordError
from streams.event import nested
from streams.normalise.base import Context, Format
from streams.normalise.case_system import CaseSystem
from streams.normalise.google_drive import GoogleDrive
from streams.normalise.o365_audit import O365Audit
from streams.normalise.windows_event import WindowsEvent

FORMATS = (WindowsEvent(), O365Audit(), GoogleDrive(), CaseSystem())
IDS = [form.name for form in FORMATS]

KEYS = st.sampled_from(
    [
        "Event", "System", "EventID", "EventData", "UserData", "Data", "#text", "#attributes", "Name",
        "Provider", "TimeCreated", "SystemTime", "Keywords", "winlog", "event_id", "event_data",
        "user_data", "time_created", "channel", "Channel", "Computer", "record_id", "task", "keywords",
        "user", "message", "event", "original", "file", "hash", "size", "sha256", "name",
        "RenderingInfo", "Keyword", "AccessMask", "ObjectType", "ObjectName", "Hashes", "Param2",
        "TargetFilename", "SubjectUserName", "IpAddress", "o365audit", "AuditData", "CreationTime",
        "RecordType", "Operation", "Workload", "Id", "UserId", "Parameters", "ExtendedProperties",
        "Value", "PolicyDetails", "Rules", "Actions", "ConditionsMatched", "SensitiveInformation",
        "Count", "ExchangeMetaData", "SharePointMetaData", "From", "To", "FileSize", "ListItemUniqueId",
        "FileSizeBytes", "TargetUserOrGroupName", "SourceFileName", "ClientIP", "id", "time",
        "applicationName", "uniqueQualifier", "actor", "email", "account", "events", "parameters",
        "value", "multiValue", "visibility", "target_user", "json", "action", "outcome", "records",
        "record", "person", "categories", "vulnerable", "client", "ip",
    ]
)  # fmt: skip
TEXTS = st.sampled_from(
    [
        "", "-", "1", "0x1", "4663", "Security", "Microsoft-Windows-Sysmon/Operational",
        "2026-03-02T09:00:00Z", "drive", "view", "change_user_access", "record.exported", "search",
        "File", r"C:\a\b.txt", "a@b.example", "SharingSet", "DlpRuleMatch", "New-InboxRule",
        "FileUploaded", "ForwardTo", "<Event/>", "\0", "9" * 400, "." * 50,
    ]
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=24,
)
HEADS: dict[str, dict[str, Any]] = {
    "windows_event": {
        "winlog": {
            "event_id": 4663,
            "channel": "Security",
            "time_created": "2026-03-02T09:00:00Z",
            "event_data": {},
        }
    },
    "o365_audit": {"CreationTime": "2026-03-02T09:00:00", "RecordType": 6, "Operation": "SharingSet"},
    "google_drive": {
        "id": {"time": "2026-03-02T09:00:00Z", "applicationName": "drive"},
        "events": [{"name": "copy", "parameters": []}],
    },
    "case_system": {
        "time": "2026-03-02T09:00:00Z",
        "id": "1",
        "actor": {"account": "a"},
        "action": "record.exported",
    },
}


def survives(form: Format, line: str) -> None:
    form.recognises(line)
    try:
        parsed = form.parse(line, Context(received=0))
    except RecordError:
        return
    for value in parsed.fields.values():
        inner = value if isinstance(value, list) else [value]
        assert all(item is None or isinstance(item, str | int | float) for item in inner)
    orjson.dumps(nested(parsed.fields))


@pytest.mark.parametrize("form", FORMATS, ids=IDS)
@given(document=VALUES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json(form: Format, document: Any) -> None:
    survives(form, json.dumps(document))


@pytest.mark.parametrize("form", FORMATS, ids=IDS)
@given(data=st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_good_record_with_anything_put_in(form: Format, data: st.DataObject) -> None:
    document = json.loads(json.dumps(HEADS[form.name]))
    for _ in range(data.draw(st.integers(1, 4))):
        node = document
        while isinstance(node, dict) and node and data.draw(st.booleans()):
            inner = node[data.draw(st.sampled_from(sorted(node)))]
            inner = inner[0] if isinstance(inner, list) and inner else inner
            if not isinstance(inner, dict):
                break
            node = inner
        node[data.draw(KEYS)] = data.draw(VALUES)
    survives(form, json.dumps(document))


@pytest.mark.parametrize("form", FORMATS, ids=IDS)
@pytest.mark.parametrize(
    "value",
    [
        "x" * 1_000_000,
        "a@" * 300_000,
        "[" * 500_000,
        ["%%4416 "] * 100_000,
        {str(number): number for number in range(50_000)},
        [{"Name": "n", "Value": "v", "name": "p", "value": "v", "Data": "d"}] * 20_000,
        [[[[[[]]]]]] * 10_000,
    ],
    ids=["text", "addresses", "brackets", "list", "object", "pairs", "nested"],
)
@pytest.mark.timeout(10)
def test_huge_values_take_linear_time(form: Format, value: Any) -> None:
    head = HEADS[form.name]
    places = (
        "Parameters",
        "ObjectId",
        "TargetUserOrGroupName",
        "records",
        "actor",
        "message",
        "UserId",
        "ClientIP",
    )
    for place in places:
        survives(form, json.dumps(head | {place: value}))
    survives(
        form,
        json.dumps({"winlog": head.get("winlog", {}) | {"event_data": {"AccessList": value, "Data": value}}}),
    )
    survives(form, json.dumps(head | {"events": [{"name": "copy", "parameters": value}]}))


@pytest.mark.parametrize("form", FORMATS, ids=IDS)
def test_deep_nesting_is_refused(form: Format) -> None:
    for depth in (100, 5_000):
        deep = '{"a":' * depth + "1" + "}" * depth
        for place in ("winlog", "o365audit", "json", "event"):
            survives(form, f'{{"{place}": {deep}, "CreationTime": 1, "RecordType": 1}}')
        survives(form, f'{{"winlog": {{"event_id": 1, "event_data": {deep}}}}}')
