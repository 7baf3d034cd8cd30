"""Syslog messages: the header of RFC 5424 and of RFC 3164, and which part of a message a format wants."""

from __future__ import annotations

import re
from collections.abc import Callable

_RFC5424 = re.compile(
    r"<\d{1,3}>1 (?P<time>\S{1,64}) (?P<host>\S{1,255}) (?P<app>\S{1,48}) (?P<process>\S{1,128}) \S{1,32} "
    r'(?:-|(?:\[(?:[^\]\\"]|"(?:[^"\\]|\\.)*")*\])+)(?: (?P<text>.*))?',
    re.DOTALL,
)
"""Section 6: the alternatives inside structured data exclude each other, so matching is linear."""

_RFC3164 = re.compile(
    r"(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{1,40}) (?P<host>\S{1,255}) "
    r"(?P<app>[^\s:\[]{1,64})(?:\[(?P<process>[^\]\s]{1,32})\])?: ?(?P<text>.*)",
    re.DOTALL,
)
"""Section 4.1, without the priority; many senders write the time as in RFC 5424, and so do log files."""

_PRIORITY = re.compile(r"<\d{1,3}>")


def record_of(message: bytes, recognises: Callable[[str], bool]) -> bytes:
    """Give the record that a message carries, on one line.

    That is the whole message as a log file would show it (`TIME HOST APP[PID]: TEXT`) where the source's
    format recognises that, as Postfix's does; else the text after the header alone. Line ends inside a
    message, which octet counting permits, become spaces.
    """
    text = message.decode("utf-8", "surrogateescape").rstrip("\r\n\0")
    text = text.replace("\r\n", " ").replace("\n", " ")
    whole, carried = _parts(text)
    record = whole.encode("utf-8", "surrogateescape")
    if recognises(record.decode("utf-8", "replace")):
        return record
    return carried.encode("utf-8", "surrogateescape")


def _parts(text: str) -> tuple[str, str]:
    found = _RFC5424.fullmatch(text)
    if found:
        process = "" if found["process"] == "-" else f"[{found['process']}]"
        carried = (found["text"] or "").removeprefix("\ufeff")
        return f"{found['time']} {found['host']} {found['app']}{process}: {carried}", carried
    line = _PRIORITY.sub("", text, count=1) if text.startswith("<") else text
    found = _RFC3164.fullmatch(line)
    return line, found["text"] if found else line
