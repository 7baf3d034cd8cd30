"""Windows events in each of the forms that collectors give them, read into one.

The forms: the event's own XML; that XML as JSON (evtx_dump's `{"Event": {"System": …}}`, with attributes
under `#attributes`, as `@name` or in a sibling `Tag_attributes`); Winlogbeat and Elastic Agent (`winlog.*`,
before version 7 at the top); flat JSON with the data beside the event's head (NXLog, SigmaHQ).
The schema is Microsoft's: https://learn.microsoft.com/windows/win32/wes/eventschema-schema
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from streams.errors import RecordError
from streams.event import Fields, Scalar, flatten
from streams.normalise.json_record import child, load_object
from streams.normalise.values import items, number, scalar, text
from streams.normalise.windows_xml import event_xml

_AUDIT_SUCCESS, _AUDIT_FAILURE = 0x20000000000000, 0x10000000000000
"""Reserved keywords of the event schema ("Standard Event Keywords")."""
_MAX_KEYWORD = 24
_OUTCOMES = {
    "audit success": "success",
    "audit_success": "success",
    "audit failure": "failure",
    "audit_failure": "failure",
    "success": "success",
    "failure": "failure",
}
_FLAT_HEAD = {
    "event_id": ("EventID", "event_id"),
    "channel": ("Channel", "log_name"),
    "provider": ("Provider_Name", "ProviderName", "SourceName", "source_name"),
    "computer": ("Computer", "Hostname", "ComputerName", "computer_name"),
    "record_id": ("EventRecordID", "RecordNumber", "RecordID", "record_number"),
    "time": ("SystemTime", "TimeCreated", "EventTime", "@timestamp"),
    "task": ("Task", "task"),
    "task_name": ("Category",),
    "keywords": ("Keywords", "keywords"),
    "message": ("Message", "message"),
    "sid": ("UserID",),
}
"""How the flat forms name an event's head; the first that is there counts, the others stay data."""


@dataclass(slots=True)
class WindowsRecord:
    """One event: its head, and its data under the names that the event gives them.

    `time` is text as the record has it; `outcome` is `success` or `failure` where the event was an audit;
    `sid` and `account` (name, domain) are what the event was logged under; `file` is what the collector
    knows of the file (ECS).
    """

    event_id: int
    channel: str = ""
    provider: str | None = None
    computer: str | None = None
    record_id: str | None = None
    time: str | None = None
    task: int | None = None
    task_name: str | None = None
    outcome: str | None = None
    level: Scalar = None
    sid: str | None = None
    account: tuple[str | None, str | None] = (None, None)
    message: str | None = None
    data: Fields = field(default_factory=dict)
    file: dict[str, Any] = field(default_factory=dict)


def read_record(line: str) -> WindowsRecord:
    """Read an event in whichever form it is.

    Raises:
        RecordError: none of the forms, or unusable.
    """
    stripped = line.strip()
    if stripped.startswith("<"):
        return _from_event({"Event": event_xml(stripped)})
    document = load_object(stripped)
    if "Event" in document:
        return _from_event(document)
    if isinstance(document.get("winlog"), dict):
        return _from_beat(document, document["winlog"])
    if isinstance(document.get("event_data"), dict) and "event_id" in document:
        return _from_beat(document, document)
    if (inner := embedded_xml(document)) is not None:
        return _from_event({"Event": event_xml(inner)})
    return _from_flat(document)


def embedded_xml(document: dict[str, Any]) -> str | None:
    """Give the event's XML where a collector passed it on as text."""
    for candidate in (child(document, "event").get("original"), document.get("message")):
        if isinstance(candidate, str) and candidate.lstrip().startswith("<Event"):
            return candidate.strip()
    return None


def _from_event(document: dict[str, Any]) -> WindowsRecord:
    event = child(document, "Event")
    system, rendering = child(event, "System"), child(event, "RenderingInfo")
    keywords = [_content(system.get("Keywords")), *items(child(rendering, "Keywords").get("Keyword"))]
    return WindowsRecord(
        event_id=_event_id(_content(system.get("EventID"))),
        channel=text(_content(system.get("Channel"))) or "",
        provider=text(_attribute(system, "Provider", "Name")),
        computer=text(_content(system.get("Computer"))),
        record_id=text(_content(system.get("EventRecordID"))),
        time=text(_attribute(system, "TimeCreated", "SystemTime")),
        task=number(_content(system.get("Task"))),
        task_name=text(_content(rendering.get("Task"))),
        level=_level(_content(system.get("Level"))),
        outcome=_outcome(keywords),
        sid=text(_attribute(system, "Security", "UserID")),
        message=text(_content(rendering.get("Message"))),
        data=_event_data(child(event, "EventData")) | _user_data(child(event, "UserData")),
    )


