"""Counts over a sliding window, as levels of a timeline: a change costs a few blocks, not a whole window.

The count at a time t is how many values have an occurrence in [t - timespan, t]. So an occurrence at t' adds
one over a single range of times: [t', t' + timespan], less what the occurrences of the same value before and
after it cover already. Levels are kept for all slots, and a whole block is raised by one addition.

Which slots begin or cease to fire is found without looking at each: a block knows by how much its levels may
rise (`ups`) and fall (`downs`) before any of its slots is concerned. Both may be stated too small, never too
large; a block is looked at when a change uses them up, and then they are exact again.
"""

from __future__ import annotations

import functools
import itertools
import math
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable

from streams.correlate.entry import Entry
from streams.correlate.metric import Exact
from streams.correlate.timeline import AMPLE, FAR, FINAL, SIZE, Block, Slot, Timeline
from streams.rule import Threshold

Ranges = Counter[tuple[int, int]]
"""How much is to be added from one time to another, both included."""


class Test:
    """Tells of whole levels whether they fire: those from `low` to just below `high`, or all `others`."""

    __slots__ = ("cuts", "high", "low", "others")

    def __init__(self, low: int, high: int, *, others: bool = False) -> None:
        self.low = low
        self.high = high
        self.others = others
        self.cuts = tuple(cut for cut in (low, high) if abs(cut) < FAR)
        """The levels at which the answer changes: that of a level is another than that of the level below."""

    @classmethod
    @functools.lru_cache(maxsize=4096)
    def of(cls, condition: Threshold) -> Test:
        """Give the test of a condition on whole numbers: one for all groups."""
        low, high = -FAR, FAR
        for operator, number in condition.comparisons:
            least = max(-FAR, min(math.ceil(number), FAR))
            above = max(-FAR, min(math.floor(number) + 1, FAR))
            match operator:
                case "gte":
                    low = least
                case "gt":
                    low = above
                case "lt":
                    high = least
                case "lte":
                    high = above
                case _:
                    low, high = least, above
        return cls(low, high, others=condition.operator == "neq")

    def fires(self, level: int) -> bool:
        """Tell whether a level fires."""
        return (self.low <= level < self.high) is not self.others

    def all(self, levels: Iterable[int], base: int) -> bytes:
        """Tell of each level, to which `base` is to be added, whether it fires."""
        low, high, others = self.low - base, self.high - base, self.others
        return bytes([(low <= level < high) is not others for level in levels])


