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
import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable

from streams.correlate.entry import Counted, Entry
from streams.correlate.metric import Exact, holds
from streams.correlate.timeline import FAR, FINAL, SIZE, Timeline
from streams.rule import Expression, Threshold

Ranges = Counter[tuple[int, int]]
"""How much is to be added from one time to another, both included."""


class Test:
    """Tells of whole levels whether they fire.

    `cuts` are the levels at which the answer changes: that of a level is another than that of the level below.
    """

    __slots__ = ("cuts", "fires")

    def __init__(self, fires: Callable[[int], bool], cuts: tuple[int, ...] | None) -> None:
        self.fires = fires
        self.cuts = cuts

    @classmethod
    def of(cls, condition: Threshold) -> Test:
        """Make the test of a condition on whole numbers."""
        number = condition.number
        least, above = math.ceil(number), math.floor(number) + 1
        match condition.operator:
            case "gte":
                return cls(lambda level: level >= least, (least,))
            case "gt":
                return cls(lambda level: level >= above, (above,))
            case "lt":
                return cls(lambda level: level < least, (least,))
            case "lte":
                return cls(lambda level: level < above, (above,))
            case "eq":
                return cls(lambda level: least <= level < above, (least, above))
            case _:
                return cls(lambda level: not least <= level < above, (least, above))


class Counting:
    """The levels of a timeline and their test. Without cuts every level that changes is looked at."""

    def __init__(self, timeline: Timeline, timespan: int, test: Test) -> None:
        self._timeline = timeline
        self._span = timespan
        self._test = test

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
        block.levels[index] = level - timeline.bases[number]
        if test.cuts is None:
            timeline.ups[number] = timeline.downs[number] = 0
        else:
            for cut in test.cuts:
                if level < cut:
                    if cut - level < timeline.ups[number]:
                        timeline.ups[number] = cut - level
                elif level - cut < timeline.downs[number]:
                    timeline.downs[number] = level - cut + 1
        new, old = test.fires(level), block.fires[index]
        if new != old and old != FINAL:
            timeline.mark(number, index, index + 1, bytes((new,)))

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
        for first, end in zip(bounds, bounds[1:], strict=False):
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
                for other, margin in enumerate(fewer, number):
                    if margin <= 0:
                        self._look(other, 0, len(blocks[other].times))
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
        if margins[number] <= 0:
            self._look(number, low, high)

    def _look(self, number: int, low: int, high: int) -> None:
        """Say which of some slots of a block fire, and state its margins exactly."""
        timeline, test = self._timeline, self._test
        block, base = timeline.blocks[number], timeline.bases[number]
        if test.cuts is None:
            fires = test.fires
            timeline.mark(number, low, high, bytes([fires(level + base) for level in block.levels[low:high]]))
            return
        levels = block.levels
        if FINAL in block.fires:
            levels = [level for level, said in zip(levels, block.fires, strict=True) if said != FINAL]
        up = down = FAR
        for cut in test.cuts:
            below = [level for level in levels if level + base < cut]
            if below:
                up = min(up, cut - base - max(below))
            if len(below) < len(levels):
                least = min([level for level in levels if level + base >= cut]) if below else min(levels)
                down = min(down, least + base - cut + 1)
        timeline.ups[number], timeline.downs[number] = up, down
        fires = test.fires
        timeline.mark(number, low, high, bytes([fires(level + base) for level in block.levels[low:high]]))


