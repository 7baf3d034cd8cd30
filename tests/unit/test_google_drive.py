"""Google Drive's audit, bare and wrapped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.errors import RecordError
from streams.event import LogSource
from streams.normalise.base import Context, Parsed
from streams.normalise.google_drive import GoogleDrive

FORMAT = GoogleDrive()
DOCUMENT, OTHER = "1AbCdEfGhIjKlMnOpQrStUvWx", "1ZyXwVuTsRqPoNmLkJiHgFeDc"


def event(name: str, visibility: str = "private", **parameters: Any) -> dict[str, Any]:
    listed: list[dict[str, Any]] = [
        {"name": "doc_id", "value": DOCUMENT},
        {"name": "doc_title", "value": "list.xlsx"},
        {"name": "visibility", "value": visibility},
    ]
    for key, value in parameters.items():
        kind = (
            "multiValue" if isinstance(value, list) else "boolValue" if isinstance(value, bool) else "value"
        )
        listed.append({"name": key, kind: value})
    return {"type": "access", "name": name, "parameters": listed}


def activity(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kind": "admin#reports#activity",
        "id": {
            "time": "2026-03-02T09:00:00.123Z",
            "uniqueQualifier": "-4507",
            "applicationName": "drive",
            "customerId": "C01",
        },
        "actor": {"email": "j.smith@council.example", "profileId": "1180"},
        "ipAddress": "2001:db8::7",
        "events": list(events),
    } | more


def parse(document: dict[str, Any]) -> Parsed:
    line = json.dumps(document)
    assert FORMAT.recognises(line)
    return FORMAT.parse(line, Context(received=0))


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(activity(event("download")), id="list of events"),
        pytest.param(activity(event("download")) | {"events": event("download")}, id="one event"),
        pytest.param({"json": activity(event("download"))}, id="json"),
        pytest.param({"event": {"original": json.dumps(activity(event("download")))}}, id="original"),
        pytest.param({"message": json.dumps(activity(event("download")))}, id="message"),
    ],
)
def test_every_wrapping_gives_the_same_event(document: dict[str, Any]) -> None:
    parsed = parse(document)
    assert parsed.time == 1_772_442_000_123_000_000
    assert parsed.id == "C01:2026-03-02T09:00:00.123Z:-4507"
    assert parsed.logsources == (LogSource(None, "google_workspace", "drive"),)
    expected = {
        "event.action": "download",
        "event.outcome": "success",
        "user.name": "j.smith",
        "user.email": "j.smith@council.example",
        "user.id": "1180",
        "source.ip": "2001:db8::7",
        "file.name": "list.xlsx",
        "file.extension": "xlsx",
        "outfall.channel": "file",
        "google_workspace.drive.doc_id": DOCUMENT,
    }
    assert {name: parsed.fields.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("shared", "targets"),
    [
        (
            event("change_user_access", target_user="ann@home.example", new_value=["can_view"]),
            ["ann@home.example"],
        ),
        (event("change_document_visibility", "people_with_link", new_value=["people_with_link"]), None),
        (event("change_document_access_scope", "public_on_the_web", new_value=["can_view"]), None),
        (event("shared_drive_membership_change", target="ann@home.example"), ["ann@home.example"]),
        (event("email_as_attachment", target="ann@home.example"), ["ann@home.example"]),
        (event("source_copy", copy_type="external"), None),
    ],
)
def test_shares(shared: dict[str, Any], targets: list[str] | None) -> None:
    fields = parse(activity(shared)).fields
    assert fields["outfall.channel"] == "share"
    assert fields["outfall.content.carries"] == [f"drive:{DOCUMENT}"]
    assert fields.get("email.to.address") == targets


@pytest.mark.parametrize(
    "other",
    [
        event("view", "people_with_link"),
        event("change_user_access", target_user="ann@home.example", new_value=["none"]),
        event("change_document_visibility", new_value=["private"]),
        event(
            "shared_drive_membership_change",
            target="a@b.example",
            membership_change_type="remove_from_shared_drive",
        ),
        event("source_copy", copy_type="internal"),
    ],
)
def test_what_lets_nobody_in_is_no_share(other: dict[str, Any]) -> None:
    fields = parse(activity(other)).fields
    assert fields["outfall.channel"] == "file"
    assert "outfall.content.carries" not in fields


def test_a_print_leaves_on_paper() -> None:
    fields = parse(activity(event("print"))).fields
    assert (fields["outfall.channel"], fields["outfall.content.carries"]) == ("print", [f"drive:{DOCUMENT}"])


def test_the_primary_of_several_events_comes_first() -> None:
    side = event("change_acl_editors", primary_event=False)
    main = event("change_user_access", primary_event=True, target_user="ann@home.example")
    fields = parse(activity(side, main)).fields
    assert fields["event.action"] == ["change_user_access", "change_acl_editors"]
    assert fields["google_workspace.drive.primary_event"] == [True, False]
    assert fields["file.name"] == "list.xlsx"


@pytest.mark.parametrize(
    ("copied", "made_from", "made"),
    [
        (event("copy", old_value=[OTHER]), [f"drive:{OTHER}"], [f"drive:{DOCUMENT}"]),
        (event("source_copy", new_value=[OTHER]), [f"drive:{DOCUMENT}"], [f"drive:{OTHER}"]),
        (event("copy", old_value=["The list of March"]), None, None),
        (event("view", old_value=[OTHER]), None, None),
    ],
)
def test_copies(copied: dict[str, Any], made_from: list[str] | None, made: list[str] | None) -> None:
    fields = parse(activity(copied)).fields
    assert fields.get("outfall.content.from") == made_from
    assert fields.get("outfall.content.produces") == made


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": {}, "events": []},
        activity(),
        activity(event("view")) | {"id": {"applicationName": "login", "time": "2026-03-02T09:00:00Z"}},
        activity(event("view")) | {"id": {"applicationName": "drive"}},
        activity(event("view")) | {"id": {"applicationName": "drive", "time": "2026-03-02T09:00:00"}},
        activity({"name": "view", "parameters": [{"name": "." * 99, "value": "x"}]}),
    ],
)
def test_what_is_no_activity_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(RecordError):
        FORMAT.parse(json.dumps(document), Context(received=0))


@pytest.mark.parametrize(
    "line", ["{}", '{"id": {"applicationName": "login"}, "events": [{"name": "drive"}]}', "drive"]
)
def test_others_are_not_recognised(line: str) -> None:
    assert not FORMAT.recognises(line)