def _from_beat(document: dict[str, Any], head: dict[str, Any]) -> WindowsRecord:
    user, message = child(head, "user"), text(document.get("message"))
    task = head.get("task")
    return WindowsRecord(
        event_id=_event_id(head.get("event_id", child(document, "event").get("code"))),
        channel=text(head.get("channel") or head.get("log_name")) or "",
        provider=text(head.get("provider_name") or head.get("source_name")),
        computer=text(head.get("computer_name")),
        record_id=text(head.get("record_id") or head.get("record_number")),
        time=text(head.get("time_created") or document.get("@timestamp")),
        task=number(task),
        task_name=text(task),
        level=_level(head.get("level")),
        outcome=_outcome(
            [*items(head.get("keywords")), head.get("outcome"), child(document, "event").get("outcome")]
        ),
        sid=text(user.get("identifier")),
        account=(text(user.get("name")), text(user.get("domain"))),
        message=None if message is None or message.startswith("<Event") else message,
        data=flatten(child(head, "event_data")) | flatten(child(head, "user_data")),
        file=child(document, "file"),
    )


def _from_flat(document: dict[str, Any]) -> WindowsRecord:
    data = dict(document)
    head: dict[str, Any] = {}
    for name, spellings in _FLAT_HEAD.items():
        spelling = next((one for one in spellings if data.get(one) is not None), None)
        head[name] = data.pop(spelling) if spelling is not None else None
    if head["event_id"] is None or text(head["channel"]) is None:
        raise RecordError("neither a winlog object, an Event, nor a flat event with EventID and Channel")
    return WindowsRecord(
        event_id=_event_id(head["event_id"]),
        channel=text(head["channel"]) or "",
        provider=text(head["provider"]),
        computer=text(head["computer"]),
        record_id=text(head["record_id"]),
        time=text(head["time"]),
        task=number(head["task"]),
        task_name=text(head["task_name"]),
        level=_level(document.get("Level")),
        outcome=_outcome([*items(head["keywords"]), document.get("EventType")]),
        sid=text(head["sid"]),
        message=text(head["message"]),
        data=flatten(data),
    )


def _content(node: Any) -> Any:
    """Give what stands in an element: its text, where it has attributes too."""
    return node.get("#text") if isinstance(node, dict) else node


def _attribute(parent: dict[str, Any], tag: str, name: str) -> Any:
    element = child(parent, tag)
    for attributes, key in (
        (child(element, "#attributes"), name),
        (element, f"@{name}"),
        (child(parent, f"{tag}_attributes"), name),
    ):
        if key in attributes:
            return attributes[key]
    return None


def _level(value: Any) -> Scalar:
    """Give the level as the number that the schema has, or by its name."""
    found = number(value)
    return text(value) if found is None else found


def _event_id(value: Any) -> int:
    if (found := number(_content(value))) is None:
        raise RecordError("the event id is missing or is no number")
    return found


def _outcome(keywords: Iterable[Any]) -> str | None:
    """Tell a successful audit from a failed one by the keywords: their bits, or their names."""
    for keyword in keywords:
        written = text(keyword) or ""
        if (named := _OUTCOMES.get(written.lower())) is not None:
            return named
        try:
            bits = int(written, 0) if len(written) <= _MAX_KEYWORD else 0
        except ValueError:
            continue
        if bits & (_AUDIT_SUCCESS | _AUDIT_FAILURE):
            return "success" if bits & _AUDIT_SUCCESS else "failure"
    return None


def _event_data(node: dict[str, Any]) -> Fields:
    """Give the data under their names; those without a name together as a list under `Data`."""
    named: dict[str, list[Any]] = {}
    unnamed: list[Scalar] = []
    for key, value in node.items():
        if key.startswith(("#", "@")) or key.endswith("_attributes"):
            continue
        if key != "Data":
            named.setdefault(key, []).append(
                _content(value) if isinstance(value, dict) and "#text" in value else value
            )
            continue
        for item in items(value):
            name = text(_attribute({"Data": item}, "Data", "Name"))
            if name is not None:
                named.setdefault(name, []).append(_content(item))
            else:
                unnamed += [scalar(one) for one in items(_content(item))]
    if unnamed:
        named["Data"] = list(unnamed)
    return flatten({name: values[0] if len(values) == 1 else values for name, values in named.items()})


def _user_data(node: dict[str, Any]) -> Fields:
    """Give the data of the one element that the provider put under `UserData`."""
    found: Fields = {}
    for key, value in node.items():
        if isinstance(value, dict) and not key.startswith("#"):
            found |= _event_data(value)
    return found