class Coverage(Counting):
    """Counts distinct values, each with the weight that `weigh` gives."""

    def __init__(
        self,
        timeline: Timeline,
        timespan: int,
        test: Test,
        read: Callable[[Entry], Iterable[Counted]],
        weigh: Callable[[Counted], int] | None = None,
    ) -> None:
        super().__init__(timeline, timespan, test)
        self._read = read
        self._weigh = weigh
        self._latest: dict[Counted, int] = {}
        # The occurrences of a value before the latest, ascending; one for each entry that holds it.
        self._earlier: dict[Counted, list[int]] = {}

    def enter(self, entry: Entry, number: int, index: int, *, new: bool) -> None:
        """Count an entry that has been put into this slot."""
        timeline, time = self._timeline, entry.time
        last = number == len(timeline.blocks) - 1 and index == len(timeline.blocks[number].times) - 1
        level = self._level_of_new(number, index, last=last) if new else self.level(number, index)
        if not last:
            if new:
                self.set(number, index, level)
            self.add(self._occur(entry))
            return
        latest, weigh, reach = self._latest, self._weigh, time - self._span
        for value in self._read(entry):
            former = latest.get(value)
            latest[value] = time
            if former is not None:
                if value in self._earlier:
                    self._earlier[value].append(former)
                else:
                    self._earlier[value] = [former]
                if former >= reach:
                    continue
            level += 1 if weigh is None else weigh(value)
        self.set(number, index, level)

    def leave(self, entry: Entry) -> None:
        """Leave out an entry that has been taken from its slot."""
        ranges: Ranges = Counter()
        time = entry.time
        for value in self._read(entry):
            if time == self._latest[value]:
                if value in self._earlier:
                    self._latest[value] = self._earlier[value].pop()
                else:
                    del self._latest[value]
            else:
                earlier = self._earlier[value]
                del earlier[bisect_left(earlier, time)]
            if not self._earlier.get(value, True):
                del self._earlier[value]
            covers = self._covers(value, time)
            if covers is not None:
                ranges[covers] -= 1 if self._weigh is None else self._weigh(value)
        if ranges:
            self.add(ranges)

    def prune(self, gone: Iterable[Entry], before: int) -> None:
        """Leave out entries that are forgotten, the oldest ones, all from before a time.

        What they count at times of which the windows are still whole does not change. The last slot that is
        not one of those is set right, for it is what the level of a later one is derived from.
        """
        latest: dict[Counted, int] = {}
        for entry in gone:
            latest.update(dict.fromkeys(self._read(entry), entry.time))
        slot = self._timeline.before(before + self._span)
        time = None if slot is None else self._timeline.blocks[slot[0]].times[slot[1]]
        change = 0
        for value, last in latest.items():
            earlier = self._earlier.get(value)
            if earlier is not None:
                del earlier[: bisect_left(earlier, before)]
                if not earlier:
                    del self._earlier[value]
            if self._latest[value] < before:
                del self._latest[value]
            if time is not None and last >= time - self._span:
                following = earlier[0] if earlier else self._latest.get(value)
                if following is None or following > time:
                    change += 1 if self._weigh is None else self._weigh(value)
        if slot is not None and change:
            number, index = slot
            self._timeline.blocks[number].levels[index] -= change

    def _occur(self, entry: Entry) -> Ranges:
        """Take note of the values of an entry that is not the newest; give where they count in addition."""
        ranges: Ranges = Counter()
        time = entry.time
        for value in self._read(entry):
            covers = self._covers(value, time)
            if covers is not None:
                ranges[covers] += 1 if self._weigh is None else self._weigh(value)
            latest = self._latest.get(value)
            if latest is None:
                self._latest[value] = time
                continue
            earlier = self._earlier.setdefault(value, [])
            if time >= latest:
                earlier.append(latest)
                self._latest[value] = time
            elif earlier and time < earlier[-1]:
                earlier.insert(bisect_left(earlier, time), time)
            else:
                earlier.append(time)
        return ranges

    def _covers(self, value: Counted, time: int) -> tuple[int, int] | None:
        """Give the range over which an occurrence counts that the others of its value do not."""
        former, following = self._around(value, time)
        first = time if former is None else max(time, former + self._span + 1)
        last = time + self._span if following is None else min(time + self._span, following - 1)
        return (first, last) if first <= last else None

    def _around(self, value: Counted, time: int) -> tuple[int | None, int | None]:
        """Give the last occurrence of a value up to a time, and the first one after it."""
        latest = self._latest.get(value)
        if latest is None:
            return None, None
        if latest <= time:
            return latest, None
        earlier = self._earlier.get(value)
        if earlier is None:
            return None, latest
        place = bisect_right(earlier, time)
        return earlier[place - 1] if place else None, earlier[place] if place < len(earlier) else latest

    def _present(self, value: Counted, first: int, last: int) -> bool:
        """Tell whether a value occurs from `first` to `last`."""
        former = self._around(value, last)[0]
        return former is not None and former >= first

    def _level_of_new(self, number: int, index: int, *, last: bool) -> int:
        """Give the level of a slot that has just come, without its own entry."""
        timeline = self._timeline
        time = timeline.blocks[number].times[index]
        former = (number, index - 1) if index else (number - 1, -1)
        if former[0] < 0:
            return 0
        time_before = timeline.blocks[former[0]].times[former[1]]
        reach, reach_before = time - self._span, time_before - self._span
        if timeline.starts[0] >= reach:
            return self.level(*former)
        if last:
            gone = {
                value
                for entry in timeline.between(reach_before, reach - 1)
                for value in self._read(entry)
                if self._latest[value] < reach
            }
            return self.level(*former) - self._weight(gone)
        block = timeline.blocks[number]
        after = (number, index + 1) if index + 1 < len(block.times) else (number + 1, 0)
        time_after = timeline.blocks[after[0]].times[after[1]]
        reach_after = time_after - self._span
        if self._distance(reach_before, reach) <= self._distance(reach, reach_after):
            entries = timeline.between(reach_before, reach - 1)
            gone = {
                value
                for entry in entries
                for value in self._read(entry)
                if not self._present(value, reach, time_before)
            }
            return self.level(*former) - self._weight(gone)
        came = {
            value
            for entry in timeline.between(time_after, time_after)
            for value in self._read(entry)
            if not self._present(value, reach, time_before)
        }
        went = {
            value
            for entry in timeline.between(reach, min(reach_after - 1, time_before))
            for value in self._read(entry)
            if not self._present(value, reach_after, time_after)
        }
        return self.level(*after) - self._weight(came) + self._weight(went)

    def _weight(self, values: set[Counted]) -> int:
        return len(values) if self._weigh is None else sum(map(self._weigh, values))


