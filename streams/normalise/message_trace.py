"""Exchange Online's message trace: the Reporting web service's MessageTrace, Get-MessageTrace(V2), or Graph.

One record tells of one recipient of one message. Properties: https://learn.microsoft.com/previous-versions/office/
developer/o365-enterprise-developers/jj984335(v=office.15) and .../graph/api/resources/exchangemessagetrace
"""

from __future__ import annotations

from typing import Any

from streams.errors import RecordError
from streams.event import Fields, LogSource
from streams.normalise.address import account, clean_ip
from streams.normalise.base import Context, Parsed
from streams.normalise.json_record import load_object, try_object
from streams.normalise.time import parse_epoch, parse_time
from streams.normalise.values import number, present, text

_SIGNS = ("senderaddress", "recipientaddress", "status")
_TIMES = ("received", "receiveddatetime")
_IDS = ("messagetraceid", "id")
_BLOCKED = frozenset({"failed", "quarantined"})
_OUTCOMES = {
    "delivered": "success",
    "expanded": "success",
    "resolved": "success",
    "filteredasspam": "success",
}
"""FilteredAsSpam was delivered, into the junk mail."""


class MessageTrace:
    """One message to one recipient a line."""

    name = "message_trace"
    summary = "Microsoft 365 message trace, one JSON entry for each recipient a line"

    def recognises(self, line: str) -> bool:
        """See the interface."""
        if "ecipientAddress" not in line:
            return False
        record = _record(try_object(line) or {})
        return all(sign in record for sign in _SIGNS) and any(name in record for name in (*_TIMES, *_IDS))

    def parse(self, line: str, context: Context) -> Parsed:  # noqa: ARG002 - the interface's
        """See the interface."""
        record = _record(load_object(line))
        missing = [sign for sign in _SIGNS if sign not in record]
        if missing:
            raise RecordError(f"{', '.join(missing)} missing (names are compared without case)")
        said = next((found for name in _TIMES if (found := text(record.get(name))) is not None), None)
        if said is None:
            raise RecordError("Received (or receivedDateTime) is missing")
        identity = next((found for name in _IDS if (found := text(record.get(name))) is not None), None)
        recipient = (text(record.get("recipientaddress")) or "").lower()
        return Parsed(
            fields=_fields(record),
            time=_time(said),
            id=f"{identity}:{recipient}".lower() if identity else None,
            logsources=(LogSource("email", "m365", "message_trace"),),
        )


def _record(document: dict[str, Any]) -> dict[str, Any]:
    """Give the properties under names in lower case, since Graph writes them otherwise than Exchange."""
    return {name.lower(): value for name, value in document.items()}


def _time(said: str) -> int:
    """Read the time, which is UTC also where it does not say so; old OData has `/Date(milliseconds)/`."""
    if said.startswith("/Date(") and said.endswith(")/"):
        return parse_epoch(said[len("/Date(") : -len(")/")])
    return parse_time(said)


def _fields(record: dict[str, Any]) -> Fields:
    sender, recipient = text(record.get("senderaddress")), text(record.get("recipientaddress"))
    status, size = text(record.get("status")), number(record.get("size"))
    direction = _direction(sender, recipient, text(record.get("organization")))
    name, _, mail = account(recipient if direction == "inbound" else sender)
    ours = (status or "").lower()
    return present(
        {
            "email.direction": direction,
            "email.from.address": sender,
            "email.to.address": [recipient] if recipient else None,
            "email.subject": text(record.get("subject")),
            "email.message_id": text(record.get("messageid")),
            "destination.domain": _domain(recipient),
            "destination.ip": clean_ip(text(record.get("toip"))),
            "event.action": status,
            "event.outcome": _OUTCOMES.get(ours, "failure" if ours in _BLOCKED else "unknown"),
            "organization.name": text(record.get("organization")),
            "outfall.channel": "email",
            "outfall.verdict": "blocked" if ours in _BLOCKED else "allowed",
            "outfall.bytes": size,
            "source.ip": clean_ip(text(record.get("fromip"))),
            "user.email": mail,
            "user.name": name,
        }
    )


def _direction(sender: str | None, recipient: str | None, organization: str | None) -> str | None:
    """Tell the direction by the organization's domain; None where that is in neither address.

    An organization may have more domains than the one that is named.
    """
    if organization is None:
        return None
    ours = organization.lower()
    match (_domain(sender) == ours, _domain(recipient) == ours):
        case (True, True):
            return "internal"
        case (True, False):
            return "outbound"
        case (False, True):
            return "inbound"
    return None


def _domain(address: str | None) -> str | None:
    return (address or "").rpartition("@")[2].lower() or None