class Counting(ABC):
    """The levels of a timeline and their test."""

    __slots__ = ("_begin", "_moves", "_span", "_test", "_timeline")

    def __init__(self, timeline: Timeline, timespan: int, test: Test) -> None:
        self._timeline = timeline
        self._span = timespan
        self._test = test
        # The slot that the window of the newest one begins with, as of so many moves of the timeline.
        self._begin = (0, 0)
        self._moves = -1

    def level(self, number: int, index: int) -> int:
        """Give the level of a slot."""
        timeline = self._timeline
        level: int = timeline.blocks[number].levels[index]
        return level + timeline.bases[number]

    def value(self, number: int, index: int) -> Exact | None:
        """Give what is shown of a slot."""
        return self.level(number, index)

    def set(self, number: int, index: int, level: int) -> None:
        """Set the level of one slot, and say whether it fires."""
        timeline, test = self._timeline, self._test
        block = timeline.blocks[number]
        if not index and len(block.levels) == 1:
            timeline.bases[number] = level  # so that the block's levels are small numbers, which cost nothing
        block.levels[index] = level - timeline.bases[number]
        for cut in test.cuts:
            if level >= cut:
                if level - cut < timeline.downs[number]:
                    timeline.downs[number] = level - cut + 1
            elif cut - level < timeline.ups[number]:
                timeline.ups[number] = cut - level
        new, old = (test.low <= level < test.high) is not test.others, block.fires[index]
        if old not in (new, FINAL):
            block.fires[index] = new
            if new:
                timeline.gained.append(block.times[index])
            else:
                timeline.lost = True

    def set_inserted(self, number: int, index: int, level: int) -> None:
        """Set the level of a slot that has just come, not as the last one."""
        self.set(number, index, level)
        timeline = self._timeline
        if timeline.parted is None:
            return
        first = number if timeline.blocks[number] is timeline.parted[0] else number - 1
        timeline.parted = None
        for one in (first, first + 1):  # as in `set`
            levels = timeline.blocks[one].levels
            least = min(levels)
            levels[:] = [level - least for level in levels]
            timeline.bases[one] += least

    def level_of_last(self, number: int, index: int) -> int:
        """Give the level of a slot that has just come after all others, without its own entry.

        What has left the window is read from where the last window began, so that each entry leaves once.
        """
        timeline, blocks = self._timeline, self._timeline.blocks
        before = number if index else number - 1
        if before < 0:
            return 0
        times = blocks[before].times
        level: int = blocks[before].levels[index - 1] + timeline.bases[before]
        reach = blocks[number].times[index] - self._span
        if timeline.starts[0] >= reach:
            return level
        if self._moves != timeline.moves:
            self._begin = timeline.find(times[index - 1] - self._span)
            self._moves = timeline.moves
        number, index = self._begin
        block = blocks[number]
        while block.times[index] < reach:
            level -= self._left(block, index)
            index += 1
            if index == len(block.times):
                number, index = number + 1, 0
                block = blocks[number]
        self._begin = number, index
        return level

    @abstractmethod
    def _left(self, block: Block, index: int) -> int:
        """Tell what a slot's entries take with them when they leave the window of all that there is."""
        ...

    def add(self, ranges: Ranges) -> None:
        """Add to the levels over some ranges of times."""
        if len(ranges) == 1:
            ((first, last), amount) = next(iter(ranges.items()))
            self._add(first, last, amount)
            return
        steps: Counter[int] = Counter()
        for (first, last), amount in ranges.items():
            steps[first] += amount
            steps[last + 1] -= amount
        amount, bounds = 0, sorted(steps)
        for first, end in itertools.pairwise(bounds):
            amount += steps[first]
            if amount:
                self._add(first, end - 1, amount)

    def _distance(self, first: int, end: int) -> int:
        """Give about how many slots there are from one time to another."""
        (number, index), (other, place) = self._timeline.find(first), self._timeline.find(end)
        return SIZE * (other - number) + place - index

    def _add(self, first: int, last: int, amount: int) -> None:
        timeline = self._timeline
        blocks, starts = timeline.blocks, timeline.starts
        number, end = max(bisect_right(starts, first) - 1, 0), bisect_right(starts, last)
        if number < end and starts[number] < first:
            times = blocks[number].times
            high = len(times) if times[-1] <= last else bisect_right(times, last)
            self._add_to(number, bisect_left(times, first), high, amount)
            number += 1
        if number >= end:
            return
        partly = last < blocks[end - 1].times[-1]
        whole = end - 1 if partly else end
        if number < whole:
            bases = timeline.bases
            bases[number:whole] = [base + amount for base in bases[number:whole]]
            margins = timeline.ups if amount > 0 else timeline.downs
            size = abs(amount)
            margins[number:whole] = fewer = [margin - size for margin in margins[number:whole]]
            if min(fewer) <= 0:
                for other in [other for other, margin in enumerate(fewer, number) if margin <= 0]:
                    high = len(blocks[other].times)
                    if size > 1 or not self._look_for_step(other, 0, high, amount):
                        self._look(other)
        if partly:
            self._add_to(end - 1, 0, bisect_right(blocks[end - 1].times, last), amount)

    def _add_to(self, number: int, low: int, high: int, amount: int) -> None:
        if low >= high:
            return
        timeline = self._timeline
        levels = timeline.blocks[number].levels
        levels[low:high] = [level + amount for level in levels[low:high]]
        margins = timeline.ups if amount > 0 else timeline.downs
        margins[number] -= abs(amount)
        if margins[number] > 0:
            return
        if amount in (1, -1):
            self._look_for_step(number, low, high, amount)
            return
        others = timeline.downs if amount > 0 else timeline.ups
        others[number] = min(others[number], 1)  # as in _look_for_step
        timeline.mark(number, low, high, self._test.all(levels[low:high], timeline.bases[number]))

    def _look_for_step(self, number: int, low: int, high: int, step: int) -> bool:
        """Say which of some slots fire, when their levels have changed by one; tell whether any is at a cut.

        Those are found faster than the margins of a block, which stay used up: a block in which slot after
        slot crosses a cut, as when the newest event comes first, would state them each time for one step.
        """
        timeline, test = self._timeline, self._test
        block, base = timeline.blocks[number], timeline.bases[number]
        others = timeline.downs if step > 0 else timeline.ups
        others[number] = min(others[number], 1)  # what has crossed a cut may cross it back at the next step
        found = False
        for cut in test.cuts:
            crossed = cut - base if step > 0 else cut - base - 1
            said = bytes((test.fires(crossed + base),))
            index = low
            while True:
                try:
                    index = block.levels.index(crossed, index, high)
                except ValueError:
                    break
                timeline.mark(number, index, index + 1, said)
                found = True
                index += 1
        return found

    def _look(self, number: int) -> None:
        """Say which slots of a block fire, and state its margins exactly."""
        timeline, test = self._timeline, self._test
        block, base = timeline.blocks[number], timeline.bases[number]
        levels = block.levels
        timeline.mark(number, 0, len(levels), test.all(levels, base))
        if FINAL in block.fires:
            levels = [level for level, said in zip(levels, block.fires, strict=True) if said != FINAL]
        up = down = AMPLE
        for cut in test.cuts:
            cut -= base  # noqa: PLW2901 - as the levels are
            below = [level for level in levels if level < cut]
            if below:
                up = min(up, cut - max(below))
            if len(below) < len(levels):
                least = min([level for level in levels if level >= cut]) if below else min(levels)
                down = min(down, least - cut + 1)
        timeline.ups[number], timeline.downs[number] = up, down