class Rules(Coverage):
    """Which rules have matched, for an extended condition: a bit for each, and an answer for each combination."""

    def __init__(
        self, timeline: Timeline, timespan: int, expression: Expression, rules: tuple[str, ...]
    ) -> None:
        bits = {rule: 1 << place for place, rule in enumerate(dict.fromkeys(rules))}

        @functools.cache
        def fires(level: int) -> bool:
            return holds(expression, [rule for rule, bit in bits.items() if level & bit])

        super().__init__(timeline, timespan, Test(fires, None), read_rules, lambda rule: bits[str(rule)])

    def value(self, number: int, index: int) -> Exact | None:
        """Give how many rules have matched."""
        return self.level(number, index).bit_count()


class Occurrences(Counting):
    """Counts entries: each one adds one over [t, t + timespan]."""

    def enter(self, entry: Entry, number: int, index: int, *, new: bool) -> None:
        """Count an entry that has been put into this slot."""
        timeline = self._timeline
        level = self._level_of_new(number, index) if new else self.level(number, index)
        if number == len(timeline.blocks) - 1 and index == len(timeline.blocks[number].times) - 1:
            self.set(number, index, level + 1)
            return
        if new:
            self.set(number, index, level)
        self._add(entry.time, entry.time + self._span, 1)

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
        if after[0] < len(timeline.blocks):
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


def read_values(entry: Entry) -> tuple[Counted, ...]:
    """Count the values of an entry."""
    return entry.values


def read_rules(entry: Entry) -> frozenset[str]:
    """Count the rules that an entry matches."""
    return entry.rules
