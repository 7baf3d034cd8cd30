"""The headers of Kafka records that say what their bytes do not.

A raw record may say where it was first read, so that it has the same identity here as in a file, and how
often it has been tried. A record with a progress header is no raw record: it says that its partition holds
nothing older than that time any more, up to the source's lateness, as if an event of that time had come. It
may name the sources of all of whose partitions that is so.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from streams.errors import RecordError
from streams.event import Origin

Headers = list[tuple[str, bytes]]

ORIGIN = "outfall.origin"
PROGRESS = "outfall.progress"
MARKED = "outfall.marked"
ATTEMPTS = "outfall.attempts"
STAGE = "outfall.stage"
REASON = "outfall.reason"
ERROR = "outfall.error"
PLACE = "outfall.place"
SOURCE = "outfall.source"


def origin_header(origin: Origin) -> tuple[str, bytes]:
    """Say where a record was first read; the source is what the topic is configured as."""
    return ORIGIN, orjson.dumps([origin.stream, origin.offset, origin.line])


def progress_header(time: int) -> tuple[str, bytes]:
    """Say how far event time has come in a partition (nanoseconds since the epoch)."""
    return PROGRESS, str(time).encode()


def marked_header(sources: Iterable[str]) -> tuple[str, bytes]:
    """Say of which sources every partition has come, or will come, as far as the progress header says."""
    return MARKED, orjson.dumps([*sources])


def find(headers: Iterable[tuple[str, bytes]] | None, name: str) -> bytes | None:
    """Give the last header of a name."""
    found = None
    for key, value in headers or ():
        if key == name:
            found = value
    return found


def read_origin(value: bytes, source: str) -> Origin:
    """Read an origin header.

    Raises:
        RecordError: it is not one that `origin_header` makes.
    """
    try:
        stream, offset, line = orjson.loads(value)
    except (ValueError, TypeError):
        raise RecordError(f"header {ORIGIN} is not [stream, offset, line]") from None
    if not (isinstance(stream, str) and _natural(offset) and _natural(line) and len(stream) <= 256):
        raise RecordError(f"header {ORIGIN} is not [stream, offset, line]")
    return Origin(source, stream, offset, line)


def read_marked(value: bytes) -> tuple[str, ...]:
    """Read what `marked_header` makes.

    Raises:
        RecordError: it is something else.
    """
    try:
        names = orjson.loads(value)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RecordError(f"header {MARKED} is not a list of names")
    return tuple(names)


def read_number(value: bytes, name: str) -> int:
    """Read a header that holds a whole number of at most 64 bits.

    Raises:
        RecordError: it holds anything else.
    """
    text = value.decode("ascii", "replace")
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19) or not -(2**63) <= int(text) < 2**63:
        raise RecordError(f"header {name} is not a number of 64 bits")
    return int(text)


def _natural(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
