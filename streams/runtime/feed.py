"""One stream of records: a file that is known by what it begins with, read on from a position."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Protocol

from streams.event import Origin, RawRecord
from streams.runtime.position import Position, digest
from streams.runtime.tail import Line, Tail

Clock = Callable[[], int]
"""Gives the time, in nanoseconds since the epoch."""


class Feed:
    """The records of one stream in their order. `final` takes an unfinished last line as a record too.

    `time` is that of the last record that was taken, if any had one; the reader of the feed sets it.
    """

    def __init__(self, descriptor: int, position: Position, clock: Clock, *, final: bool = False) -> None:
        self.source, self.stream = position.source, position.stream
        self.time = position.time
        self.final = final
        self._place = position
        self._tail = Tail(descriptor, position.offset)
        self._clock = clock
        self._line = position.line
        self._head: Line | None = None
        self._taken: Line | None = None

    @property
    def descriptor(self) -> int:
        """The open file."""
        return self._tail.descriptor

    @property
    def replaced(self) -> bool:
        """Whether the file no longer holds what was read of it, so that nothing more will come."""
        return self._tail.replaced and self._head is None

    @property
    def waiting(self) -> bool:
        """Whether there is a record, or likely to be one."""
        return self._head is not None or self._tail.waiting

    @property
    def position(self) -> Position:
        """The place after the last record that was taken."""
        if self._taken is None:
            return self._place
        _, _, end, before = self._taken
        guard = digest(before) if before else ""
        return replace(
            self._place, offset=end, line=self._line, time=self.time, guarded=len(before), guard=guard
        )

    def peek(self) -> RawRecord | None:
        """Give the next record without taking it, or None where there is none now."""
        if self._head is None:
            self._head = self._tail.next(final=self.final)
        if self._head is None:
            return None
        origin = Origin(self.source, self.stream, self._head.offset, self._line)
        return RawRecord(self._head.data, origin, self._clock())

    def take(self) -> None:
        """Go on to the next record."""
        self._taken, self._head = self._head, None
        self._line += 1

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)


class Input(Protocol):
    """One configured source: it finds streams and gives them as feeds."""

    name: str

    def poll(self) -> list[Feed]:
        """Look for what is new and give the open feeds.

        Raises:
            OSError: the source cannot be read any more.
        """
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing can come any more once the feeds are read."""
        ...

    def finished(self) -> list[Position]:
        """Give the positions of streams that have ended since the last call, to be saved."""
        ...

    def saved(self) -> None:
        """Learn that everything taken so far has been processed and saved."""
        ...

    def close(self) -> None:
        """Let go of files and sockets."""
        ...


def identify(
    descriptor: int,
    path: Path,
    source: str,
    positions: Mapping[str, Position],
    *,
    final: bool = False,
    resume: Callable[[Position], bool] = lambda _: True,
) -> Position | None:
    """Find the position of an open file among the known ones of its source, by stream, or a new one.

    A stream is the fingerprint of the first finished line that is neither blank nor a `#` comment; two files
    that begin alike but go on differently are told apart by a number (`.1`). None while there is no such
    line; with `final`, any line will do. `resume` may refuse to take a file for one that is known.
    """
    first = _first_line(descriptor, final=final)
    if first is None:
        return None
    fingerprint = digest(first)
    for number in count():
        stream = f"{fingerprint}.{number}" if number else fingerprint
        known = positions.get(stream)
        if known is None:
            return Position(source, stream, str(path))
        if resume(known) and _holds(descriptor, known):
            return replace(known, path=str(path), finished=False)
    raise AssertionError  # `count` has no end


def _first_line(descriptor: int, *, final: bool) -> bytes | None:
    tail = Tail(descriptor)
    first: bytes | None = None
    while line := tail.next(final=final):
        if line.data.strip() and not line.data.startswith(b"#"):
            return line.data
        first = line.data if first is None else first
    return first if final else None


def _holds(descriptor: int, position: Position) -> bool:
    if os.fstat(descriptor).st_size < position.offset:
        return False
    return position.fits(os.pread(descriptor, position.guarded, position.offset - position.guarded))
