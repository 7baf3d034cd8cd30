"""Microsoft 365's unified audit: the record itself, or as Filebeat, Graph or Search-UnifiedAuditLog wrap it.

Schemas: https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from streams.errors import RecordError
from streams.event import Fields, LogSource, Value
from streams.normalise.address import account, clean_ip, is_mail
from streams.normalise.base import Context, Parsed
from streams.normalise.json_record import child, load_object, objects, try_object
from streams.normalise.o365_dlp import dlp_verdict
from streams.normalise.o365_files import file_operation
from streams.normalise.o365_mail_rules import mail_rule
from streams.normalise.o365_tables import RECORD_TYPES
from streams.normalise.time import parse_time
from streams.normalise.values import number, prefixed, present, scalar, text, within

_WRAPPERS = (
    ("o365audit",),
    ("o365", "audit"),
    ("AuditData",),
    ("auditData",),
    ("event", "original"),
    ("message",),
)
"""Where collectors put the record, as an object or as its text."""
_OUTCOMES = {
    "succeeded": "success",
    "success": "success",
    "partiallysucceeded": "success",
    "true": "success",
    "failed": "failure",
    "failure": "failure",
    "false": "failure",
}
_PAIRS = ("Parameters", "ExtendedProperties", "OperationProperties", "DeviceProperties")
"""Lists of `{"Name": …, "Value": …}`."""
_SERVICES = {
    "exchange": ("exchange",),
    "securitycompliancecenter": ("threat_management", "threat_detection"),
    "threatintelligence": ("threat_management",),
}
"""Sigma's services by workload, beside `audit`, which every record belongs to."""


class O365Audit:
    """One audit record a line."""

    name = "o365_audit"
    summary = "Microsoft 365 unified audit, one JSON record a line, bare or wrapped"

    def recognises(self, line: str) -> bool:
        """See the interface."""
        if "CreationTime" not in line or "RecordType" not in line:
            return False
        return bool(_record(try_object(line) or {}))

    def parse(self, line: str, context: Context) -> Parsed:  # noqa: ARG002 - the interface's
        """See the interface."""
        record = _record(load_object(line))
        if not record:
            raise RecordError("no audit record with CreationTime and RecordType is in this")
        if (moment := text(record.get("CreationTime"))) is None:
            raise RecordError("CreationTime is no text")
        with within("CreationTime"):
            time = parse_time(moment, dt.UTC)
        workload, operation = text(record.get("Workload")), text(record.get("Operation"))
        kind = number(record.get("RecordType"))
        identity, target = text(record.get("Id")), text(record.get("ObjectId")) or ""
        is_url = target.lower().startswith(("https://", "http://"))
        fields = present(
            {
                "event.action": operation,
                "event.code": RECORD_TYPES.get(kind)
                if kind in RECORD_TYPES
                else text(record.get("RecordType")),
                "event.provider": workload,
                "event.outcome": _outcome(record),
                "organization.id": text(record.get("OrganizationId")),
                "organization.name": text(record.get("OrganizationName")),
                "source.ip": _client(record),
                "url.full": target if is_url else None,
                "user_agent.original": text(record.get("UserAgent")),
            }
        )
        fields |= prefixed("o365.audit", _scalars(record))
        fields |= _user(record) | file_operation(record) | mail_rule(record) | dlp_verdict(record)
        return Parsed(
            fields=fields,
            time=time,
            id=identity.lower() if identity else None,
            logsources=tuple(
                LogSource(None, "m365", service)
                for service in ("audit", *_SERVICES.get((workload or "").lower(), ()))
            ),
        )


def _record(document: dict[str, Any]) -> dict[str, Any]:
    """Find the audit record in what a collector wrote: itself, or inside."""
    if "CreationTime" in document and "RecordType" in document:
        return document
    for path in _WRAPPERS:
        inner: Any = child(document, *path[:-1]).get(path[-1])
        if isinstance(inner, str):
            inner = try_object(inner)
        if isinstance(inner, dict) and "CreationTime" in inner and "RecordType" in inner:
            return inner
    return {}


def _outcome(record: dict[str, Any]) -> str:
    """Tell whether it was done. SharePoint gives no status and logs only what was done.

    A sign-in's `ResultStatus` is about the request alone ("Common schema"); its operation tells.
    """
    if text(record.get("Operation")) == "UserLoginFailed":
        return "failure"
    return _OUTCOMES.get((text(record.get("ResultStatus")) or "").lower(), "success")


def _client(record: dict[str, Any]) -> str | None:
    for key in ("ClientIPAddress", "ClientIP", "ActorIpAddress"):
        if (address := clean_ip(text(record.get(key)))) is not None:
            return address
    return None


def _user(record: dict[str, Any]) -> Fields:
    """Say who did it, and whose mailbox it was in.

    Exchange names the user by SID alone where somebody opened their own mailbox; that is the owner then.
    """
    user = text(record.get("UserId"))
    owner = text(record.get("MailboxOwnerUPN"))
    name, domain, mail = account(user)
    if mail is None and is_mail(owner) and number(record.get("LogonType")) == 0:
        name, domain, mail = account(owner)
    return present(
        {
            "user.id": user,
            "user.name": name,
            "user.domain": domain,
            "user.email": mail,
            "user.target.email": owner if owner != mail else None,
        }
    )


def _scalars(record: dict[str, Any]) -> Fields:
    """Give the record's plain values and its name-value pairs under their own names, as Sigma's rules do."""
    found: Fields = {name: scalar(value) for name, value in record.items() if _is_plain(value)}
    for pairs in _PAIRS:
        for pair in objects(record.get(pairs)):
            name, value = text(pair.get("Name")), scalar(pair.get("Value"))
            if name is not None and value is not None:
                found[f"{pairs}.{name}"] = value
    request: Value = found.get("ExtendedProperties.RequestType")
    if request is not None:
        found.setdefault("RequestType", request)
    return found


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) and value != ""
