"""Blue Coat (Symantec, Broadcom) ProxySG access logs in W3C extended format (ELFF).

The columns are those of the last `#Fields:` line (https://www.w3.org/TR/WD-logfile), which is kept for each
stream; before one they are those of the default format `bcreportermain_v1`, to whose end newer versions add
columns. Sizes are as seen by the appliance: `cs-bytes` from the client, `sc-bytes` to the client. Times are
UTC but for `localtime`.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from streams.errors import Ignored, RecordError
from streams.event import Fields, LogSource
from streams.normalise.address import clean_ip
from streams.normalise.base import Context, Parsed
from streams.normalise.syslog import without_header
from streams.normalise.time import parse_apache, parse_epoch, parse_time
from streams.normalise.values import number, stated
from streams.normalise.web import client_fields, domain, transfer_fields, url_fields, user_fields

BCREPORTERMAIN = (
    "date time time-taken c-ip cs-username cs-auth-group x-exception-id sc-filter-result cs-categories "
    "cs(Referer) sc-status s-action cs-method rs(Content-Type) cs-uri-scheme cs-host cs-uri-port cs-uri-path "
    "cs-uri-query cs-uri-extension cs(User-Agent) s-ip sc-bytes cs-bytes x-virus-id"
)
"""The columns that every version of the default format has."""

ANNOUNCED = "proxysg.fields"
"""Where a stream's memory keeps the columns of its `#Fields:` line."""

_LOG_SOURCES = (LogSource("proxy", "bluecoat"),)
_MAX_COLUMNS = 256
_HEADERS = 16
"""Lists of columns that are remembered; an organisation has one or two."""
_CONTENT_TYPE = "rs(content-type)"
_DIRECTIVE = re.compile(r"#(?:Version|Fields|Software|Start-Date|End-Date|Date|Remark):", re.IGNORECASE)
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(\[[0-9A-Za-z/:]{1,32} [0-9A-Z+-]{1,8}\]|\S+)')
"""A value, which is quoted where it holds spaces; times have brackets instead."""
_DEFAULT_LINE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ \t]+[0-9]{2}:[0-9]{2}:[0-9]{2}[ \t]+[0-9]{1,12}[ \t]+"
    r"[0-9a-fA-F.:]{2,64}[ \t]"
)
_VERDICT = re.compile(r"\b(?:OBSERVED|PROXIED|DENIED)\b")
_PARAMETER = re.compile(r";?(?:%20)?([A-Za-z0-9-]{1,32}=\S+)")
_DEFAULT_PORTS = {"http": "80", "https": "443", "ftp": "21"}


class ProxySG:
    """One request a line."""

    name = "proxysg"
    summary = "Blue Coat ProxySG access log (W3C; bcreportermain_v1 or what #Fields says)"

    def recognises(self, line: str) -> bool:
        """See the interface."""
        if line.startswith("#"):
            return _DIRECTIVE.match(line) is not None
        bare = line if _DEFAULT_LINE.match(line) else without_header(line)
        return _DEFAULT_LINE.match(bare) is not None and _VERDICT.search(bare[:4096]) is not None

    def parse(self, line: str, context: Context) -> Parsed:
        """See the interface."""
        if line.startswith("#"):
            _remember(line, context)
            raise Ignored("a directive of the log")
        announced = context.memory.get(ANNOUNCED)
        columns, content_type = _columns(announced or BCREPORTERMAIN)
        values = _values(line, len(columns), content_type)
        if len(values) < len(columns):
            values = _values(without_header(line), len(columns), content_type)
        if len(values) < len(columns) or (announced and len(values) > len(columns)):
            raise RecordError(f"{len(values)} columns, where {len(columns)} are needed")
        named = {
            column: value for column, value in zip(columns, values, strict=False) if value and value != "-"
        }
        return Parsed(_fields(named), _time(named, context.zone), logsources=_LOG_SOURCES)


def _remember(line: str, context: Context) -> None:
    """Keep what `#Fields:` says about the lines that follow."""
    name, _, columns = line.partition(":")
    if name.lower() != "#fields":
        return
    if not 0 < len(columns.split()) <= _MAX_COLUMNS:
        raise RecordError(f"#Fields names no columns, or more than {_MAX_COLUMNS}")
    context.memory[ANNOUNCED] = " ".join(columns.split())


