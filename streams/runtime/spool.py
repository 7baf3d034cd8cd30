"""A spool: files in the state folder through which goes what comes over the network or a pipe.

It is read from there like any log, so that what was received outlives a crash of the process.

Appending is one write(2) for each piece: it survives `kill -9`, but not a power cut that the disk's cache
does not survive; the senders would not learn of a loss in either case.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from streams.runtime.feed import Clock, Feed, identify
from streams.runtime.position import Position

PART = 16 << 20
"""Size in bytes at which the next file is begun."""
BACKLOG = 16
"""So many unread files make a sender that can wait do so."""


class SpoolWriter:
    """Appends to a spool. Each process begins a file of its own; only one thread may write."""

    def __init__(self, folder: Path, source: str, *, clock: Clock, part: int = PART) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._source, self._clock, self._part = folder, source, clock, part
        self._number = max(map(_number, parts(folder, source)), default=0)
        self._size = 0
        self._descriptor = self._begin()

    @property
    def full(self) -> bool:
        """Whether so much is unread that a sender should wait."""
        return len(parts(self._folder, self._source)) > BACKLOG

    def write(self, data: bytes) -> None:
        """Append some bytes; a new file is only begun after a line's end.

        Raises:
            OSError: they cannot be written; the disk is full, say.
        """
        end = data.rfind(b"\n") + 1
        if self._size + len(data) > self._part and end:
            self._append(data[:end])
            os.close(self._descriptor)
            self._descriptor = self._begin()
            data = data[end:]
        self._append(data)

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)

    def _begin(self) -> int:
        self._number = max(self._number + 1, self._clock())  # no name is ever used again
        self._size = 0
        path = self._folder / f"{self._source}.{self._number:020d}.log"
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)

    def _append(self, data: bytes) -> None:
        self._size += len(data)
        while data:
            data = data[os.write(self._descriptor, data) :]


class SpoolReader:
    """Gives the files of a spool in their order, each to its end, and deletes what has been saved.

    `closed` is set once nothing is written to the spool any more.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        positions: Iterable[Position],
        *,
        clock: Clock,
        closed: threading.Event,
    ) -> None:
        self.name = source
        self._folder = folder
        self._positions = {position.stream: position for position in positions}
        self._clock = clock
        self._closed = closed
        self._path: Path | None = None
        self._feed: Feed | None = None
        self._finished: list[Position] = []
        self._done: list[Path] = []

    @property
    def ended(self) -> bool:
        """Whether nothing is written any more and all has been given."""
        return self._closed.is_set() and self._feed is None and not self._left()

    def poll(self) -> list[Feed]:
        """Give the file that is to be read now, if there is one."""
        while True:
            closed = self._closed.is_set()  # looked at before the files, since the last bytes come before it
            left = self._left()
            if self._feed is None:
                self._path = left[0] if left else None
            if self._path is None:
                return []
            final = closed or left[-1:] != [self._path]
            feed = self._feed = self._feed or self._open(self._path, final=final)
            if feed is not None:
                feed.final = final
                if not final or feed.peek() is not None:
                    return [feed]
                self._end(feed)
            elif not final:
                return []
            self._done.append(self._path)

    def finished(self) -> list[Position]:
        """Give the positions of the files that have been read to their end since the last call."""
        finished, self._finished = self._finished, []
        return finished

    def saved(self) -> None:
        """Delete the files of which everything has been saved."""
        for path in self._done:
            path.unlink(missing_ok=True)
        self._done.clear()

    def close(self) -> None:
        """Close the open file."""
        if self._feed:
            self._feed.close()

    def _left(self) -> list[Path]:
        return [path for path in parts(self._folder, self.name) if path not in self._done]

    def _open(self, path: Path, *, final: bool) -> Feed | None:
        """Begin to read a file; None while it has no whole line."""
        descriptor = os.open(path, os.O_RDONLY)
        position = identify(
            descriptor,
            path,
            self.name,
            self._positions,
            final=final,
            resume=lambda known: Path(known.path).name == path.name,
        )
        if position is None:
            os.close(descriptor)
            return None
        return Feed(descriptor, position, self._clock, final=final)

    def _end(self, feed: Feed) -> None:
        position = replace(feed.position, finished=True)
        self._positions[feed.stream] = position
        self._finished.append(position)
        feed.close()
        self._feed = None


def parts(folder: Path, source: str) -> list[Path]:
    """Give the files of a spool in the order in which they were written."""
    return sorted(path for path in folder.glob("*.log") if _source(path) == source)


def _source(path: Path) -> str:
    return path.name.rsplit(".", 2)[0]


def _number(path: Path) -> int:
    return int(path.name.rsplit(".", 2)[1])
