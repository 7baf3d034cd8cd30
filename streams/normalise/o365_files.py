"""SharePoint and OneDrive in Microsoft 365's unified audit: files and their sharing.

Schemas "SharePoint File Operations" and "SharePoint Sharing" of the Office 365 Management Activity API.
"""

from __future__ import annotations

from typing import Any

from streams.event import Fields
from streams.normalise.address import mail_addresses
from streams.normalise.content_identity import extension, file_identities, sharepoint_identity
from streams.normalise.values import number, present, text

_SHARES = frozenset(
    {
        "AddedToSecureLink",
        "AnonymousLinkCreated",
        "AnonymousLinkUpdated",
        "SecureLinkCreated",
        "SharedLinkCreated",
        "SharingInvitationCreated",
        "SharingInvitationUpdated",
        "SharingSet",
    }
)
"""Operations by which somebody gets at an item."""
_LINKS = frozenset({"AnonymousLinkCreated", "AnonymousLinkUpdated"})
"""Those that let anybody in who has the link; nobody is named."""
_TO_PEOPLE = frozenset({"guest", "member", "user"})
_ARRIVALS = frozenset({"FileUploaded", "FileSyncUploadedFull"})
_DEPARTURES = frozenset({"FileDownloaded", "FileSyncDownloadedFull"})
_COPIES = frozenset({"FileCopied", "FileMoved", "FileRenamed"})


def file_operation(record: dict[str, Any]) -> Fields:
    """Give `file.*`, the channel and the content of a record that names a file; nothing for another record.

    A copy, move or rename names the file by its new name. Sizes are there only since 2021 (`FileSizeBytes`);
    the item's id, which a move or rename keeps, ties a share to the upload before it.
    """
    operation = text(record.get("Operation")) or ""
    source = text(record.get("SourceFileName"))
    name = text(record.get("DestinationFileName")) or source
    item = sharepoint_identity(text(record.get("ListItemUniqueId")))
    if name is None and operation not in _SHARES:
        return {}
    size = number(record.get("FileSizeBytes"))
    ending = text(record.get("DestinationFileExtension")) or text(record.get("SourceFileExtension"))
    fields = {
        "file.name": name,
        "file.path": text(record.get("DestinationRelativeUrl")) or text(record.get("SourceRelativeUrl")),
        "file.extension": extension(name) or (ending.lower() if ending else None),
        "file.size": size,
        "outfall.channel": "file",
        "outfall.verdict": "allowed",
    }
    shared = _shared_with(record, operation)
    if shared is not None:
        return present(
            fields
            | {
                "outfall.channel": "share",
                "outfall.bytes": size,
                "outfall.content.carries": item + file_identities(name, size),
                "email.to.address": shared,
            }
        )
    here, there = item + file_identities(source, size), file_identities(name, size)
    lineage: dict[str, tuple[list[str], list[str]]] = {}
    lineage |= dict.fromkeys(_ARRIVALS, (file_identities(name, size), item))
    lineage |= dict.fromkeys(_DEPARTURES, (item, there))
    lineage |= dict.fromkeys(_COPIES, (here, there))
    made_from, made = lineage.get(operation, ([], []))
    if made_from and made and made_from != made:
        return present(fields | {"outfall.content.from": made_from, "outfall.content.produces": made})
    return present(fields)


def _shared_with(record: dict[str, Any], operation: str) -> list[str] | None:
    """Give the addresses that an item was shared with; None where it was shared with no person.

    SharePoint also logs as `SharingSet` the groups that it makes by itself for a link; they let nobody in.
    """
    if operation not in _SHARES:
        return None
    kind = (text(record.get("TargetUserOrGroupType")) or "").lower()
    if operation in _LINKS or operation == "SharedLinkCreated":
        return []
    if kind and kind not in _TO_PEOPLE:
        return None
    return mail_addresses(text(record.get("TargetUserOrGroupName")))
