"""Google Drive's audit: activities of the Admin SDK Reports API with `applicationName=drive`.

Event names and parameters: https://developers.google.com/admin-sdk/reports/v1/appendix/activity/drive
One activity is one act of a user and may list several events, its side effects among them; it gives one event
here, with the names of all of them in `event.action`, the primary first.
"""

from __future__ import annotations

import re
from typing import Any

from streams.errors import RecordError
from streams.event import Fields, LogSource, Scalar, Value
from streams.normalise.address import clean_ip, is_mail, mail_addresses
from streams.normalise.base import Context, Parsed
from streams.normalise.content_identity import drive_identity, extension
from streams.normalise.json_record import child, load_object, objects, try_object
from streams.normalise.time import parse_rfc3339
from streams.normalise.values import items, prefixed, present, scalar, text, texts, within

_WRAPPERS = (("json",), ("google_workspace",), ("event", "original"), ("message",))
"""Where collectors put the activity, as an object or as its text."""
_VALUES = ("value", "boolValue", "intValue", "multiValue", "multiIntValue", "multiBoolValue")

_GRANTS = frozenset(
    {
        "change_acl_editors",
        "change_document_access_scope",
        "change_document_visibility",
        "change_owner",
        "change_user_access",
        "publish_change",
        "shared_drive_membership_change",
        "sheets_import_range_access_change",
    }
)
"""Acts by which somebody gets at a document; those "hierarchy_reconciled" follow from another act."""
_OPEN = frozenset({"people_with_link", "public_on_the_web", "shared_externally"})
_TAKES_AWAY = frozenset({"none", "private"})
_DOCUMENT_ID = re.compile(r"[A-Za-z0-9_-]{15,128}")


class GoogleDrive:
    """One activity a line, bare or as Filebeat wraps it."""

    name = "google_drive"
    summary = "Google Drive audit (Admin SDK Reports activities), one JSON activity a line"

    def recognises(self, line: str) -> bool:
        """See the interface."""
        if "applicationName" not in line or "drive" not in line:
            return False
        activity = _activity(try_object(line) or {})
        return child(activity, "id").get("applicationName") == "drive" and bool(_events(activity))

    def parse(self, line: str, context: Context) -> Parsed:  # noqa: ARG002 - the interface's
        """See the interface."""
        activity = _activity(load_object(line))
        events = _events(activity)
        if not events:
            raise RecordError("no activity with events is in this record")
        identity = child(activity, "id")
        if (application := text(identity.get("applicationName"))) not in (None, "drive"):
            raise RecordError("id.applicationName is not drive")
        if (time := text(identity.get("time"))) is None:
            raise RecordError("id.time is missing")
        with within("id.time"):
            moment = parse_rfc3339(time)
        parameters = [_parameters(event) for event in events]
        fields = _actor(activity) | _document(events, parameters)
        fields |= present(
            {"event.provider": application, "source.ip": clean_ip(text(activity.get("ipAddress")))}
        )
        parts = [text(identity.get(key)) for key in ("customerId", "time", "uniqueQualifier")]
        return Parsed(
            fields=fields,
            time=moment,
            id=":".join(part for part in parts if part) if parts[2] else None,
            logsources=(LogSource(None, "google_workspace", "drive"),),
        )


def _activity(document: dict[str, Any]) -> dict[str, Any]:
    """Find the activity in a record: itself, or where a collector put it."""
    if "events" in document and "id" in document:
        return document
    for path in _WRAPPERS:
        inner: Any = child(document, *path[:-1]).get(path[-1])
        if isinstance(inner, str):
            inner = try_object(inner)
        if isinstance(inner, dict) and "events" in inner:
            return inner
    return {}


