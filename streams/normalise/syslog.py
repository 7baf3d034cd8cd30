"""The header that syslog puts before a line: RFC 3164, section 4.1; RFC 5424, section 6; and as in files."""

from __future__ import annotations

import re
from typing import NamedTuple

from streams.normalise.base import Context
from streams.normalise.time import parse_rfc3164, parse_time

_RFC5424 = re.compile(
    r"<[0-9]{1,3}>1 (?P<time>\S{1,64}) (?P<host>\S{1,255}) (?P<program>\S{1,48}) (?P<pid>\S{1,128}) \S{1,32} "
    r'(?:-|(?:\[(?:[^\]\\"]|"(?:[^"\\]|\\.)*")*\])+)(?: \ufeff?(?P<message>.*))?',
    re.DOTALL,
)
"""The alternatives inside structured data exclude each other, so matching is linear."""

_FILE = re.compile(
    r"(?:<[0-9]{1,3}>)?"
    r"(?P<time>[A-Z][a-z]{2} {1,2}[0-9]{1,2} (?:[0-9]{4} )?[0-9:]{8}(?:[.,][0-9]{1,9})?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:\S{1,40}) "
    r"(?:(?P<host>\S{0,254}[^\s:]) )?(?P<program>[^\s:\[]{1,64})(?:\[(?P<pid>[^\]\s]{1,32})\])?: ?"
    r"(?P<message>.*)",
    re.DOTALL,
)
"""RFC 3164 with or without priority, year and host; many write the time as RFC 5424 does."""


class Header(NamedTuple):
    """What stood before a message, as text, and the message. What is not known is None."""

    time: str | None
    host: str | None
    program: str
    pid: int | None
    message: str


def split_header(line: str) -> Header | None:
    """Part a line from its syslog header, or give None where it has none."""
    found = _RFC5424.fullmatch(line) or _FILE.fullmatch(line)
    if not found:
        return None
    pid = found["pid"] or ""
    return Header(
        None if found["time"] == "-" else found["time"],
        None if found["host"] == "-" else found["host"],
        found["program"],
        int(pid) if pid.isascii() and pid.isdigit() and len(pid) <= 10 else None,
        found["message"] or "",
    )


def without_header(line: str) -> str:
    """Give the message of a line that may have come through syslog; the line itself where it did not."""
    header = split_header(line)
    return line if header is None else header.message


def header_time(text: str, context: Context) -> int:
    """Read the time of a header; the receipt and the zone complete one that lacks its year or zone.

    Raises:
        RecordError: it is no time.
    """
    if text[:1].isalpha():
        return parse_rfc3164(text, context.received, context.zone)
    return parse_time(text, context.zone)
