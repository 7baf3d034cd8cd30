"""How far event time has come, over all sources."""

from __future__ import annotations

from collections.abc import Mapping

from streams.state import Table

BEGINNING = -(2**63)
IDLE = 24 * 3600 * 1_000_000_000
"""A source whose newest event is this much older than the newest of all holds time back no longer."""


class Watermark:
    """The time before which no event is expected any more, from the newest event of each source.

    A source vouches for all up to its newest event less its allowed lateness; the watermark is the least of
    these. It never goes back. `lateness` gives nanoseconds for each source.
    """

    def __init__(self, lateness: Mapping[str, int]) -> None:
        self._lateness = lateness
        self.table = Table("watermarks")
        self.now = BEGINNING
        self._held = True

    def observe(self, source: str, time: int, *, moves: bool = True) -> int:
        """Take note of an event's time, and give the watermark; unless it `moves`, it stays where it is."""
        newest: int | None = self.table.get(source)
        if newest is None or time > newest:
            self.table[source] = time
        if moves and (newest is None or time > newest or self._held):
            self.now = max(self.now, self._least())
        self._held = not moves
        return self.now

    def newest(self) -> dict[str, int]:
        """Give the time of the newest event of each source; one that is no longer configured has no say."""
        return {source: time for source, time in self.table.items() if source in self._lateness}

    def after_restore(self) -> None:
        """Go on from the restored table."""
        self.now = self.table.get(_REACHED, BEGINNING)

    def _least(self) -> int:
        newest = self.newest()
        limit = max(newest.values()) - IDLE
        least = min(time - self._lateness[source] for source, time in newest.items() if time >= limit)
        if least > self.now:
            self.table[_REACHED] = least
        return least


_REACHED = "\x00reached"
