"""Stored logs, read once from beginning to end, as the records that `outfall run` would make of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import BinaryIO

from streams.errors import ConfigError
from streams.event import Origin, RawRecord
from streams.normalise.base import MAX_BYTES
from streams.runtime.lines import Line, read_lines
from streams.runtime.position import digest

HELD = 16 << 20
"""Most bytes of comments and blank lines before the first line that tells which stream it is."""
_HOLDING = 256
"""Bytes that it takes to hold a line, besides its own."""


def stored_records(
    source: str, stream: BinaryIO, received: int, taken: set[str] | None = None
) -> Iterator[RawRecord]:
    """Give the records of a stored log, with the origins that `feed.identify` would give them.

    So the lines before the one that tells the stream belong to it too: a `#Fields:` line must be remembered
    for the lines that follow. `taken` holds the streams that the source has already; a further one that
    begins alike gets a number (`.1`), and is added.

    Raises:
        ConfigError: it begins with more comments than are held.
    """
    lines = read_lines(stream, MAX_BYTES)
    head = _head(source, lines)
    if not head:
        return
    telling = head[-1] if _tells(head[-1]) else head[0]
    name = _free(digest(telling.data), set() if taken is None else taken)
    for line in head:
        yield RawRecord(line.data, Origin(source, name, line.offset, line.number), received)
    for line in lines:
        yield RawRecord(line.data, Origin(source, name, line.offset, line.number), received)


def _head(source: str, lines: Iterator[Line]) -> list[Line]:
    """Take the lines up to the one that tells the stream."""
    head: list[Line] = []
    size = 0
    for line in lines:
        head.append(line)
        size += len(line.data) + _HOLDING
        if _tells(line):
            break
        if size > HELD:
            raise ConfigError([f"{source}: begins with more than {HELD >> 20} MiB of comments"])
    return head


def _tells(line: Line) -> bool:
    return bool(line.data.strip()) and not line.data.startswith(b"#")


def _free(fingerprint: str, taken: set[str]) -> str:
    for number in count():
        name = f"{fingerprint}.{number}" if number else fingerprint
        if name not in taken:
            taken.add(name)
            return name
    raise AssertionError  # `count` has no end
