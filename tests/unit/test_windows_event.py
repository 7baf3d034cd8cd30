"""Windows events in every form that collectors give them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from streams.errors import RecordError
from streams.event import LogSource
from streams.normalise.base import Context, Parsed
from streams.normalise.windows_event import WindowsEvent

FORMAT = WindowsEvent()
SYSMON = "Microsoft-Windows-Sysmon/Operational"
SHA256 = "ab" * 32
SUBJECT = {
    "SubjectUserSid": "S-1-5-21-1-2-3-1188",
    "SubjectUserName": "jsmith",
    "SubjectDomainName": "COUNCIL",
}
FILE_READ = SUBJECT | {
    "ObjectType": "File",
    "ObjectName": r"D:\Care\list.xlsx",
    "AccessList": "%%4416",
    "AccessMask": "0x1",
    "ProcessName": r"C:\Windows\explorer.exe",
    "ProcessId": "0x11d4",
}


def parse(record: dict[str, Any] | str) -> Parsed:
    line = record if isinstance(record, str) else json.dumps(record)
    assert FORMAT.recognises(line)
    return FORMAT.parse(line, Context(received=0))


def xml(
    event_id: int, data: dict[str, str], *, channel: str = "Security", task: int = 0, head: str = ""
) -> str:
    named = "".join(f'<Data Name="{name}">{value}</Data>' for name, value in data.items())
    return (
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
        f'<Provider Name="P"/><EventID>{event_id}</EventID><Task>{task}</Task>'
        "<Keywords>0x8020000000000000</Keywords>"
        '<TimeCreated SystemTime="2026-03-02T09:00:00.123456700Z"/><EventRecordID>7</EventRecordID>'
        f"<Channel>{channel}</Channel><Computer>FS01</Computer>{head}</System>"
        f"<EventData>{named}</EventData></Event>"
    )


def evtx(
    event_id: int, data: dict[str, Any] | None, *, channel: str = "Security", **more: Any
) -> dict[str, Any]:
    system = {
        "Provider": {"#attributes": {"Name": "P"}},
        "EventID": event_id,
        "Task": 0,
        "Keywords": "0x8020000000000000",
        "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T09:00:00.123456700Z"}},
        "EventRecordID": 7,
        "Channel": channel,
        "Computer": "FS01",
    }
    return {"Event": {"System": system | more, "EventData": data}}


def beat(event_id: int, data: dict[str, Any], *, channel: str = "Security", **more: Any) -> dict[str, Any]:
    head = {
        "event_id": str(event_id),
        "channel": channel,
        "provider_name": "P",
        "computer_name": "FS01",
        "record_id": 7,
        "time_created": "2026-03-02T09:00:00.123456700Z",
        "keywords": ["Audit Success"],
        "event_data": data,
    }
    return {"@timestamp": "2026-03-03T00:00:00Z", "host": {"name": "collector"}, "winlog": head | more}


OLD_BEAT = {
    "@timestamp": "2026-03-02T09:00:00.123456700Z",
    "beat": {"version": "6.8.0"},
    "event_id": 4663,
    "log_name": "Security",
    "source_name": "P",
    "computer_name": "FS01",
    "record_number": "7",
    "keywords": ["Audit Success"],
    "event_data": FILE_READ,
}
FLAT = {
    "EventID": 4663,
    "Channel": "Security",
    "Provider_Name": "P",
    "Computer": "FS01",
    "EventRecordID": 7,
    "SystemTime": "2026-03-02T09:00:00.1234567Z",
    "Keywords": "0x8020000000000000",
} | FILE_READ
NXLOG = {
    "EventTime": "2026-03-02 09:00:00.1234567",
    "Hostname": "FS01",
    "Keywords": -9214364837600034816,
    "EventType": "AUDIT_SUCCESS",
    "EventID": 4663,
    "SourceName": "P",
    "RecordNumber": 7,
    "Channel": "Security",
} | FILE_READ
XMLTODICT = {
    "Event": {
        "System": {
            "Provider": {"@Name": "P"},
            "EventID": "4663",
            "Keywords": "0x8020000000000000",
            "TimeCreated": {"@SystemTime": "2026-03-02T09:00:00.1234567Z"},
            "EventRecordID": "7",
            "Channel": "Security",
            "Computer": "FS01",
        },
        "EventData": {"Data": [{"@Name": name, "#text": value} for name, value in FILE_READ.items()]},
    }
}
SEPARATE_ATTRIBUTES = {
    "Event": {
        "System": {
            "Provider_attributes": {"Name": "P"},
            "EventID": {"#text": 4663, "#attributes": {"Qualifiers": 0}},
            "Keywords": "0x8020000000000000",
            "TimeCreated_attributes": {"SystemTime": "2026-03-02T09:00:00.1234567Z"},
            "EventRecordID": 7,
            "Channel": "Security",
            "Computer": "FS01",
        },
        "EventData": {
            "Data": [{"#attributes": {"Name": name}, "#text": value} for name, value in FILE_READ.items()]
        },
    }
}


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(xml(4663, FILE_READ), id="xml"),
        pytest.param({"message": xml(4663, FILE_READ)}, id="xml as a message"),
        pytest.param({"event": {"original": xml(4663, FILE_READ)}}, id="xml as the original"),
        pytest.param(evtx(4663, FILE_READ), id="evtx"),
        pytest.param(SEPARATE_ATTRIBUTES, id="evtx with separate attributes"),
        pytest.param(XMLTODICT, id="xmltodict"),
        pytest.param(beat(4663, FILE_READ), id="winlogbeat"),
        pytest.param(OLD_BEAT, id="winlogbeat 6"),
        pytest.param(FLAT, id="flat"),
        pytest.param(NXLOG, id="nxlog"),
    ],
)
def test_every_form_gives_the_same_event(record: dict[str, Any] | str) -> None:
    parsed = parse(record)
    assert parsed.time == 1_772_442_000_123_456_700
    assert parsed.id == "fs01/security/7/1772442000"
    assert LogSource(None, "windows", "security") in parsed.logsources
    expected = {
        "event.code": "4663",
        "event.provider": "P",
        "event.outcome": "success",
        "event.action": "object-accessed",
        "event.type": ["access"],
        "host.name": "FS01",
        "user.name": "jsmith",
        "user.domain": "COUNCIL",
        "user.id": "S-1-5-21-1-2-3-1188",
        "file.path": r"D:\Care\list.xlsx",
        "file.name": "list.xlsx",
        "file.extension": "xlsx",
        "process.executable": r"C:\Windows\explorer.exe",
        "process.pid": 0x11D4,
        "outfall.channel": "file",
        "outfall.verdict": "allowed",
    } | {f"winlog.event_data.{name}": value for name, value in FILE_READ.items()}
    assert {name: parsed.fields.get(name) for name in expected} == expected


def test_a_local_time_takes_the_zone_of_its_source() -> None:
    zone = dt.timezone(dt.timedelta(hours=1))
    parsed = FORMAT.parse(json.dumps(NXLOG), Context(received=0, zone=zone))
    assert parsed.time == 1_772_438_400_123_456_700


def test_sysmon_utc_time_serves_where_the_head_has_no_time() -> None:
    record = beat(11, {"UtcTime": "2026-03-02 09:00:00.500"}, channel=SYSMON)
    del record["winlog"]["time_created"], record["@timestamp"]
    assert parse(record).time == 1_772_442_000_500_000_000


@pytest.mark.parametrize(
    ("mask", "listed", "uses"),
    [
        ("0x1", "-", ["access"]),
        ("0x6", "%%4417 %%4418", ["change"]),
        ("3", "", ["access", "change"]),
        ("0x10000", "", ["deletion"]),
        ("-", "%%1537\r\n\t\t\t\t%%4416", ["access", "deletion"]),
        ("", "ReadData (or ListDirectory)\n", ["access"]),
        ("%%1538", "", None),
        ("0x" + "f" * 40, "", None),
    ],
)
def test_access_rights(mask: str, listed: str, uses: list[str] | None) -> None:
    data = FILE_READ | {"AccessMask": mask, "AccessList": listed}
    assert parse(evtx(4663, data)).fields.get("event.type") == uses


def test_only_the_removable_storage_audit_is_removable() -> None:
    assert parse(xml(4663, FILE_READ, task=12812)).fields["outfall.channel"] == "removable"
    assert parse(beat(4663, FILE_READ, task="Removable Storage")).fields["outfall.channel"] == "removable"
    assert parse(xml(4663, FILE_READ, task=12800)).fields["outfall.channel"] == "file"
    registry = FILE_READ | {"ObjectType": "Key"}
    assert "outfall.channel" not in parse(xml(4663, registry, task=12812)).fields


def test_a_file_written_to_removable_media_is_carried_where_its_identity_is_known() -> None:
    written = FILE_READ | {"AccessMask": "0x2", "AccessList": "%%4417"}
    known = beat(4663, written, task=12812) | {"file": {"size": 12, "hash": {"sha256": SHA256}}}
    fields = parse(known).fields
    assert fields["outfall.content.carries"] == [f"sha256:{SHA256}", "file:list.xlsx:12"]
    assert fields["outfall.bytes"] == 12
    assert "outfall.content.carries" not in parse(beat(4663, written, task=12812)).fields
    read = beat(4663, FILE_READ, task=12812) | {"file": {"size": 12}}
    assert "outfall.content.carries" not in parse(read).fields


@pytest.mark.parametrize(
    ("kind", "channel"), [("DiskDrive", "removable"), ("WPD", "removable"), ("HIDClass", None)]
)
def test_new_devices(kind: str, channel: str | None) -> None:
    assert parse(evtx(6416, SUBJECT | {"ClassName": kind})).fields.get("outfall.channel") == channel


def test_refused_access_is_blocked() -> None:
    parsed = parse(evtx(4663, FILE_READ, Keywords="0x8010000000000000"))
    assert (parsed.fields["event.outcome"], parsed.fields["outfall.verdict"]) == ("failure", "blocked")


@pytest.mark.parametrize(
    ("relative", "path"),
    [("a\\b.docx", r"D:\Care\a\b.docx"), ("\\", None), ("", None)],
)
def test_a_file_on_a_share(relative: str, path: str | None) -> None:
    data = SUBJECT | {
        "ObjectType": "File",
        "ShareName": r"\\*\Care",
        "ShareLocalPath": "\\??\\D:\\Care",
        "RelativeTargetName": relative,
        "AccessMask": "0x1",
        "IpAddress": "::ffff:10.0.0.9",
        "IpPort": "50000",
    }
    fields = parse(evtx(5145, data)).fields
    assert fields.get("file.path") == path
    assert (fields["source.ip"], fields["source.port"]) == ("10.0.0.9", 50000)


def test_a_printed_document() -> None:
    printed = {
        "#attributes": {"xmlns": "http://example.invalid/spooler"},
        "Param1": 9,
        "Param2": "Case list.docx",
        "Param3": "jsmith",
        "Param4": r"\\WS-0417",
        "Param5": "HR-Floor2",
        "Param6": "10.0.0.8",
        "Param7": 1482201,
        "Param8": 36,
    }
    record = evtx(307, None, channel="Microsoft-Windows-PrintService/Operational")
    record["Event"]["UserData"] = {"DocumentPrinted": printed}
    parsed = parse(record)
    assert parsed.logsources == (LogSource(None, "windows", "printservice-operational"),)
    expected = {
        "outfall.channel": "print",
        "outfall.bytes": 1482201,
        "file.name": "Case list.docx",
        "user.name": "jsmith",
        "source.domain": "WS-0417",
        "winlog.event_data.Param8": 36,
    }
    assert {name: parsed.fields.get(name) for name in expected} == expected
    assert "outfall.content.carries" not in parsed.fields


@pytest.mark.parametrize(
    ("event_id", "data", "expected"),
    [
        (
            15,
            {
                "TargetFilename": r"C:\a\list.zip:Zone.Identifier",
                "Hash": f"MD5={'C' * 32},SHA256={SHA256.upper()}",
            },
            {
                "file.path": r"C:\a\list.zip",
                "file.name": "list.zip",
                "file.hash.md5": "c" * 32,
                "file.hash.sha256": SHA256,
                "outfall.content.produces": [f"sha256:{SHA256}"],
                "winlog.event_data.TargetFilename": r"C:\a\list.zip:Zone.Identifier",
            },
        ),
        (
            11,
            {"TargetFilename": r"C:\a\list.zip"},
            {"event.type": "creation", "outfall.content.produces": None},
        ),
        (23, {"TargetFilename": r"C:\a", "Hashes": f"SHA256={SHA256}"}, {"outfall.content.produces": None}),
        (27, {"TargetFilename": r"C:\a\x.exe"}, {"outfall.verdict": "blocked"}),
        (
            1,
            {"Image": r"C:\x.exe", "Hashes": "SHA256=nonsense"},
            {"process.hash.sha256": None, "file.path": None},
        ),
        (
            3,
            {"SourceIp": "10.0.0.1", "DestinationIp": "::1", "DestinationPort": "443"},
            {"destination.port": 443},
        ),
    ],
)
def test_sysmon(event_id: int, data: dict[str, str], expected: dict[str, Any]) -> None:
    fields = parse(beat(event_id, data, channel=SYSMON)).fields
    assert {name: fields.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("record", "user"),
    [
        (
            beat(11, {"User": r"COUNCIL\jsmith"}, channel=SYSMON, user={"identifier": "S-1-5-18"}),
            ("jsmith", None),
        ),
        (beat(2, {}, channel=SYSMON, user={"identifier": "S-1-5-18"}), (None, "S-1-5-18")),
        (beat(4663, {"SubjectUserName": "-", "SubjectUserSid": "S-1-0-0"}), (None, None)),
        (beat(4624, SUBJECT | {"TargetUserName": "abrown", "TargetUserSid": "S-2"}), ("abrown", "S-2")),
        (beat(4724, SUBJECT | {"TargetUserName": "abrown"}), ("jsmith", "S-1-5-21-1-2-3-1188")),
        (beat(4769, {"TargetUserName": "jsmith@COUNCIL.EXAMPLE"}), ("jsmith", None)),
    ],
)
def test_who_did_it(record: dict[str, Any], user: tuple[str | None, str | None]) -> None:
    fields = parse(record).fields
    assert (fields.get("user.name"), fields.get("user.id")) == user


@pytest.mark.parametrize(
    ("channel", "event_id", "kind", "expected"),
    [
        (SYSMON, 1, None, {("process_creation", "sysmon")}),
        (SYSMON.upper(), 11, None, {("file_event", "sysmon")}),
        (SYSMON, 12, "CreateKey", {("registry_event", "sysmon"), ("registry_add", "sysmon")}),
        (SYSMON, 12, "DeleteValue", {("registry_event", "sysmon"), ("registry_delete", "sysmon")}),
        (SYSMON, 13, "SetValue", {("registry_event", "sysmon"), ("registry_set", "sysmon")}),
        (SYSMON, 9999, None, {(None, "sysmon")}),
        ("Security", 4688, None, {("process_creation", "security")}),
        ("Windows PowerShell", 400, None, {("ps_classic_start", "powershell-classic")}),
        ("Microsoft-Windows-PowerShell/Operational", 4104, None, {("ps_script", "powershell")}),
        ("Microsoft-Windows-DNS Client Events/Operational", 3008, None, {(None, "dns-client")}),
        ("Something of their own", 1, None, {(None, None)}),
    ],
)
def test_log_sources(
    channel: str, event_id: int, kind: str | None, expected: set[tuple[str | None, str]]
) -> None:
    parsed = parse(evtx(event_id, {"EventType": kind} if kind else {}, channel=channel))
    assert {(source.category, source.service) for source in parsed.logsources} == expected
    assert {source.product for source in parsed.logsources} == {"windows"}


def test_a_4688_is_read_as_process_creation_too() -> None:
    data = SUBJECT | {
        "NewProcessName": r"C:\7z.exe",
        "ParentProcessName": r"C:\explorer.exe",
        "ProcessId": "0x10",
        "NewProcessId": "0x20",
        "TargetUserName": "-",
        "MandatoryLabel": "S-1-16-12288",
    }
    fields = parse(evtx(4688, data)).fields
    expected = {
        "winlog.event_data.Image": r"C:\7z.exe",
        "winlog.event_data.ParentImage": r"C:\explorer.exe",
        "winlog.event_data.User": r"COUNCIL\jsmith",
        "winlog.event_data.IntegrityLevel": "S-1-16-12288",
        "winlog.event_data.ProcessId": "0x10",
        "process.pid": 0x20,
        "process.parent.pid": 0x10,
    }
    assert {name: fields.get(name) for name in expected} == expected


def test_data_without_names_and_with_spaces_in_them() -> None:
    unnamed = parse(evtx(400, {"Data": {"#text": ["Available", "None"]}}, channel="Windows PowerShell"))
    assert unnamed.fields["winlog.event_data.Data"] == ["Available", "None"]
    one = parse(xml(1, {}).replace("<EventData>", "<EventData><Data>only</Data>"))
    assert one.fields["winlog.event_data.Data"] == "only"
    spaced = parse(evtx(1119, {"Threat Name": "EICAR"})).fields
    names = ("Threat Name", "ThreatName", "Threat_Name")
    assert [spaced[f"winlog.event_data.{name}"] for name in names] == ["EICAR"] * 3


def test_empty_and_null_data_stay_apart() -> None:
    fields = parse(evtx(1, {"CommandLine": "", "ParentImage": None})).fields
    assert fields["winlog.event_data.CommandLine"] == ""
    assert fields["winlog.event_data.ParentImage"] is None


@pytest.mark.parametrize(
    "line",
    [
        '{"winlog": {"event_id": 1}',
        '{"winlog": {"event_id": "one", "time_created": "2026-03-02T09:00:00Z"}}',
        '{"winlog": {"event_id": 1, "time_created": "later"}}',
        '{"winlog": []}',
        '{"Event": 1}',
        '{"Event": {"System": {"EventID": 1}}}',
        '{"EventID": 1}',
        "[]",
        "null",
        "<Event",
        "<Event></Event>",
        "<Events/>",
        "<!DOCTYPE Event><Event/>",
        '<!DOCTYPE Event [<!ENTITY a "b">]><Event>&a;</Event>',
        '<!DOCTYPE Event [<!ENTITY a SYSTEM "file:///etc/passwd">]><Event>&a;</Event>',
        "<Event>\0</Event>",
        "<Event>" + "<a>" * 10_000 + "</a>" * 10_000 + "</Event>",
        '{"Event": ' * 10_000 + "1" + "}" * 10_000,
    ],
)
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(RecordError):
        FORMAT.parse(line, Context(received=0))


def test_names_that_would_nest_too_deep_are_refused() -> None:
    with pytest.raises(RecordError, match="too many dots"):
        parse(evtx(1, {"a." * 300: 1}))


def test_an_error_tells_nothing_of_the_content() -> None:
    with pytest.raises(RecordError) as refused:
        parse(beat(1, {}, time_created="Mrs Ann Example, 943 476 5919"))
    assert "Ann" not in str(refused.value)
    assert "943" not in str(refused.value)


@pytest.mark.parametrize(
    "line", ["", "{}", "<xml/>", '{"EventID": 1}', '{"Event": {}}', "winlog Event event_data"]
)
def test_others_are_not_recognised(line: str) -> None:
    assert not FORMAT.recognises(line)


def test_many_data_of_one_name_take_linear_time() -> None:
    data = "<Data Name='a'>1</Data>" * 40_000
    parsed = parse(xml(1, {}).replace("<EventData>", "<EventData>" + data))
    assert parsed.fields["winlog.event_data.a"] == ["1"] * 40_000
