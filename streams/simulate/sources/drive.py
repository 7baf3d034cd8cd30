"""Google Drive's audit: activities of the Admin SDK Reports API, for the teams whose documents lie there.

Events and parameters: https://developers.google.com/admin-sdk/reports/v1/appendix/activity/drive
"""

from __future__ import annotations

from random import Random
from typing import Any

from streams.simulate.moment import to_millisecond
from streams.simulate.people import Person
from streams.simulate.record import Record

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TYPES = {"xlsx": "spreadsheet", "pptx": "presentation", "pdf": "pdf"}


def new_id(random: Random) -> str:
    """Make a document's id."""
    return "1" + "".join(random.choices(_ALPHABET, k=32))


def activity(
    random: Random,
    time: int,
    person: Person,
    event: str,
    title: str,
    document: str,
    *,
    target: str | None = None,
) -> Record:
    """Write an act on a document: `view`, `edit`, `upload`, `download`, `change_user_access` for a target."""
    parameters: list[dict[str, Any]] = [
        {"name": "primary_event", "boolValue": True},
        {"name": "billable", "boolValue": True},
        {"name": "owner_is_shared_drive", "boolValue": False},
        {"name": "owner", "value": person.email},
        {"name": "doc_id", "value": document},
        {"name": "doc_type", "value": _TYPES.get(title.rpartition(".")[2], "document")},
        {"name": "doc_title", "value": title},
        {
            "name": "visibility",
            "value": "private" if target is None or _inside(person, target) else "shared_externally",
        },
    ]
    if target is not None:
        parameters += [
            {"name": "target_user", "value": target},
            {"name": "old_value", "multiValue": ["none"]},
            {"name": "new_value", "multiValue": ["can_view"]},
            {"name": "visibility_change", "value": "none" if _inside(person, target) else "external"},
        ]
    body = {
        "kind": "admin#reports#activity",
        "id": {
            "time": f"{to_millisecond(time)}Z",
            "uniqueQualifier": str(-random.getrandbits(62)),
            "applicationName": "drive",
            "customerId": "C03az79cb",
        },
        "actor": {"email": person.email, "profileId": "1" + person.number[2:].zfill(20)},
        "ipAddress": person.ip,
        "events": [
            {"type": "acl_change" if target else "access", "name": event, "parameters": parameters},
        ],
    }
    return Record(time, "drive", body)


def _inside(person: Person, target: str) -> bool:
    return target.rpartition("@")[2] == person.email.rpartition("@")[2]
