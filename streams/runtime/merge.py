"""The order of processing: of all records that wait, the one with the earliest time is next.

The order follows from the files and the positions alone, so that a run which was killed goes on in the same
order, and gives the same alerts. A source with nothing waiting is not waited for.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from streams.event import RawRecord
from streams.runtime.feed import Feed, Input
from streams.runtime.position import Position
from streams.stages.reader import Prepared

BATCH_BYTES = 16 << 20
"""A batch takes no further record once it holds so many bytes, so that memory stays bounded."""
_BEGINNING = -(2**63)


class Merge:
    """Takes records from all feeds of all inputs, in the order of time; ties go by source and stream.

    A record without a time counts as of the time of the one before it in its stream.
    """

    def __init__(self, inputs: Sequence[Input], prepare: Callable[[RawRecord], Prepared]) -> None:
        self._inputs = inputs
        self._prepare = prepare
        self._heap: list[tuple[int, str, str, Prepared, Feed]] = []
        self._heads: set[Feed] = set()
        self._touched: dict[Feed, None] = {}

    def collect(self, limit: int) -> list[Prepared]:
        """Take up to so many records, or all that wait."""
        batch: list[Prepared] = []
        size = 0
        self._look()
        while self._heap and len(batch) < limit and size < BATCH_BYTES:
            time, _, _, prepared, feed = heapq.heappop(self._heap)
            self._heads.discard(feed)
            feed.take()
            feed.time = None if time == _BEGINNING else time
            batch.append(prepared)
            size += len(prepared.record.data)
            self._touched[feed] = None
            if not self._push(feed):
                self._look()  # a file that was waiting for the end of this one may be next
        return batch

    def positions(self) -> list[Position]:
        """Give the positions that changed since the last call, to be saved with what was taken."""
        newest: dict[tuple[str, str], Position] = {}
        ended = [position for source in self._inputs for position in source.finished()]
        for position in [*(feed.position for feed in self._touched), *ended]:
            key = position.source, position.stream
            known = newest.get(key)
            if known is None or (position.offset, position.finished) >= (known.offset, known.finished):
                newest[key] = position
        self._touched.clear()
        return list(newest.values())

    def _look(self) -> None:
        for source in self._inputs:
            for feed in source.poll():
                if feed not in self._heads:
                    self._push(feed)

    def _push(self, feed: Feed) -> bool:
        record = feed.peek()
        if record is None:
            return False
        prepared = self._prepare(record)
        time = prepared.time
        if time is None:
            time = _BEGINNING if feed.time is None else feed.time
        heapq.heappush(self._heap, (time, feed.source, feed.stream, prepared, feed))
        self._heads.add(feed)
        return True
