"""Counts of distinct values, or of the rules that matched."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable

from streams.correlate.counting import Counting, Ranges, Test
from streams.correlate.entry import Counted, Entry
from streams.correlate.metric import Exact, holds
from streams.correlate.timeline import Block, Slot, Timeline
from streams.correlate.value_times import ValueTimes
from streams.rule import Expression


class Coverage(Counting):
    """Counts distinct values, whatever those are."""

    __slots__ = ("_latest", "_times")

    def __init__(self, timeline: Timeline, timespan: int, test: Test) -> None:
        super().__init__(timeline, timespan, test)
        self._times = ValueTimes()
        self._latest = self._times.latest

    @abstractmethod
    def _read(self, entry: Entry) -> Collection[Counted]:
        """Give an entry's values."""
        ...

    @abstractmethod
    def _stands(self, entry: Entry, block: Block, index: int) -> Block | int:
        """Give what `ValueTimes` is to note of a new entry: its time, or its block where that will do."""
        ...

    def _share(self, entry: Entry, block: Block, index: int) -> None:
        """Take note that an entry has joined others at its time."""

    def _insert(self, entry: Entry) -> None:
        """Take note that an entry out of order has been put into a slot."""

    def enter(self, entry: Entry, slot: Slot) -> None:
        """Count an entry that has been put into a slot."""
        number, index, new, last = slot
        values, time = self._read(entry), entry.time
        block = self._timeline.blocks[number]
        if not new:
            self._share(entry, block, index)
        if not last:
            self._insert(entry)
            if new:
                self.set_inserted(number, index, self._level_of_new(number, index))
            self.add(self._occur(values, time, self._stands(entry, block, index)))
            return
        level = self.level_of_last(number, index) if new else self.level(number, index)
        latest, reach = self._latest, time - self._span
        stands: Block | int | None = None
        for value in values:
            former = latest.get(value)
            if former is None:
                if stands is None:
                    stands = self._stands(entry, block, index)
                latest[value] = stands
                level += 1
                continue
            if not isinstance(former, int):
                former = self._times.look_up(value, former)
            latest[value] = time
            earlier = self._times.earlier
            if value in earlier:
                earlier[value].append(former)
            else:
                earlier[value] = [former]
            if former < reach:
                level += 1
        self.set(number, index, level)

    def leave(self, entry: Entry) -> None:
        """Leave out an entry that has been taken from its slot."""
        ranges: Ranges = Counter()
        for value in self._read(entry):
            self._times.remove(value, entry.time)
            covers = self._times.covers(value, entry.time, self._span)
            if covers is not None:
                ranges[covers] -= 1
        self.add(ranges)

    def prune(self, gone: Iterable[Entry], before: int) -> None:
        """Leave out entries that are forgotten, the oldest ones, all from before a time.

        What they count at times of which the windows are still whole does not change. The last slot that is
        not one of those is set right, for it is what the level of a later one is derived from.
        """
        latest: dict[Counted, int] = {}
        for entry in gone:
            time = entry.time
            for value in self._read(entry):
                latest[value] = time
        self._times.prune(latest, before)
        slot = self._timeline.before(before + self._span)
        if slot is None:
            return
        block, index = self._timeline.blocks[slot[0]], slot[1]
        time = block.times[index]
        reach = time - self._span
        for value, last in latest.items():
            if last >= reach and self._times.around(value, time)[0] is None:
                block.levels[index] -= 1

    def _occur(self, values: Iterable[Counted], time: int, stands: Block | int) -> Ranges:
        """Take note of the values of an entry that is not the newest; give where they count in addition."""
        ranges: Ranges = Counter()
        for value in values:
            covers = self._times.covers(value, time, self._span)
            if covers is not None:
                ranges[covers] += 1
            self._times.add(value, time, stands)
        return ranges

    def _level_of_new(self, number: int, index: int) -> int:
        """Give the level of a slot that has just come, not as the last one, without its own entry."""
        timeline = self._timeline
        time = timeline.blocks[number].times[index]
        former = (number, index - 1) if index else (number - 1, -1)
        if former[0] < 0:
            return 0
        time_before = timeline.blocks[former[0]].times[former[1]]
        reach, reach_before = time - self._span, time_before - self._span
        if timeline.starts[0] >= reach:
            return self.level(*former)
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
                if not self._times.present(value, reach, time_before)
            }
            return self.level(*former) - len(gone)
        came = {
            value
            for entry in timeline.between(time_after, time_after)
            for value in self._read(entry)
            if not self._times.present(value, reach, time_before)
        }
        went = {
            value
            for entry in timeline.between(reach, min(reach_after - 1, time_before))
            for value in self._read(entry)
            if not self._times.present(value, reach_after, time_after)
        }
        return self.level(*after) - len(came) + len(went)


