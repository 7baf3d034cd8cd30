"""Sums, means and percentiles over a sliding window.

In the order of time an entry costs its own numbers. One out of order is worked into every slot of the one
timespan after it, since each of their values changes; for a percentile the timespan before it is read too.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from fractions import Fraction

from streams.correlate.entry import Counted, Entry
from streams.correlate.metric import Exact, exact, test_of
from streams.correlate.timeline import Slot, Timeline
from streams.rule import Threshold


class Sums:
    """The sum of the numbers, or their mean. A slot's level is the sum and how many numbers there are."""

    def __init__(self, timeline: Timeline, timespan: int, condition: Threshold, *, mean: bool) -> None:
        self._timeline = timeline
        self._span = timespan
        self._mean = mean
        self._fires = test_of(condition)

    def enter(self, entry: Entry, slot: Slot) -> None:
        """Add an entry that has been put into a slot."""
        number, index, new, _ = slot
        if new:
            self._timeline.blocks[number].levels[index] = self._level_of_new(number, index)
        self._add(entry.time, *_sum([entry]))

    def leave(self, entry: Entry) -> None:
        """Leave out an entry that has been taken from its slot."""
        total, count = _sum([entry])
        self._add(entry.time, -total, -count)

    def prune(self, gone: Iterable[Entry], before: int) -> None:
        """Leave out entries that are forgotten; see `Coverage.prune`."""
        slot = self._timeline.before(before + self._span)
        if slot is not None:
            block = self._timeline.blocks[slot[0]]
            reach = block.times[slot[1]] - self._span
            total, count = _sum(entry for entry in gone if entry.time >= reach)
            (former, counted) = block.levels[slot[1]]
            block.levels[slot[1]] = (former - total, counted - count)

    def value(self, number: int, index: int) -> Exact | None:
        """Give the sum or the mean at a slot."""
        total, count = self._timeline.blocks[number].levels[index]
        if not count:
            return None
        value: Exact = Fraction(total) / count if self._mean else total
        return value

    def _level_of_new(self, number: int, index: int) -> tuple[Exact, int]:
        timeline = self._timeline
        time = timeline.blocks[number].times[index]
        former = (number, index - 1) if index else (number - 1, -1)
        if former[0] < 0:
            return 0, 0
        block = timeline.blocks[former[0]]
        total, count = block.levels[former[1]]
        first = block.times[former[1]] - self._span
        left, gone = _sum(timeline.between(first, time - self._span - 1))
        return total - left, count - gone

    def _add(self, time: int, total: Exact, count: int) -> None:
        satisfies = self._fires
        for number, low, high in self._timeline.spans(time, time + self._span):
            levels = self._timeline.blocks[number].levels
            levels[low:high] = changed = [(was + total, had + count) for was, had in levels[low:high]]
            if self._mean:
                fires = [satisfies(all_, many) if many else False for all_, many in changed]
            else:
                fires = [satisfies(all_, 1) if many else False for all_, many in changed]
            self._timeline.mark(number, low, high, bytes(fires))


class Percentiles:
    """The percentile of the numbers, interpolated linearly between the closest ranks (numpy's default).

    Sigma leaves the interpolation open; this is the definition of Hyndman and Fan (1996), type 7. A slot's
    level is the two closest numbers and the hundredths of the way from one to the other, or None.
    """

    def __init__(self, timeline: Timeline, timespan: int, condition: Threshold, percent: int) -> None:
        self._timeline = timeline
        self._span = timespan
        self._percent = percent
        self._fires = test_of(condition)
        # All numbers of the window of the newest slot, ascending; None after a change that did not reach it.
        self._newest: list[Counted] | None = []

    def enter(self, entry: Entry, slot: Slot) -> None:
        """Take in an entry that has been put into a slot."""
        timeline = self._timeline
        number, index, new, last = slot
        if not last or self._newest is None:
            self._sweep(entry.time)
            return
        former = (number, index - 1) if index else (number - 1, -1)
        if new and former[0] >= 0:
            first = timeline.blocks[former[0]].times[former[1]] - self._span
            _take_out(self._newest, timeline.between(first, entry.time - self._span - 1))
        for value in entry.values:
            insort(self._newest, value)
        timeline.blocks[number].levels[index], fires = self._evaluate(self._newest)
        timeline.mark(number, index, index + 1, bytes((fires,)))

    def leave(self, entry: Entry) -> None:
        """Leave out an entry that has been taken from its slot."""
        self._sweep(entry.time)

    def prune(self, gone: Iterable[Entry], before: int) -> None:  # noqa: ARG002 - as the other metrics
        """Leave out entries that are forgotten."""
        newest = self._timeline.newest
        if newest is None:
            self._newest = []
        elif self._newest is not None:
            _take_out(self._newest, (entry for entry in gone if entry.time >= newest - self._span))

    def value(self, number: int, index: int) -> Exact | None:
        """Give the percentile at a slot."""
        level = self._timeline.blocks[number].levels[index]
        if level is None:
            return None
        low, high, hundredths = level
        value: Exact = exact(low) + Fraction(exact(high) - exact(low)) * hundredths / 100
        return value

    def _sweep(self, changed: int) -> None:
        """Evaluate again every slot that a change at a time can affect."""
        timeline, span = self._timeline, self._span
        held: list[Counted] = sorted(
            value for entry in timeline.between(changed - span, changed - 1) for value in entry.values
        )
        oldest, place = timeline.find(changed - span)
        for number, low, high in timeline.spans(changed, changed + span):
            block = timeline.blocks[number]
            fires = bytearray()
            for index in range(low, high):
                reach = block.times[index] - span
                while timeline.blocks[oldest].times[place] < reach:
                    _take_out(held, timeline.entries(timeline.blocks[oldest], place))
                    place += 1
                    if place == len(timeline.blocks[oldest].times):
                        oldest, place = oldest + 1, 0
                for entry in timeline.entries(block, index):
                    for value in entry.values:
                        insort(held, value)
                block.levels[index], fires_here = self._evaluate(held)
                fires.append(fires_here)
            timeline.mark(number, low, high, fires)
        newest = timeline.newest
        if newest is None or changed <= newest <= changed + span:
            self._newest = held
        elif newest < changed:
            self._newest = None

    def _evaluate(self, held: list[Counted]) -> tuple[tuple[Counted, Counted, int] | None, bool]:
        """Give the level for the numbers of a window, and whether it fires."""
        if not held:
            return None, False
        rank, hundredths = divmod(self._percent * (len(held) - 1), 100)
        low = held[rank]
        high = held[rank + 1] if hundredths else low
        if isinstance(low, int) and isinstance(high, int):
            value: Exact = 100 * low + (high - low) * hundredths
        else:
            value = 100 * exact(low) + (exact(high) - exact(low)) * hundredths
        return (low, high, hundredths), self._fires(value, 100)


def _sum(entries: Iterable[Entry]) -> tuple[Exact, int]:
    total: Exact = 0
    count = 0
    for entry in entries:
        for value in entry.values:
            total += exact(value)
            count += 1
    return total, count


def _take_out(held: list[Counted], entries: Iterable[Entry]) -> None:
    for entry in entries:
        for value in entry.values:
            del held[bisect_left(held, value)]
