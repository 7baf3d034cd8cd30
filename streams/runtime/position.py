"""How far a stream has been read, and how its file is known again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

GUARDED = 256
"""How many bytes before a position serve to tell whether the file is still the same."""


@dataclass(frozen=True, slots=True)
class Position:
    """The place after the last record that was processed of one stream of one source.

    `offset` is in bytes, `line` the number of the next line. `time` is that of the last record that had one
    (nanoseconds). `guard` is the hash of the `guarded` bytes before the offset: a file in which these are
    different is not the one that was read. `path` is where the file was last seen. `finished` says that the
    stream was read to its end after its file had been rotated away.
    """

    source: str
    stream: str
    path: str
    offset: int = 0
    line: int = 0
    time: int | None = None
    guarded: int = 0
    guard: str = ""
    finished: bool = False

    def fits(self, before: bytes) -> bool:
        """Tell whether these are the guarded bytes."""
        return len(before) == self.guarded and (not self.guarded or digest(before) == self.guard)


def digest(data: bytes) -> str:
    """Give a short fingerprint of some bytes: the first 64 bits of their SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()[:16]
