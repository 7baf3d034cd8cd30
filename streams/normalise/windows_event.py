"""Windows events: file and share auditing, printing, removable storage, Sysmon; any other event in general.

What the data mean: https://learn.microsoft.com/windows/security/threat-protection/auditing/ (Security),
https://learn.microsoft.com/sysinternals/downloads/sysmon (Sysmon). All data stay exactly as written under
`winlog.event_data.<Name>`, which is what Sigma's rules for Windows are mapped onto.
"""

from __future__ import annotations

import datetime as dt

from streams.errors import RecordError
from streams.event import NANOSECONDS, Fields
from streams.normalise.base import Context, Parsed
from streams.normalise.json_record import try_object
from streams.normalise.time import parse_time
from streams.normalise.values import prefixed, present, text, within
from streams.normalise.windows_fields import ecs_fields
from streams.normalise.windows_files import file_fields
from streams.normalise.windows_record import WindowsRecord, embedded_xml, read_record
from streams.normalise.windows_tables import ACTIONS, SECURITY, log_sources


class WindowsEvent:
    """One event a line: XML, evtx JSON, Winlogbeat or flat JSON."""

    name = "windows_event"
    summary = "Windows events as XML, evtx JSON, Winlogbeat or flat JSON, one event a line"

    def recognises(self, line: str) -> bool:
        """See the interface."""
        start = line.lstrip()[:512]
        if start.startswith("<"):
            return start.startswith("<Event") and "schemas.microsoft.com/win/2004/08/events" in start
        if not start.startswith("{") or not any(sign in line for sign in ("winlog", "Event", "event_data")):
            return False
        document = try_object(line) or {}
        event = document.get("Event")
        return (
            isinstance(document.get("winlog"), dict)
            or (isinstance(event, dict) and isinstance(event.get("System"), dict))
            or (isinstance(document.get("event_data"), dict) and "event_id" in document)
            or ("EventID" in document and "Channel" in document)
            or embedded_xml(document) is not None
        )

    def parse(self, line: str, context: Context) -> Parsed:
        """See the interface."""
        record = read_record(line)
        channel = record.channel.lower()
        data = record.data | _spaceless(record.data)
        if (channel, record.event_id) == (SECURITY, 4688):
            data |= _as_sysmon(data)
        fields = present(
            {
                "event.code": str(record.event_id),
                "event.provider": record.provider,
                "event.outcome": record.outcome,
                "event.action": ACTIONS.get((channel, record.event_id)),
                "host.name": record.computer,
                "message": record.message,
                "winlog.channel": record.channel or None,
                "winlog.provider_name": record.provider,
                "winlog.event_id": record.event_id,
                "winlog.computer_name": record.computer,
                "winlog.record_id": record.record_id,
                "winlog.level": record.level,
                "winlog.task": record.task_name if record.task is None else record.task,
            }
        )
        fields |= (
            prefixed("winlog.event_data", data) | ecs_fields(record, channel) | file_fields(record, channel)
        )
        with within("time"):
            time = _time(record, context.zone)
        return Parsed(
            fields=fields,
            time=time,
            id=_identity(record, time),
            logsources=log_sources(channel, record.event_id, text(record.data.get("EventType"))),
        )


def _time(record: WindowsRecord, zone: dt.tzinfo) -> int:
    """Give the event's own time, not the collector's. Sysmon's `UtcTime` serves where the head has none."""
    if record.time is not None:
        return parse_time(record.time, zone)
    if (moment := text(record.data.get("UtcTime"))) is not None:
        return parse_time(moment, dt.UTC)
    raise RecordError("the event has none")


def _identity(record: WindowsRecord, time: int) -> str | None:
    """Name the event by its number in its machine's channel.

    The second is part of it, since numbers begin anew on a machine that was installed again.
    """
    if not (record.computer and record.channel and record.record_id):
        return None
    return f"{record.computer}/{record.channel}/{record.record_id}/{time // NANOSECONDS}".lower()


def _spaceless(data: Fields) -> Fields:
    """Give data whose names have spaces under `ThreatName` and `Threat_Name` too.

    Sigma's rules for Windows Defender, which names its data so, use these.
    """
    return {name.replace(" ", glue): data[name] for name in data if " " in name for glue in ("", "_")}


def _as_sysmon(data: Fields) -> Fields:
    """Give a Security 4688's data under Sysmon 1's names as well, where they mean exactly the same.

    Sigma's category `process_creation` is written in Sysmon's names. `ProcessId` is left alone: 4688 means
    the parent's by it.
    """
    taken = {
        "Image": data.get("NewProcessName"),
        "ParentImage": data.get("ParentProcessName"),
        "IntegrityLevel": data.get("MandatoryLabel"),
        "User": _process_owner(data),
    }
    return {name: value for name, value in taken.items() if value is not None and name not in data}


def _process_owner(data: Fields) -> str | None:
    """Give the account that the new process runs as: the target where there is one, else the subject."""
    for who in ("Target", "Subject"):
        name, domain = text(data.get(f"{who}UserName")), text(data.get(f"{who}DomainName"))
        if name not in (None, "-"):
            return f"{domain}\\{name}" if domain not in (None, "-") else name
    return None
