"""Log files that are followed as `tail -F` does, across rotation by renaming and by truncating.

A file is known by its stream (see `feed.identify`), never by its name: renamed, copied or moved to another
disk it goes on where it was read up to. Compressed files are not read.
"""

from __future__ import annotations

import glob
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from streams.runtime.feed import Clock, Feed, identify
from streams.runtime.position import Position
from streams.setting_types import is_glob

log = logging.getLogger(__name__)

CHUNK = 1024
"""So many bytes at either end are compared to tell a copy."""
GRACE = 60.0
"""Seconds for which a file that was renamed away must be quiet before it counts as finished."""
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z")

_Key = tuple[int, int]  # device and inode


class FileInput:
    """One file, or all that a glob names. With `final` there is no waiting for the rest of a last line."""

    def __init__(
        self,
        source: str,
        path: Path,
        positions: Iterable[Position],
        *,
        clock: Clock,
        final: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source
        self._path = path
        self._many = is_glob(str(path))
        self._positions = {position.stream: position for position in positions}
        self._lost = {
            stream: position for stream, position in self._positions.items() if not position.finished
        }
        self._clock = clock
        self._final = final
        self._monotonic = monotonic
        self._feeds: dict[_Key, Feed] = {}
        self._quiet: dict[_Key, float] = {}  # since when a file that was renamed away has been quiet
        self._finished: list[Position] = []
        self._said: set[str] = set()
        self._look_beside = True

    @property
    def ended(self) -> bool:
        """With `final`, whether all has been given; without, never: a log can grow at any time."""
        return self._final and not any(feed.waiting or feed.replaced for feed in self._feeds.values())

    def poll(self) -> list[Feed]:
        """Look for new, renamed and truncated files, and give the open ones."""
        self._drop_replaced()
        found = self._named()
        self._retire(found)
        if self._look_beside and not self._many:
            self._open_beside()
        self._look_beside = False
        if self._many or not any(feed.waiting for feed in self._feeds.values()):
            for key, path in found.items():
                if key not in self._feeds:
                    self._open(path)
            self._report_lost()
        return list(self._feeds.values())

    def finished(self) -> list[Position]:
        """Give the positions of the files that have ended since the last call."""
        finished, self._finished = self._finished, []
        return finished

    def saved(self) -> None:
        """Nothing is to be done: the files are not ours."""

    def close(self) -> None:
        """Close all files."""
        for feed in self._feeds.values():
            feed.close()
        self._feeds.clear()

    def _named(self) -> dict[_Key, Path]:
        """Give the files that the path names now."""
        pattern = str(self._path)
        paths = sorted(glob.glob(pattern, recursive=True)) if self._many else [pattern]  # noqa: PTH207 - absolute
        found: dict[_Key, Path] = {}
        for name in paths:
            key = self._key(Path(name))
            if key is not None:
                found.setdefault(key, Path(name))
        return found

    def _key(self, path: Path) -> _Key | None:
        if path.suffix in COMPRESSED:
            self._say(f"{path} is compressed and is not read")
            return None
        try:
            status = path.stat()
        except OSError as error:
            self._say(f"{path} cannot be read yet: {error.strerror}")
            return None
        if not stat.S_ISREG(status.st_mode):
            self._say(f"{path} is not a file and is not read")
            return None
        return status.st_dev, status.st_ino

    def _open(self, path: Path, *, unread_only: bool = False) -> None:
        """Open a file that is not open yet; with `unread_only`, only if it is known and has grown."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY)
        except OSError as error:
            self._say(f"{path} cannot be read: {error.strerror}")
            return
        status = os.fstat(descriptor)
        key = status.st_dev, status.st_ino
        position = None if key in self._feeds else self._place(descriptor, path, status.st_size)
        if position is None or (unread_only and not 0 < position.offset < status.st_size):
            os.close(descriptor)
            return
        self._positions[position.stream] = position
        self._feeds[key] = Feed(descriptor, position, self._clock, final=self._final)

    def _place(self, descriptor: int, path: Path, size: int) -> Position | None:
        """Give the position to read a file from; None where there is none yet, or its stream is open."""
        if self._copied(descriptor, size):
            return None
        opened = {feed.stream: feed.position for feed in self._feeds.values()}
        position = identify(descriptor, path, self.name, self._positions | opened, final=self._final)
        if position is None or position.stream in opened:
            return None
        self._lost.pop(position.stream, None)
        return position

    def _copied(self, descriptor: int, size: int) -> bool:
        """Tell whether a file begins like an open one: a copy, perhaps half made, of what is read there."""
        for feed in self._feeds.values():
            common = min(size, os.fstat(feed.descriptor).st_size)
            start = max(0, common - CHUNK)
            ends = [os.pread(each, common - start, start) for each in (descriptor, feed.descriptor)]
            heads = [os.pread(each, min(common, CHUNK), 0) for each in (descriptor, feed.descriptor)]
            if common and ends[0] == ends[1] and heads[0] == heads[1]:
                return True
        return False

    def _open_beside(self) -> None:
        """Go on with files that were renamed or copied away (`access.log.1`) before their end was read."""
        name, stem, suffix = (
            glob.escape(part) for part in (self._path.name, self._path.stem, self._path.suffix)
        )
        beside = {*self._path.parent.glob(f"{name}[.-]*"), *self._path.parent.glob(f"{stem}[.-]*{suffix}")}
        for path in sorted(beside):
            if path != self._path and path.suffix not in COMPRESSED and path.is_file():
                self._open(path, unread_only=True)

    def _report_lost(self) -> None:
        """Say which streams were still being read when the last run ended, and are nowhere now."""
        for position in self._lost.values():
            log.warning(
                "%s: %s was read up to byte %d and is gone; what came after that is not read",
                self.name,
                position.path,
                position.offset,
            )
            self._finished.append(replace(position, finished=True))
        self._lost.clear()

    def _drop_replaced(self) -> None:
        for key, feed in list(self._feeds.items()):
            if feed.replaced:
                log.warning(
                    "%s: %s was truncated or rewritten; reading it anew", self.name, feed.position.path
                )
                self._end(key)
                self._look_beside = True

    def _retire(self, found: dict[_Key, Path]) -> None:
        """Close files that are not named any more, once they have been read to the end and are quiet."""
        now = self._monotonic()
        for key in list(self._feeds):
            feed = self._feeds[key]
            if key in found or feed.waiting:
                self._quiet.pop(key, None)
            elif now - self._quiet.setdefault(key, now) >= GRACE:
                feed.final = True
                if feed.peek() is None:
                    self._end(key)

    def _end(self, key: _Key) -> None:
        feed = self._feeds.pop(key)
        self._quiet.pop(key, None)
        position = replace(feed.position, finished=True)
        self._positions[feed.stream] = position
        self._finished.append(position)
        feed.close()

    def _say(self, text: str) -> None:
        """Warn, once."""
        if text not in self._said:
            self._said.add(text)
            log.warning("%s: %s", self.name, text)
