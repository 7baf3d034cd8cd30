"""Windows events of workstations and file servers, as Winlogbeat sends them. The writer numbers the records.

Events: Security 4663 and 5145, PrintService 307, Sysmon 11 and 15. On what lies on removable media the agent
adds the file's size and hash, as endpoint agents do.
"""

from __future__ import annotations

import zlib
from random import Random
from typing import Any

from streams.simulate.document import Document
from streams.simulate.moment import to_microsecond, to_millisecond
from streams.simulate.people import DOMAIN, WINDOWS_DOMAIN, Person
from streams.simulate.record import Record

FILE_SERVER = "FS-01"
EXPLORER = r"C:\Windows\explorer.exe"
OFFICE = r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE"
BROWSER = r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe"
ZIPPER = r"C:\Program Files\7-Zip\7zG.exe"
UNNUMBERED = b'"record_id":0'
"""A record's number as it stands in its JSON before the writer counts it."""
READ, WRITE, DELETE = ("0x1", "%%4416"), ("0x2", "%%4417"), ("0x10000", "%%1537")

_SECURITY = ("Security", "Microsoft-Windows-Security-Auditing", "{54849625-5478-4994-a5ba-3e3b0328c30d}")
_SYSMON = (
    "Microsoft-Windows-Sysmon/Operational",
    "Microsoft-Windows-Sysmon",
    "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
)
_PRINT = (
    "Microsoft-Windows-PrintService/Operational",
    "Microsoft-Windows-PrintService",
    "{747ef6fd-e535-4d16-b510-42c90f6873a1}",
)
_Access = tuple[str, str]


def accessed(random: Random, time: int, person: Person, path: str, process: str, access: _Access) -> Record:
    """Security 4663: a process of somebody's used a right on a file of their workstation."""
    return _event(
        time, person.host, 4663, "File System", _SECURITY, _object(random, person, path, process, access)
    )


def written_to_stick(random: Random, time: int, person: Person, file: Document, process: str) -> Record:
    """Security 4663 of task 12812, "Removable Storage": a file is written to a stick."""
    data = _object(random, person, rf"\Device\HarddiskVolume9\{file.name}", process, WRITE)
    record = _event(time, person.host, 4663, "Removable Storage", _SECURITY, data)
    extra = {"file": {"name": file.name, "size": file.size, "hash": {"sha256": file.sha256}}}
    return record._replace(body={**_document(record), **extra})


def on_share(
    random: Random, time: int, person: Person, share: str, relative: str, access: _Access = READ
) -> Record:
    """Security 5145: the file server checked somebody's access to a file of a share."""
    data = _subject(random, person) | {
        "ObjectType": "File",
        "IpAddress": person.ip,
        "IpPort": str(random.randint(49_152, 65_535)),
        "ShareName": rf"\\*\{share}",
        "ShareLocalPath": rf"\??\D:\Shares\{share}",
        "RelativeTargetName": relative,
        "AccessMask": access[0],
        "AccessList": access[1],
    }
    return _event(time, FILE_SERVER, 5145, "Detailed File Share", _SECURITY, data)


def printed(random: Random, time: int, person: Person, name: str, size: int, pages: int) -> Record:
    """PrintService 307: a document was printed; `size` is the print job's bytes."""
    data = {
        "Param1": str(random.randint(2, 250)),
        "Param2": name,
        "Param3": person.id,
        "Param4": rf"\\{person.host}",
        "Param5": f"PRN-{random.randint(1, 40):02}",
        "Param6": f"10.20.9.{random.randint(10, 60)}",
        "Param7": str(size),
        "Param8": str(pages),
    }
    return _event(time, "PRINT-01", 307, "Printing a document", _PRINT, data, user=person)


def created(time: int, person: Person, path: str, process: str) -> Record:
    """Sysmon 11: a process of somebody's made a file."""
    data = _sysmon_data(time, person, path, process)
    return _event(time, person.host, 11, "File created (rule: FileCreate)", _SYSMON, data)


def downloaded(time: int, person: Person, path: str, file: Document) -> Record:
    """Sysmon 15: the browser marked a file as coming from elsewhere; the hash is the whole file's."""
    data = _sysmon_data(time, person, f"{path}:Zone.Identifier", BROWSER) | {
        "Hash": f"SHA256={file.sha256.upper()}",
        "Contents": "[ZoneTransfer]  ZoneId=3",
    }
    return _event(time, person.host, 15, "File stream created (rule: FileCreateStreamHash)", _SYSMON, data)


def home(person: Person, folder: str, name: str) -> str:
    """Give the path of a file in somebody's profile."""
    return rf"C:\Users\{person.id}\{folder}\{name}"


def _sysmon_data(time: int, person: Person, path: str, process: str) -> dict[str, str]:
    moment = to_millisecond(time).replace("T", " ")
    return {
        "RuleName": "-",
        "UtcTime": moment,
        "ProcessGuid": f"{{{_process_id(person, process):08x}-5a1d-69a1-8803-000000002100}}",
        "ProcessId": str(_process_id(person, process)),
        "Image": process,
        "TargetFilename": path,
        "CreationUtcTime": moment,
        "User": f"{WINDOWS_DOMAIN}\\{person.id}",
    }


def _object(random: Random, person: Person, path: str, process: str, access: _Access) -> dict[str, str]:
    return _subject(random, person) | {
        "ObjectServer": "Security",
        "ObjectType": "File",
        "ObjectName": path,
        "HandleId": f"0x{random.randint(256, 8_000):x}",
        "AccessList": access[1],
        "AccessMask": access[0],
        "ProcessId": f"0x{_process_id(person, process):x}",
        "ProcessName": process,
        "ResourceAttributes": "-",
    }


def _process_id(person: Person, process: str) -> int:
    """Give the id under which a program runs on somebody's machine: one process does all that it does."""
    return 1_000 + 4 * (zlib.crc32(f"{person.host}/{process}".encode()) % 7_000)


def _subject(random: Random, person: Person) -> dict[str, str]:
    return {
        "SubjectUserSid": person.sid,
        "SubjectUserName": person.id,
        "SubjectDomainName": WINDOWS_DOMAIN,
        "SubjectLogonId": f"0x{random.randint(0x10000, 0xFFFFFF):x}",
    }


def _event(
    time: int,
    host: str,
    code: int,
    task: str,
    log: tuple[str, str, str],
    data: dict[str, str],
    *,
    user: Person | None = None,
) -> Record:
    channel, provider, guid = log
    computer = f"{host}.{DOMAIN}"
    winlog: dict[str, Any] = {
        "channel": channel,
        "computer_name": computer,
        "event_id": str(code),
        "provider_guid": guid,
        "provider_name": provider,
        "record_id": 0,
        "task": task,
        "time_created": f"{to_microsecond(time)}Z",
        "event_data": data,
    }
    if channel == "Security":
        winlog |= {"keywords": ["Audit Success"], "opcode": "Info"}
    if user is not None:
        winlog["user"] = {"identifier": user.sid, "name": user.id, "domain": WINDOWS_DOMAIN, "type": "User"}
    body = {
        "@timestamp": f"{to_millisecond(time)}Z",
        "host": {"name": computer},
        "event": {"code": str(code), "kind": "event", "provider": provider, "outcome": "success"},
        "winlog": winlog,
    }
    return Record(time, "windows", body)


def _document(record: Record) -> dict[str, Any]:
    assert isinstance(record.body, dict)  # noqa: S101 - `_event` makes nothing else
    return record.body
