"""Squid's native access log, and the same extended by the request's size.

`squid` reads what squid writes by default (https://www.squid-cache.org/Doc/config/logformat), where the
reply's size, `%<st`, is the only one. `squid_extended` reads that line with the request's size, `%>st`, at
its end. In squid.conf (versions 3.2 to 7):

    logformat outfall %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt %>st
    access_log stdio:/var/log/squid/access.log outfall

Whether squid knows more than the host of a CONNECT depends on ssl_bump.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from streams.errors import RecordError
from streams.event import Fields, LogSource
from streams.normalise.address import clean_ip
from streams.normalise.base import Context, Parsed
from streams.normalise.syslog import without_header
from streams.normalise.time import parse_epoch
from streams.normalise.values import number, present
from streams.normalise.web import client_fields, transfer_fields, url_fields, user_fields

_BEGINNING = re.compile(
    r"(?P<time>[0-9]{1,12}\.[0-9]{3,6}) +(?P<elapsed>-?[0-9]{1,12}) (?P<client>\S+) "
    r"(?P<action>[A-Z_]+)/(?P<status>[0-9]{3}) (?P<received>-?[0-9]{1,18}) (?P<method>\S+) (?P<url>\S+) "
)
_END = re.compile(
    r"(?P<user>.+) (?P<hierarchy>[A-Z_-]+)/(?P<peer>\S+) "
    r"(?P<mime>[^\s;]+(?:; ?[^\s;]+){0,3})(?: (?P<sent>[0-9]{1,18}))?"
)
"""The user may hold spaces, which `%[un` keeps; greed leaves the rest to the end of the line."""

_FORBIDDEN = (401, 403, 407)
_DIRECT = ("DIRECT", "ORIGINAL_DST", "PINNED")


class Squid:
    """One request a line, as squid logs it unless told otherwise."""

    name = "squid"
    summary = "Squid's native access log (which knows only the reply's size)"
    _extended = False

    def recognises(self, line: str) -> bool:
        """See the interface."""
        return _split(line, extended=self._extended) is not None

    def parse(self, line: str, context: Context) -> Parsed:  # noqa: ARG002 - the interface's
        """See the interface."""
        found = _split(line, extended=self._extended)
        if found is None:
            wanted = "%>st after squid's native fields" if self._extended else "squid's native fields"
            raise RecordError(f"not a squid access line: {wanted} are needed, from time to content type")
        return Parsed(
            fields=_fields(found),
            time=parse_epoch(found["time"]),
            logsources=(LogSource("proxy", "squid"),),
        )


class SquidExtended(Squid):
    """The same with the request's size as a last field."""

    name = "squid_extended"
    summary = "Squid's native access log with the request's size (%>st) as a last field"
    _extended = True


def _split(line: str, *, extended: bool) -> dict[str, str] | None:
    """Give the fields of a line by name, or None where it is none."""
    line = line.strip()
    if not line[:1].isdigit() or not _BEGINNING.match(line):
        line = without_header(line).strip()
    beginning = _BEGINNING.match(line)
    if not beginning:
        return None
    rest = line[beginning.end() :]
    if rest.endswith("]"):  # log_mime_hdrs adds the headers of request and reply, each in brackets
        rest = rest.partition(" [")[0]
    end = _END.fullmatch(rest.rstrip())
    if not end or (end["sent"] is not None) != extended:
        return None
    return beginning.groupdict() | end.groupdict()


def _fields(found: dict[str, str]) -> Fields:
    action, status = found["action"], int(found["status"])
    hierarchy = found["hierarchy"].removeprefix("TIMEOUT_").removeprefix("HIER_")
    return (
        present(
            {
                "http.request.method": _stated(found["method"]),
                "http.response.mime_type": _stated(found["mime"]),
                "destination.ip": clean_ip(found["peer"]) if hierarchy in _DIRECT else None,
                "event.duration": max(int(found["elapsed"]), 0) * 1_000_000,
            }
        )
        | client_fields(_stated(found["client"]))
        | user_fields(_stated(_decoded(found["user"])))
        | url_fields(_stated(found["url"]))
        | transfer_fields(
            sent=number(found["sent"]),
            received=number(found["received"]),
            status=status,
            action=action,
            blocked=_blocked(action, status, hierarchy),
        )
    )


def _blocked(action: str, status: int, hierarchy: str) -> bool:
    """Tell whether squid itself refused: `TCP_DENIED`, or a refusal for which it asked no server.

    Not so `TCP_DENIED_REPLY`: there the request had already gone out, and only its reply was withheld.
    """
    if action.endswith("_DENIED"):
        return True
    return status in _FORBIDDEN and hierarchy in ("NONE", "-") and action != "TCP_DENIED_REPLY"


def _decoded(user: str) -> str:
    r"""Undo the encoding of `%[un`: `%HH`, and `\\` for a backslash; spaces stay as they are."""
    return unquote(user.replace("\\\\", "\\"))


def _stated(text: str) -> str | None:
    return text if text not in ("-", "NONE") else None
