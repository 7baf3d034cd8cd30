"""What is to be looked at when time has come: one time for each key, the earliest that was asked for."""

from __future__ import annotations

import heapq


class Agenda:
    """A queue of keys by time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._times: dict[str, int] = {}

    def put(self, key: str, time: int) -> None:
        """Ask for a key at a time; a time that is later than one asked for before adds nothing."""
        if key not in self._times or time < self._times[key]:
            self._times[key] = time
            heapq.heappush(self._heap, (time, key))

    def next_time(self) -> int | None:
        """Give the earliest time there is."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)  # asked for earlier since, and done
        return self._heap[0][0] if self._heap else None

    def pop(self) -> tuple[int, str]:
        """Take the key with the earliest time; there must be one."""
        time, key = heapq.heappop(self._heap)
        del self._times[key]
        return time, key