@lru_cache(maxsize=_HEADERS)
def _columns(stated: str) -> tuple[tuple[str, ...], int | None]:
    """Give the names of columns in lower case, and where among them the content type is."""
    names = tuple(stated.lower().split())
    return names, names.index(_CONTENT_TYPE) if _CONTENT_TYPE in names else None


def _values(line: str, columns: int, content_type: int | None) -> list[str]:
    """Part a line at spaces outside quotes.

    A content type's parameters (`text/html; charset=utf-8`), which are not always quoted, are put back to
    it: the `;` may have gone, and the space be `%20`.
    """
    values = _plain_values(line)
    if values is None:
        values = [bare or quoted.replace('""', '"') for quoted, bare in _TOKEN.findall(line)]
    if content_type is not None:
        while len(values) > columns and (parameter := _PARAMETER.fullmatch(values[content_type + 1])):
            values[content_type : content_type + 2] = [f"{values[content_type].rstrip(';')}; {parameter[1]}"]
    return values


def _plain_values(line: str) -> list[str] | None:
    """Part a line as `_TOKEN` would, only faster; None where quotes or brackets are not plainly a value's."""
    if "[" in line or '""' in line or line.count('"') % 2:
        return None
    parts = iter(line.split('"'))
    before = next(parts)
    values = before.split()
    for quoted, after in zip(parts, parts, strict=True):
        if (before and not before[-1].isspace()) or (after and not after[0].isspace()):
            return None
        values.append(quoted)
        values += after.split()
        before = after
    return values


def _time(named: dict[str, str], zone: dt.tzinfo) -> int:
    date, time = named.get("date"), named.get("time")
    if date and time:
        return parse_time(f"{date} {time}")
    if epoch := named.get("timestamp") or named.get("x-timestamp-unix"):
        return parse_epoch(epoch)
    if stamp := named.get("gmttime") or named.get("x-cookie-date"):
        return parse_apache(stamp)
    if stamp := named.get("localtime"):
        return parse_apache(stamp, zone)
    raise RecordError("the line has no time: none of date with time, timestamp, gmttime and localtime")


def _fields(named: dict[str, str]) -> Fields:
    status, action = number(named.get("sc-status")), named.get("s-action")
    taken = number(named.get("time-taken"))
    fields = stated(
        {
            "destination.ip": clean_ip(named.get("r-ip") or named.get("cs-ip")),
            "event.duration": taken * 1_000_000 if taken is not None else None,
            "http.request.method": named.get("cs-method"),
            "http.request.referrer": named.get("cs(referer)"),
            "http.response.mime_type": named.get("rs(content-type)"),
            "observer.ip": clean_ip(named.get("s-ip")),
            "proxysg.application": named.get("x-bluecoat-application-name"),
            "proxysg.application_operation": named.get("x-bluecoat-application-operation"),
            "proxysg.categories": named.get("cs-categories") or named.get("sc-filter-category"),
            "proxysg.exception": named.get("x-exception-id"),
            "proxysg.filter_result": named.get("sc-filter-result"),
            "user.group.name": named.get("cs-auth-group"),
            "user_agent.original": named.get("cs(user-agent)"),
        }
    )
    fields.update(client_fields(named.get("c-ip")))
    fields.update(user_fields(named.get("cs-username") or named.get("cs-user") or named.get("cs-userdn")))
    fields.update(url_fields(_url(named)))
    fields.update(
        transfer_fields(
            sent=number(named.get("cs-bytes")),
            received=number(named.get("sc-bytes")),
            status=status,
            action=action or named.get("sc-filter-result"),
            blocked=named.get("sc-filter-result") == "DENIED" or (action or "").endswith("_DENIED"),
        )
    )
    if "url.domain" not in fields:
        fields.update(stated({"url.domain": domain(named.get("cs-host") or named.get("r-host"))}))
    return fields


def _url(named: dict[str, str]) -> str | None:
    """Put the URL together from its columns; for CONNECT that is `host:port`."""
    if whole := named.get("cs-uri") or named.get("c-uri"):
        return whole
    host, scheme, port = named.get("cs-host"), named.get("cs-uri-scheme"), named.get("cs-uri-port")
    if host is None:
        return None
    if named.get("cs-method") == "CONNECT" or scheme in (None, "tcp", "ssl"):
        return f"{host}:{port}" if port else host
    place = f":{port}" if port and port != _DEFAULT_PORTS.get(scheme) else ""
    return f"{scheme}://{host}{place}{named.get('cs-uri-path', '')}{named.get('cs-uri-query', '')}"
