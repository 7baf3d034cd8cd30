"""Which file a Windows event is about, how it was used, and the channel, verdict and content that follow.

Access rights: https://learn.microsoft.com/windows/win32/fileio/file-security-and-access-rights; their codes
in `AccessList`: Microsoft's description of event 4663.
"""

from __future__ import annotations

from typing import Any

from streams.event import Fields
from streams.normalise.content_identity import extension, file_identities, sha256_or_none
from streams.normalise.values import number, present, text
from streams.normalise.windows_fields import base_name, hashes, hex_number, told
from streams.normalise.windows_record import WindowsRecord
from streams.normalise.windows_tables import PRINT, SECURITY, SYSMON

_REMOVABLE_STORAGE = 12812
"""Task of the audit subcategory "Removable Storage": only what lies on removable media is logged under it."""
_STORAGE_CLASSES = frozenset({"diskdrive", "wpd", "volume", "cdrom"})
_NEW_DEVICE = 6416

_SECURITY_OBJECTS = frozenset({4656, 4659, 4660, 4663, 4670, 4674, 4907})
"""Security events that name the file in `ObjectName` when `ObjectType` is File."""
_SHARE_ACCESS = 5145
_ACCESSES = frozenset({4663, _SHARE_ACCESS})
"""Security events that tell of a file's use, rather than of a request or of its permissions."""

_SYSMON_PATHS = {
    2: "TargetFilename",
    6: "ImageLoaded",
    7: "ImageLoaded",
    9: "Device",
    11: "TargetFilename",
    15: "TargetFilename",
    17: "PipeName",
    18: "PipeName",
    23: "TargetFilename",
    26: "TargetFilename",
    27: "TargetFilename",
    28: "TargetFilename",
    29: "TargetFilename",
}
_SYSMON_USES = {
    2: "change",
    11: "creation",
    15: "creation",
    23: "deletion",
    26: "deletion",
    27: "creation",
    28: "deletion",
    29: "creation",
}
"""Sysmon events that tell of a file's use, with ECS's `event.type`."""
_SYSMON_CREATED = frozenset({11, 15, 29})
_SYSMON_BLOCKED = frozenset({27, 28})

_RIGHTS = (
    ("access", 0x1, ("%%4416", "readdata")),
    ("change", 0x2, ("%%4417", "writedata")),
    ("change", 0x4, ("%%4418", "appenddata")),
    ("deletion", 0x10000, ("%%1537", "delete ")),
)
"""ECS `event.type` with the bit in `AccessMask` and what `AccessList` calls it, as code or rendered."""


def file_fields(record: WindowsRecord, channel: str) -> Fields:
    """Give `file.*`, `event.type` and `outfall.*`. `channel` is in lower case."""
    if (channel, record.event_id) == (PRINT, 307):
        return _printed(record.data)
    if (channel, record.event_id) == (SECURITY, _NEW_DEVICE):
        storage = (told(record.data, "ClassName") or "").lower() in _STORAGE_CLASSES
        return present({"outfall.channel": "removable" if storage else None})
    if channel == SECURITY:
        return _security(record)
    return _sysmon(record) if channel == SYSMON else {}


def _security(record: WindowsRecord) -> Fields:
    data = record.data
    path = None
    if (told(data, "ObjectType") or "").lower() == "file":
        if record.event_id == _SHARE_ACCESS:
            path = _shared_path(data)
        elif record.event_id in _SECURITY_OBJECTS:
            path = told(data, "ObjectName")
    if path is None:
        return {}
    fields = _named(path) | _known(record.file)
    if record.event_id not in _ACCESSES:
        return fields
    removable = record.task == _REMOVABLE_STORAGE or (record.task_name or "").lower() == "removable storage"
    blocked = record.outcome == "failure"
    uses = _uses(data)
    carried = file_identities(
        text(fields.get("file.name")), number(fields.get("file.size")), text(fields.get("file.hash.sha256"))
    )
    return fields | present(
        {
            "event.type": uses,
            "outfall.channel": "removable" if removable else "file",
            "outfall.verdict": "blocked" if blocked else "allowed",
            "outfall.bytes": number(fields.get("file.size")) if removable else None,
            "outfall.content.carries": carried if removable and "change" in uses else None,
        }
    )


def _sysmon(record: WindowsRecord) -> Fields:
    name = _SYSMON_PATHS.get(record.event_id)
    path = told(record.data, name) if name is not None else None
    if path is None:
        return {}
    if record.event_id == 15:
        path = _without_stream(path)
    fields = _named(path) | _known(record.file)
    fields |= hashes(record.data.get("Hashes") or record.data.get("Hash"), "file.hash")
    if (use := _SYSMON_USES.get(record.event_id)) is None:
        return fields
    made = file_identities(
        text(fields.get("file.name")), number(fields.get("file.size")), text(fields.get("file.hash.sha256"))
    )
    return fields | present(
        {
            "event.type": use,
            "outfall.channel": "file",
            "outfall.verdict": "blocked" if record.event_id in _SYSMON_BLOCKED else "allowed",
            "outfall.content.produces": made if record.event_id in _SYSMON_CREATED else None,
        }
    )


def _printed(data: Fields) -> Fields:
    """Read PrintService 307: Param1 to 8 are job, document, user, client, printer, port, bytes and pages.

    The size is the print job's, not the document's, so it makes no content identity.
    """
    document = told(data, "Param2")
    return present(
        {
            "file.name": base_name(document),
            "file.extension": extension(base_name(document)),
            "event.outcome": "success",
            "outfall.channel": "print",
            "outfall.verdict": "allowed",
            "outfall.bytes": number(data.get("Param7")),
        }
    )


def _named(path: str) -> Fields:
    name = base_name(path)
    return present({"file.path": path, "file.name": name, "file.extension": extension(name)})


def _known(file: dict[str, Any]) -> Fields:
    """Give what the collector added about the file (ECS `file.size`, `file.hash.sha256`)."""
    known = file.get("hash")
    digest = sha256_or_none(text(known.get("sha256"))) if isinstance(known, dict) else None
    return present({"file.size": number(file.get("size")), "file.hash.sha256": digest})


def _shared_path(data: Fields) -> str | None:
    r"""Give the local path of a file on a share: `\??\C:\Care` and `a\b.docx` make `C:\Care\a\b.docx`."""
    relative = (told(data, "RelativeTargetName") or "").strip("\\")
    if not relative:
        return None
    folder = told(data, "ShareLocalPath") or told(data, "ShareName") or ""
    return folder.removeprefix("\\??\\").rstrip("\\") + "\\" + relative


def _without_stream(path: str) -> str:
    r"""Give the path of the file whose stream this is: `C:\a.zip` of `C:\a.zip:Zone.Identifier`."""
    folder, separator, name = path.rpartition("\\")
    return folder + separator + name.partition(":")[0]


def _uses(data: Fields) -> list[str]:
    """Give how the file was used, by the rights that were exercised."""
    mask = hex_number(told(data, "AccessMask")) or 0
    listed = (told(data, "AccessList") or "").lower() + " "
    found = [use for use, bit, names in _RIGHTS if mask & bit or any(name in listed for name in names)]
    return list(dict.fromkeys(found))
