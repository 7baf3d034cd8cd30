"""Content identities: by what a file is known again in another source (docs/architecture.md, "Fields")."""

from __future__ import annotations

import re

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def sha256_or_none(digest: str | None) -> str | None:
    """Give a SHA-256 in lower-case hexadecimal, or None where the text is none."""
    return digest.lower() if digest is not None and _SHA256.fullmatch(digest) else None


def file_identities(name: str | None, size: int | None, sha256: str | None = None) -> list[str]:
    """Give every identity of a file that is known: by its hash, and by its name with its size in bytes."""
    identities = []
    if (digest := sha256_or_none(sha256)) is not None:
        identities.append(f"sha256:{digest}")
    if name and size is not None:
        identities.append(f"file:{name.lower()}:{size}")
    return identities


def drive_identity(document_id: str | None) -> list[str]:
    """Give the identity of a Google Drive document, whose audit knows neither hash nor size."""
    return [f"drive:{document_id}"] if document_id else []


def sharepoint_identity(item_id: str | None) -> list[str]:
    """Give the identity of a SharePoint item (`ListItemUniqueId`), which a rename or move keeps."""
    return [f"sharepoint:{item_id.lower()}"] if item_id else []


def extension(name: str | None) -> str | None:
    """Give a file name's extension in lower case, without the dot; None where it has none."""
    stem, dot, ending = (name or "").rpartition(".")
    return ending.lower() if dot and stem and ending else None
