"""Zscaler Internet Access: web logs that the Nanolog Streaming Service (NSS) sends as JSON.

Which fields a feed has, and by which keys, is configured; read here are the NSS's own names and those of its
feed for Splunk. Fields: https://help.zscaler.com/zia/nss-feed-output-format-web-logs
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from streams.errors import RecordError
from streams.event import Fields, LogSource
from streams.memo import remembered
from streams.normalise.address import clean_ip
from streams.normalise.base import Context, Parsed
from streams.normalise.content_identity import extension, file_identities, sha256_or_none
from streams.normalise.json_record import child, load_object, try_object
from streams.normalise.time import parse_ctime, parse_epoch, parse_time
from streams.normalise.values import number, present, stated, text
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
_INITIALS = "nN-"  # of these; no other character becomes one of them in lower case
_READ = frozenset(name for names in _NAMES.values() for name in names)
_FIELDS = 256
_FEEDS = 16
"""Sets of fields that are remembered; an organisation has one or two."""
_LOG_SOURCES = (LogSource("proxy", "zscaler"),)
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
_unquote = remembered(unquote)


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
        said = _said(record)
        return Parsed(_fields(said), _time(record, context.zone), said.get("id"), _LOG_SOURCES)


def _record(document: dict[str, Any]) -> dict[str, Any]:
    return child(document, "event") or document


def _said(record: dict[str, Any]) -> dict[str, str]:
    """Give what a record says: of `_NAMES`, each time the first field that says something.

    `None`, `NA` and the like say nothing.
    """
    said: dict[str, str] = {}
    # Of a record of ever so many fields nothing is remembered but those that are read.
    names = record if len(record) <= _FIELDS else filter(_READ.__contains__, record)
    for key, name in _present(tuple(names)):
        if key not in said:
            value = record[name]
            value = value.strip() if isinstance(value, str) else text(value)
            if value and (value[0] not in _INITIALS or value.lower() not in _NOTHING):
                said[key] = value
    return said


@lru_cache(maxsize=_FEEDS)
def _present(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Give those of `_NAMES` that are among the fields of a record; a feed has the same in all records."""
    there = set(names)
    return [(key, name) for key, listed in _NAMES.items() for name in listed if name in there]


def _time(record: dict[str, Any], zone: dt.tzinfo) -> int:
    """Read `epochtime`, else `time` or `datetime`, which are in the feed's zone: GMT if `tz` says so."""
    if (epoch := text(record.get("epochtime"))) is not None:
        return parse_epoch(epoch)
    said = text(record.get("time")) or text(record.get("datetime"))
    if said is None:
        raise RecordError("time is missing: none of epochtime, time and datetime is there")
    if "tz" in record and (text(record["tz"]) or "").upper() in ("GMT", "UTC"):
        zone = dt.UTC
    return parse_ctime(said, zone) if said[:1].isalpha() else parse_time(said, zone)


def _fields(said: dict[str, str]) -> Fields:
    action, method, sent = said.get("action", ""), said.get("method", "").upper(), number(said.get("sent"))
    fields = stated(
        {
            "destination.ip": clean_ip(said.get("server")),
            "host.name": said.get("machine"),
            "http.request.method": method or None,
            "http.request.referrer": said.get("referrer"),
            "http.response.mime_type": said.get("content_type"),
            "network.application": said.get("app"),
            "network.protocol": said["protocol"].lower() if "protocol" in said else None,
            "rule.name": said.get("rule"),
            "user_agent.original": _unescaped(said.get("agent")),
            "zscaler.dlp_engine": said.get("dlp"),
            "zscaler.url_category": said.get("category"),
        }
    )
    fields.update(client_fields(said.get("client")))
    fields.update(user_fields(_unescaped(said.get("user") or said.get("owner"))))
    fields.update(url_fields(_url(said)))
    fields.update(
        transfer_fields(
            sent=sent,
            received=number(said.get("received")),
            status=number(said.get("status")),
            action=action,
            blocked=action.lower().startswith(_BLOCKED),
        )
    )
    if "file" in said or "sha256" in said:
        fields.update(_file(said, sends=bool(sent) and method in ("POST", "PUT", "PATCH")))
    if "url.domain" not in fields and "host" in said:
        fields.update(stated({"url.domain": domain(said["host"])}))
    return fields


def _url(said: dict[str, str]) -> str | None:
    """Give the URL with the scheme that NSS leaves out and the protocol tells."""
    url, protocol = said.get("url"), said.get("protocol", "").lower()
    if url is None or "://" in url.partition("?")[0]:
        return url
    tunnelled = url.partition("/")[0].endswith(":443")
    return f"{_SCHEMES.get(protocol, 'https' if tunnelled else 'http')}://{url}"


def _file(said: dict[str, str], *, sends: bool) -> Fields:
    name, digest = _unescaped(said.get("file")), sha256_or_none(said.get("sha256"))
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
    return _unquote(value) if value is not None and "%" in value else value