class Occurrences(Counting):
    """Counts entries: each one adds one over [t, t + timespan]."""

    __slots__ = ()

    def enter(self, entry: Entry, slot: Slot) -> None:
        """Count an entry that has been put into a slot."""
        number, index, new, last = slot
        if last:
            level = self.level_of_last(number, index) if new else self.level(number, index)
            self.set(number, index, level + 1)
            return
        if new:
            self.set_inserted(number, index, self._level_of_new(number, index))
        self._add(entry.time, entry.time + self._span, 1)

    def _left(self, block: Block, index: int) -> int:
        at = block.at[index]
        return len(at) if isinstance(at, list) else 1

    def leave(self, entry: Entry) -> None:
        """Leave out an entry that has been taken from its slot."""
        self._add(entry.time, entry.time + self._span, -1)

    def prune(self, gone: Iterable[Entry], before: int) -> None:
        """Leave out entries that are forgotten; see `Coverage.prune`."""
        slot = self._timeline.before(before + self._span)
        if slot is not None:
            block = self._timeline.blocks[slot[0]]
            reach = block.times[slot[1]] - self._span
            block.levels[slot[1]] -= sum(entry.time >= reach for entry in gone)

    def _level_of_new(self, number: int, index: int) -> int:
        timeline = self._timeline
        time = timeline.blocks[number].times[index]
        former = (number, index - 1) if index else (number - 1, -1)
        if former[0] < 0:
            return 0
        time_before, reach = timeline.blocks[former[0]].times[former[1]], time - self._span
        if timeline.starts[0] >= reach:
            return self.level(*former)
        after = (number, index + 1) if index + 1 < len(timeline.blocks[number].times) else (number + 1, 0)
        time_after = timeline.blocks[after[0]].times[after[1]]
        reach_before, reach_after = time_before - self._span, time_after - self._span
        if self._distance(reach, reach_after) < self._distance(reach_before, reach):
            went = self._entries(reach, min(reach_after - 1, time_before))
            return self.level(*after) - self._entries(time_after, time_after) + went
        return self.level(*former) - self._entries(time_before - self._span, reach - 1)

    def _entries(self, first: int, last: int) -> int:
        return sum(
            len(held) if type(held) is list else 1
            for number, low, high in self._timeline.spans(first, last)
            for held in self._timeline.blocks[number].at[low:high]
        )