def _events(activity: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the named events, those that are primary first."""
    named = [event for event in objects(activity.get("events")) if text(event.get("name")) is not None]
    return sorted(named, key=lambda event: _parameters(event).get("primary_event") is not True)


def _parameters(event: dict[str, Any]) -> Fields:
    """Give an event's parameters by name; those with several values as lists."""
    found: Fields = {}
    for parameter in objects(event.get("parameters")):
        name = text(parameter.get("name"))
        value = next((parameter[key] for key in _VALUES if parameter.get(key) is not None), None)
        if name is not None and value is not None:
            found[name] = [scalar(item) for item in value] if isinstance(value, list) else scalar(value)
    return found


def _actor(activity: dict[str, Any]) -> Fields:
    actor = child(activity, "actor")
    mail = text(actor.get("email"))
    return present(
        {
            "user.email": mail if is_mail(mail) else None,
            "user.name": mail.partition("@")[0] if mail is not None else text(actor.get("key")),
            "user.id": text(actor.get("profileId")),
        }
    )


def _document(events: list[dict[str, Any]], parameters: list[Fields]) -> Fields:
    """Say which documents were concerned and what became of them."""
    names = texts([event.get("name") for event in events])
    merged = _merge(parameters)
    titles = texts(merged.get("doc_title"))
    shares = [found for event, found in zip(events, parameters, strict=True) if _shares(event, found)]
    prints = [found for event, found in zip(events, parameters, strict=True) if event.get("name") == "print"]
    leaving = [text(found.get("doc_id")) for found in shares or prints]
    fields = prefixed("google_workspace.drive", merged)
    fields |= present(
        {
            "event.action": _one_or_list(names),
            "event.outcome": "success",
            "file.name": _one_or_list(titles),
            "file.extension": extension(titles[0]) if titles else None,
            "outfall.channel": "share" if shares else "print" if prints else "file",
            "outfall.verdict": "allowed",
            "outfall.content.carries": [
                each for one in dict.fromkeys(leaving) for each in drive_identity(one)
            ],
            "email.to.address": _targets(shares),
        }
    )
    return fields | _lineage(events, parameters)


def _shares(event: dict[str, Any], parameters: Fields) -> bool:
    """Tell whether this event lets somebody get at the document who could not before."""
    name = event.get("name")
    if name == "email_as_attachment":
        return True
    if name == "source_copy":
        return parameters.get("copy_type") == "external"
    new = set(texts(parameters.get("new_value")))
    taken_away = (new and new <= _TAKES_AWAY) or (
        parameters.get("membership_change_type") == "remove_from_shared_drive"
    )
    if name not in _GRANTS or taken_away:
        return False
    grants_to = parameters.get("target_user") or parameters.get("target")
    return bool(grants_to) or parameters.get("visibility") in _OPEN


def _targets(shares: list[Fields]) -> list[str]:
    named = [
        text(value)
        for found in shares
        for key in ("target_user", "target")
        for value in items(found.get(key))
    ]
    return list(dict.fromkeys(address for value in named for address in mail_addresses(value)))


def _lineage(events: list[dict[str, Any]], parameters: list[Fields]) -> Fields:
    """Say what was copied from what.

    `copy` tells of the new document, with the original's id in `old_value`; `source_copy` of the original,
    with the new one's id in `new_value`.
    """
    made_from: list[str] = []
    made: list[str] = []
    for event, found in zip(events, parameters, strict=True):
        document = drive_identity(text(found.get("doc_id")))
        if event.get("name") == "copy" and (originals := _document_ids(found.get("old_value"))):
            made_from += originals
            made += document
        elif event.get("name") == "source_copy" and (copies := _document_ids(found.get("new_value"))):
            made_from += document
            made += copies
    return present({"outfall.content.from": made_from, "outfall.content.produces": made})


def _document_ids(value: Value) -> list[str]:
    """Give the identities of those values that look like document ids; a title does not."""
    return [
        identity for item in texts(value) if _DOCUMENT_ID.fullmatch(item) for identity in drive_identity(item)
    ]


def _merge(parameters: list[Fields]) -> Fields:
    """Put the parameters of several events together; differing values become a list."""
    merged: dict[str, dict[tuple[type, Scalar], Scalar]] = {}
    for found in parameters:
        for name, value in found.items():
            # The type is part of the key since Python takes True and 1 for the same.
            merged.setdefault(name, {}).update({(type(item), item): item for item in items(value)})
    return {
        name: next(iter(values.values())) if len(values) == 1 else list(values.values())
        for name, values in merged.items()
    }


def _one_or_list(values: list[str]) -> Value:
    if len(values) == 1:
        return values[0]
    return list(values) or None
