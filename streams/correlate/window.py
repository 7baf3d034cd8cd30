"""One correlation's sliding window over one group: which times fire, as a function of the set of its entries.

The window is inclusive, [t - timespan, t], and evaluated at every time t at which the group has an event
(docs/correlation.md). Nothing here depends on the order in which entries arrive: an entry in the order of
time is the fast case, any other is answered by sweeping again over the times that it can affect.
"""

from __future__ import annotations

import bisect

from streams.correlate.entry import Entry
from streams.correlate.metric import Exact, Metric, Number, is_true, metric_for, plain
from streams.rule import Correlation


class Window:
    """The entries of one group and the firings that follow from them."""

    def __init__(self, correlation: Correlation) -> None:
        self._correlation = correlation
        self.entries: dict[str, Entry] = {}
        self._order: list[tuple[int, str]] = []
        self.firings: dict[int, Number] = {}
        self.firing_times: list[int] = []
        self.gained: list[int] = []
        """The times that began to fire with the last change, ascending."""
        self.lost = False
        """Whether any time ceased to fire with it."""
        # The metric stands at the newest time, over `_order[_start:]`; None after a change in the middle.
        self._metric: Metric | None = metric_for(correlation)
        self._start = 0

    @property
    def newest(self) -> int | None:
        """The time of the newest entry."""
        return self._order[-1][0] if self._order else None

    @property
    def oldest(self) -> int | None:
        """The time of the oldest entry."""
        return self._order[0][0] if self._order else None

    def put(self, entry: Entry) -> bool:
        """Take an entry in, replacing one of the same id; tell whether that changed anything."""
        former = self.entries.get(entry.id)
        if former == entry:
            return False
        self.gained, self.lost = [], False
        if former is not None:
            self._take_out(former)
        self.entries[entry.id] = entry
        in_order = not self._order or entry.time >= self._order[-1][0]
        bisect.insort(self._order, (entry.time, entry.id))
        if in_order and self._metric is not None:
            self._advance(self._metric, entry)
        else:
            self._sweep(entry.time)
        return True

    def discard(self, entry_id: str) -> bool:
        """Let an entry go as if it had never been; tell whether it was there."""
        entry = self.entries.get(entry_id)
        if entry is None:
            return False
        self.gained, self.lost = [], False
        self._take_out(entry)
        return True

    def between(self, first: int, last: int) -> list[Entry]:
        """Give the entries from time `first` to time `last`, both included, in the order of time and id."""
        low = bisect.bisect_left(self._order, (first, ""))
        high = bisect.bisect_left(self._order, (last + 1, ""))
        return [self.entries[entry_id] for _, entry_id in self._order[low:high]]

    def retract(self, time: int) -> None:
        """Say that `time` does not fire."""
        self._record(time, None)

    def prune(self, before: int) -> list[Entry]:
        """Forget the entries and firings older than `before`, and give the entries forgotten."""
        count = bisect.bisect_left(self._order, (before, ""))
        gone = [self.entries.pop(entry_id) for _, entry_id in self._order[:count]]
        if self._metric is not None:
            # The window at the newest time cannot grow back: what it still holds of them leaves it.
            for entry in gone[self._start :]:
                self._metric.remove(entry)
            self._start = max(0, self._start - count)
        del self._order[:count]
        stale = bisect.bisect_left(self.firing_times, before)
        for time in self.firing_times[:stale]:
            del self.firings[time]
        del self.firing_times[:stale]
        return gone

    def _take_out(self, entry: Entry) -> None:
        del self.entries[entry.id]
        del self._order[bisect.bisect_left(self._order, (entry.time, entry.id))]
        if not self.between(entry.time, entry.time):
            self._record(entry.time, None)
        self._sweep(entry.time)

    def _advance(self, metric: Metric, entry: Entry) -> None:
        oldest = entry.time - self._correlation.timespan
        while self._order[self._start][0] < oldest:
            metric.remove(self.entries[self._order[self._start][1]])
            self._start += 1
        metric.add(entry)
        self._record(entry.time, metric.value())

    def _sweep(self, changed: int) -> None:
        """Evaluate again every time that an entry at `changed` can affect: [changed, changed + timespan]."""
        span = self._correlation.timespan
        low = bisect.bisect_left(self._order, (changed - span, ""))
        metric, start = metric_for(self._correlation), low
        index = low
        while index < len(self._order):
            time = self._order[index][0]
            if time > changed + span:
                break
            while index < len(self._order) and self._order[index][0] == time:
                metric.add(self.entries[self._order[index][1]])
                index += 1
            while self._order[start][0] < time - span:
                metric.remove(self.entries[self._order[start][1]])
                start += 1
            if time >= changed:
                self._record(time, metric.value())
        if index == len(self._order) and (not self._order or self._order[-1][0] >= changed):
            self._metric, self._start = metric, start
        else:
            self._metric = None  # the newest time was not reached; the next sweep that reaches it makes one

    def _record(self, time: int, value: Exact | None) -> None:
        if value is not None and is_true(self._correlation.condition, value):
            if time not in self.firings:
                bisect.insort(self.firing_times, time)
                self.gained.append(time)
            self.firings[time] = plain(value)
        elif time in self.firings:
            self.lost = True
            del self.firings[time]
            del self.firing_times[bisect.bisect_left(self.firing_times, time)]