class Values(Coverage):
    """Counts the distinct values of entries."""

    __slots__ = ()

    def enter(self, entry: Entry, slot: Slot) -> None:
        """Count an entry that has been put into a slot; one further value in the order of time at once."""
        number, index, new, last = slot
        bare, latest = entry.bare, self._latest
        if last and new and not isinstance(bare, tuple) and bare not in latest:
            level = self.level_of_last(number, index)
            latest[bare] = self._stands(entry, self._timeline.blocks[number], index)
            self.set(number, index, level + 1)
        else:
            super().enter(entry, slot)

    def _read(self, entry: Entry) -> Collection[Counted]:
        bare = entry.bare
        return bare if isinstance(bare, tuple) else (bare,)

    def _stands(self, entry: Entry, block: Block, index: int) -> Block | int:
        return entry.time if isinstance(entry.bare, tuple) or block.at[index] is not entry.id else block

    def _share(self, entry: Entry, block: Block, index: int) -> None:
        held = block.at[index]
        if isinstance(held, list) and len(held) == 2:
            other = held[0] if held[1] is entry else held[1]
            self._times.share(self._read(other), block, entry.time)

    def _insert(self, entry: Entry) -> None:
        timeline = self._timeline
        if timeline.parted is not None:
            self._times.part(*timeline.parted, entry.time)
        self._times.resolve(self._read(entry), entry.time)

    def _left(self, block: Block, index: int) -> int:
        latest, held = self._latest, block.at[index]
        if isinstance(held, str):
            bare = block.bare[index]
            if not isinstance(bare, tuple):
                found = latest[bare]
                return 1 if found is block or found == block.times[index] else 0
        time = block.times[index]
        count = 0
        for value in {value for entry in self._timeline.entries(block, index) for value in self._read(entry)}:
            if latest[value] == time:
                count += 1
        return count


class MatchedRules(Coverage):
    """Counts the distinct rules that entries match."""

    __slots__ = ()

    def _read(self, entry: Entry) -> Collection[Counted]:
        return entry.rules

    def _stands(self, entry: Entry, block: Block, index: int) -> Block | int:  # noqa: ARG002 - rules are few
        return entry.time

    def _left(self, block: Block, index: int) -> int:
        latest, time = self._times.latest, block.times[index]
        return sum(latest[rule] == time for rule in self._timeline.rules_at(block, index))


class Rules:
    """How many rules have matched, where an extended condition holds for them. A level is a bit for each.

    An event out of order is worked into the slots of the timespan after it, as far as they lacked its rule.
    """

    def __init__(
        self, timeline: Timeline, timespan: int, expression: Expression, rules: Iterable[str]
    ) -> None:
        self._timeline = timeline
        self._span = timespan
        self._expression = expression
        self._bits = {rule: 1 << place for place, rule in enumerate(dict.fromkeys(rules))}
        self._times = ValueTimes()
        self._known: dict[int, bool] = {}

    def enter(self, entry: Entry, slot: Slot) -> None:
        """Take in an entry that has been put into a slot."""
        ranges = [(rule, self._times.covers(rule, entry.time, self._span)) for rule in entry.rules]
        for rule in entry.rules:
            self._times.add(rule, entry.time, entry.time)
        number, index, new, _ = slot
        if new:
            first, last = entry.time - self._span, entry.time
            level = sum(bit for rule, bit in self._bits.items() if self._times.present(rule, first, last))
            self._timeline.blocks[number].levels[index] = level
            self._evaluate(number, index, index + 1)
        for rule, covers in ranges:
            if covers is not None:
                self._change(*covers, self._bits[rule], 0)

    def leave(self, entry: Entry) -> None:
        """Leave out an entry that has been taken from its slot."""
        for rule in entry.rules:
            self._times.remove(rule, entry.time)
            covers = self._times.covers(rule, entry.time, self._span)
            if covers is not None:
                self._change(*covers, 0, self._bits[rule])

    def prune(self, gone: Iterable[Entry], before: int) -> None:  # noqa: ARG002 - as the other metrics
        """Leave out entries that are forgotten."""
        self._times.prune(self._bits, before)

    def value(self, number: int, index: int) -> Exact | None:
        """Give how many rules have matched."""
        level: int = self._timeline.blocks[number].levels[index]
        return level.bit_count()

    def _change(self, first: int, last: int, present: int, absent: int) -> None:
        for number, low, high in self._timeline.spans(first, last):
            levels = self._timeline.blocks[number].levels
            levels[low:high] = [(level | present) & ~absent for level in levels[low:high]]
            self._evaluate(number, low, high)

    def _evaluate(self, number: int, low: int, high: int) -> None:
        levels = self._timeline.blocks[number].levels[low:high]
        for level in set(levels) - self._known.keys():
            seen = [rule for rule, bit in self._bits.items() if level & bit]
            self._known[level] = holds(self._expression, seen)
        self._timeline.mark(number, low, high, bytes([self._known[level] for level in levels]))
