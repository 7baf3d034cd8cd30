"""Which offset of a partition may be committed: the one after all that was delivered and acknowledged.

Faust's own bookkeeping is not used: its gap includes the record that is not acknowledged yet, so that when
a later one is acknowledged first it commits past the earlier one, and a crash then loses it.
"""

from __future__ import annotations

from collections import deque


class Window:
    """The batches of one partition under way, in the order in which they were delivered."""

    def __init__(self) -> None:
        self._under_way: deque[int] = deque()
        self._acknowledged: set[int] = set()
        self._offset = 0
        self._committed = 0

    def deliver(self, last: int) -> None:
        """Take note of a batch that is being processed, by its last offset."""
        self._under_way.append(last)

    def acknowledge(self, last: int) -> None:
        """Take note that a batch has been processed, and that all it caused is safe."""
        self._acknowledged.add(last)

    def committable(self) -> int | None:
        """Give the offset to go on from after a crash, None where just that is committed."""
        while self._under_way and self._under_way[0] in self._acknowledged:
            last = self._under_way.popleft()
            self._acknowledged.discard(last)
            self._offset = last + 1
        return self._offset if self._offset > self._committed else None

    def committed(self, offset: int) -> None:
        """Take note that Kafka has an offset; until then it is given again and again."""
        self._committed = max(self._committed, offset)
