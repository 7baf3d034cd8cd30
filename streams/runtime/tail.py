"""One open file, read line by line, while somebody else appends to it, truncates it or renames it."""

from __future__ import annotations

import os
from typing import NamedTuple

from streams.normalise.base import MAX_BYTES
from streams.runtime.position import GUARDED

CHUNK = 1 << 18
_KEPT = MAX_BYTES + 1
"""Of a longer line only so much is kept: enough for the pipeline to see that it is too long."""
_OVERLAP = 64


class Line(NamedTuple):
    """One line without its end. `end` is the offset after it, `before` the file's bytes just before `end`."""

    data: bytes
    offset: int
    end: int
    before: bytes


class Tail:
    """The lines of a file from an offset on; an unfinished last line waits until it is finished.

    When the file no longer holds what was read before, `replaced` becomes true and nothing more is read.
    """

    def __init__(self, descriptor: int, offset: int = 0) -> None:
        self.descriptor = descriptor
        self.replaced = False
        self._offset = offset  # of the next line
        self._read = offset  # up to where the file has been read
        self._last = os.pread(descriptor, min(offset, _OVERLAP), offset - min(offset, _OVERLAP))
        self._buffer = b""
        self._start = 0  # of the next line in the buffer
        self._searched = 0  # up to where the buffer holds no further line's end
        self._skipped = 0  # bytes of an overlong line that have been let go

    @property
    def waiting(self) -> bool:
        """Whether there is something that has not been given yet, an unfinished line aside."""
        if self._buffer.find(b"\n", self._start) >= 0:
            return True
        return not self.replaced and os.fstat(self.descriptor).st_size != self._read

    def next(self, *, final: bool = False) -> Line | None:
        """Give the next line, or None where there is none yet; `final` takes an unfinished one too."""
        while True:
            found = self._buffer.find(b"\n", self._searched)
            if found >= 0:
                return self._cut(found, found + 1)
            self._searched = len(self._buffer)
            if not self._more():
                break
        if (final or self.replaced) and self._start < len(self._buffer):
            return self._cut(len(self._buffer), len(self._buffer))
        return None

    def _cut(self, stop: int, after: int) -> Line:
        data = self._buffer[self._start : stop]
        end = self._offset + self._skipped + after - self._start
        before = b"" if self._skipped else self._buffer[max(self._start, after - GUARDED) : after]
        line = Line(data[:_KEPT].removesuffix(b"\r"), self._offset, end, before)
        self._offset, self._start, self._searched, self._skipped = end, after, after, 0
        return line

    def _more(self) -> bool:
        """Read on; false where the file ends. What was read before must still be there."""
        if self.replaced:
            return False
        data = os.pread(self.descriptor, len(self._last) + CHUNK, self._read - len(self._last))
        if not data.startswith(self._last):
            self.replaced = True
            return False
        fresh = data[len(self._last) :]
        if not fresh:
            return False
        self._read += len(fresh)
        self._last = data[-_OVERLAP:]
        self._buffer = self._buffer[self._start :] + fresh
        self._searched -= self._start
        self._start = 0
        self._let_go()
        return True

    def _let_go(self) -> None:
        """Shorten an overlong unfinished line, so that memory stays bounded."""
        excess = len(self._buffer) - _KEPT
        if excess > 0 and self._buffer.find(b"\n", self._searched) < 0:
            self._buffer = self._buffer[:_KEPT]
            self._skipped += excess
            self._searched = _KEPT
