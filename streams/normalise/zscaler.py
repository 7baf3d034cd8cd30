"""Zscaler Internet Access: web logs that the Nanolog Streaming Service (NSS) sends as JSON.

Which fields a feed has, and by which keys, is configured; read here are the NSS's own names and those of its
feed for Splunk. Fields: https://help.zscaler.com/zia/nss-feed-output-format-web-logs
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import unquote

from streams.errors import RecordError
from streams.event import Fields, LogSource
from streams.normalise.address import clean_ip
from streams.normalise.base import Context, Parsed
from streams.normalise.content_identity import extension, file_identities, sha256_or_none
from streams.normalise.json_record import child, load_object, try_object
from streams.normalise.time import parse_ctime, parse_epoch, parse_time
from streams.normalise.values import number, present, text
from streams.normalise.web import client_fields, domain, transfer_fields, url_fields, user_fields

_NAMES: dict[str, tuple[str, ...]] = {
    "action": ("action",),
    "client": ("cip", "ClientIP", "cintip", "clientpublicIP", "cpubip"),
    "url": ("eurl", "url"),
    "host": ("ehost", "host", "hostname"),
    "method": ("reqmethod", "requestmethod"),
    "status": ("respcode", "status"),
    "sent": ("reqsize", "requestsize"),
    "received": ("respsize", "responsesize"),
    "server": ("sip", "serverip"),
    "user": ("login", "elogin", "user"),
    "protocol": ("proto", "protocol"),
    "id": ("recordid", "event_id"),
    "machine": ("devicehostname", "devicename"),
    "owner": ("deviceowner",),
    "agent": ("eua", "ua", "useragent"),
    "referrer": ("ereferer", "referer", "refererURL"),
    "file": ("upload_filename", "eupload_filename", "filename", "efilename"),
    "sha256": ("sha256",),
    "content_type": ("contenttype",),
    "category": ("urlcat", "urlcategory"),
    "app": ("appname",),
    "rule": ("rulelabel",),
    "dlp": ("dlpeng", "dlpengine"),
}
_NOTHING = frozenset({"", "-", "none", "na", "n/a", "not available"})
_SCHEMES = {
    "http": "http",
    "https": "https",
    "ssl": "https",
    "tunnel_ssl": "https",
    "dnsoverhttps": "https",
    "websocket": "ws",
    "websocket_ssl": "wss",
    "ftp": "ftp",
    "ftpoverhttp": "ftp",
}
_BLOCKED = ("block", "den", "drop", "reset")


class ZscalerWeb:
    """One web transaction a line, bare or under `event` as the feed for Splunk has it."""

    name = "zscaler_web"
    summary = "Zscaler Internet Access web log (NSS feed as JSON)"

    def recognises(self, line: str) -> bool:
        """See the interface."""
        if "zscalernss" not in line and '"reqmethod"' not in line and '"requestmethod"' not in line:
            return False
        document = try_object(line) or {}
        record = _record(document)
        signs = sum(
            any(name in record for name in _NAMES[key]) for key in ("action", "url", "client", "user")
        )
        return document.get("sourcetype") == "zscalernss-web" or (signs == 4 and "action" in record)

    def parse(self, line: str, context: Context) -> Parsed:
        """See the interface."""
        record = _record(load_object(line))
        if "action" not in record:
            raise RecordError("action is missing")
        said = {key: _first(record, names) for key, names in _NAMES.items()}
        return Parsed(
            fields=_fields(said),
            time=_time(record, context.zone),
            id=said["id"],
            logsources=(LogSource("proxy", "zscaler"),),
        )


def _record(document: dict[str, Any]) -> dict[str, Any]:
    return child(document, "event") or document


def _first(record: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """Give the first of these fields that says something; `None`, `NA` and the like say nothing."""
    values = (text(record.get(name)) for name in names)
    return next((value for value in values if value is not None and value.lower() not in _NOTHING), None)


def _time(record: dict[str, Any], zone: dt.tzinfo) -> int:
    """Read `epochtime`, else `time` or `datetime`, which are in the feed's zone: GMT if `tz` says so."""
    if (epoch := text(record.get("epochtime"))) is not None:
        return parse_epoch(epoch)
    said = text(record.get("time")) or text(record.get("datetime"))
    if said is None:
        raise RecordError("time is missing: none of epochtime, time and datetime is there")
    if (text(record.get("tz")) or "").upper() in ("GMT", "UTC"):
        zone = dt.UTC
    return parse_ctime(said, zone) if said[:1].isalpha() else parse_time(said, zone)


def _fields(said: dict[str, str | None]) -> Fields:
    action = said["action"] or ""
    method, status, sent = said["method"], number(said["status"]), number(said["sent"])
    fields = (
        present(
            {
                "destination.ip": clean_ip(said["server"]),
                "host.name": said["machine"],
                "http.request.method": method.upper() if method else None,
                "http.request.referrer": said["referrer"],
                "http.response.mime_type": said["content_type"],
                "network.application": said["app"],
                "network.protocol": said["protocol"].lower() if said["protocol"] else None,
                "rule.name": said["rule"],
                "user_agent.original": _unescaped(said["agent"]),
                "zscaler.dlp_engine": said["dlp"],
                "zscaler.url_category": said["category"],
            }
        )
        | client_fields(said["client"])
        | user_fields(_unescaped(said["user"] or said["owner"]))
        | url_fields(_url(said))
        | transfer_fields(
            sent=sent,
            received=number(said["received"]),
            status=status,
            action=action,
            blocked=action.lower().startswith(_BLOCKED),
        )
        | _file(said, sends=bool(sent) and method is not None and method.upper() in ("POST", "PUT", "PATCH"))
    )
    if "url.domain" not in fields and said["host"] is not None:
        fields |= present({"url.domain": domain(said["host"])})
    return fields


def _url(said: dict[str, str | None]) -> str | None:
    """Give the URL with the scheme that NSS leaves out and the protocol tells."""
    url, protocol = said["url"], (said["protocol"] or "").lower()
    if url is None or "://" in url.partition("?")[0]:
        return url
    tunnelled = url.partition("/")[0].endswith(":443")
    return f"{_SCHEMES.get(protocol, 'https' if tunnelled else 'http')}://{url}"


def _file(said: dict[str, str | None], *, sends: bool) -> Fields:
    name, digest = _unescaped(said["file"]), sha256_or_none(said["sha256"])
    return present(
        {
            "file.name": name,
            "file.extension": extension(name),
            "file.hash.sha256": digest,
            "outfall.content.carries": file_identities(name, None, digest) if sends else None,
        }
    )


def _unescaped(value: str | None) -> str | None:
    """Undo the `%HH` by which NSS escapes what could break a feed."""
    return unquote(value) if value is not None and "%" in value else value
