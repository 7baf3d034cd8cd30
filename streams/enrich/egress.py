"""Whether an event takes content away: an upload and not browsing, a write and not a read, an open share."""

from __future__ import annotations

from streams.event import Fields, Scalar, first, strings

UPLOAD_FLOOR = 4096
"""Bytes from which on a POST, PUT or PATCH counts as an upload; below are forms, searches, telemetry."""
TUNNEL_FLOOR = 65_536
"""Bytes from which on what a CONNECT sent counts as an upload; below are TLS itself and browsing."""

_UPLOADS = frozenset({"POST", "PUT", "PATCH"})
_WRITES = frozenset({"change", "creation"})
_OPEN = frozenset({"people_with_link", "public_on_the_web", "shared_externally"})
_CLOSED_LINKS = frozenset({"SharedLinkCreated", "SecureLinkCreated"})


def leaves(channel: Scalar, fields: Fields) -> bool:
    """Tell whether an event that goes outside takes content there; on the web, most is just browsing."""
    if channel != "web":
        return True
    method = str(first(fields.get("http.request.method")) or "").upper()
    if method == "CONNECT":
        size = upload_size(fields)
        return size is not None and size >= TUNNEL_FLOOR
    if method and method not in _UPLOADS:
        return False
    carries = bool(strings(fields.get("outfall.content.carries")))
    size = upload_size(fields)
    return carries or (method in _UPLOADS and (size is None or size >= UPLOAD_FLOOR))


def upload_size(fields: Fields) -> int | None:
    """Give the bytes of a request, or None where the source does not tell."""
    for name in ("http.request.bytes", "outfall.bytes"):
        size = first(fields.get(name))
        if isinstance(size, int):
            return size
    return None


def writes(fields: Fields) -> bool:
    """Tell whether an event puts something onto removable media, rather than reads or deletes there."""
    uses = strings(fields.get("event.type"))
    return not _WRITES.isdisjoint(uses) or bool(strings(fields.get("outfall.content.carries")))


def open_to_anyone(fields: Fields) -> bool:
    """Tell whether a share that names nobody is open to whoever has the link.

    Not so a link for the organisation or for people who are named in other events (Microsoft 365), and where
    Google says that it is visible inside only.
    """
    visibility = strings(fields.get("google_workspace.drive.visibility"))
    if visibility:
        return not _OPEN.isdisjoint(visibility)
    return _CLOSED_LINKS.isdisjoint(strings(fields.get("event.action")))
