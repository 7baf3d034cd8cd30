"""From raw bytes to events: the formats, and the one function that reads a record by one of them."""

from __future__ import annotations

import hashlib

from streams.errors import Ignored, RecordError
from streams.event import Event, Origin, RawRecord, rfc3339
from streams.normalise.any_json import Json
from streams.normalise.auto import Auto
from streams.normalise.base import MAX_BYTES, Context, Format, Parsed
from streams.normalise.case_system import CaseSystem
from streams.normalise.ecs import Ecs
from streams.normalise.google_drive import GoogleDrive
from streams.normalise.message_trace import MessageTrace
from streams.normalise.o365_audit import O365Audit
from streams.normalise.postfix import Postfix
from streams.normalise.proxysg import ProxySG
from streams.normalise.squid import Squid, SquidExtended
from streams.normalise.windows_event import WindowsEvent
from streams.normalise.zscaler import ZscalerWeb

_RECOGNISED: tuple[Format, ...] = (
    CaseSystem(),
    ZscalerWeb(),
    MessageTrace(),
    O365Audit(),
    GoogleDrive(),
    WindowsEvent(),
    Ecs(),
    Postfix(),
    SquidExtended(),
    Squid(),
    ProxySG(),
)
"""From strict to loose: a line is of the first that recognises it."""

FORMATS: dict[str, Format] = {
    listed.name: listed for listed in (*_RECOGNISED, Json(), Auto(_RECOGNISED, ProxySG()))
}
"""Every format by its name."""

_ID_DIGITS = 32


def normalise(record: RawRecord, format: Format, context: Context, *, require_time: bool = True) -> Event:  # noqa: A002 - what it is
    """Read one record. Without `require_time` one that has no time is taken too, at time 0.

    The event's id is a hash of the format's name with the source's own id, else of the record's origin; so it
    is short, the same wherever the record is read, and tells nothing.

    Raises:
        RecordError: the record cannot be processed; why and where, without its content.
        Ignored: it was never meant to be a record (blank, a comment, a header).
    """
    line = _text(record.data)
    try:
        parsed = format.parse(line, context)
    except RecursionError:
        raise RecordError("nested too deep") from None
    if parsed.time is None and require_time:
        raise RecordError(parsed.untimed or "the record has no time")
    dataset = parsed.dataset or format.name
    event_id = _own_id(dataset, parsed.id) if parsed.id else _origin_id(record.origin)
    if not parsed.verbatim:
        _add_head(parsed, event_id, dataset)
    return Event(event_id, parsed.time or 0, parsed.fields, record.origin, parsed.logsources, parsed.marks)


def _text(data: bytes) -> str:
    """Decode a record, refusing what no log line is."""
    if len(data) > MAX_BYTES:
        raise RecordError(f"longer than {MAX_BYTES} bytes")
    if (place := data.find(b"\0")) >= 0:
        raise RecordError(f"a NUL byte at byte {place}")
    try:
        line = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise RecordError(f"not UTF-8 at byte {error.start}") from None
    if not line.strip():
        raise Ignored("a blank line")
    return line


def _add_head(parsed: Parsed, event_id: str, dataset: str) -> None:
    """Add what every event has; a document that has an id or dataset of its own keeps it."""
    fields = parsed.fields
    if parsed.time is not None:
        fields["@timestamp"] = rfc3339(parsed.time)
    if fields.get("event.id") is None:
        fields["event.id"] = event_id
    if fields.get("event.dataset") is None:
        fields["event.dataset"] = dataset


def _own_id(dataset: str, own: str) -> str:
    return hashlib.sha256(f"{dataset}\0{own}".encode()).hexdigest()[:_ID_DIGITS]


def _origin_id(origin: Origin) -> str:
    place = f"{origin.source}\0{origin.stream}\0{origin.offset}"
    return hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:_ID_DIGITS]
