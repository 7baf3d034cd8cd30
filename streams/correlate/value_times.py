"""At which times each value of one group occurs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from streams.correlate.entry import Counted
from streams.correlate.timeline import Block


class ValueTimes:
    """The occurrences of values, one for each entry that holds it.

    `latest` has each value's last time, `earlier` those before it, ascending, of values that have any: most
    have not, and are to cost no list. Nor a number: in place of its time, a value that occurs once may have
    the block in which it is the bare value of a plain entry, until its time is asked for.
    """

    __slots__ = ("earlier", "latest")

    def __init__(self) -> None:
        self.latest: dict[Counted, int | Block] = {}
        self.earlier: dict[Counted, list[int]] = {}

    def add(self, value: Counted, time: int, stands: Block | int) -> None:
        """Take note of an occurrence by its time or, where there is no other one, by its block."""
        latest = self.latest.get(value)
        if latest is None:
            self.latest[value] = stands
            return
        if not isinstance(latest, int):
            latest = self.look_up(value, latest)
        earlier = self.earlier.setdefault(value, [])
        if time >= latest:
            earlier.append(latest)
            self.latest[value] = time
        elif earlier and time < earlier[-1]:
            earlier.insert(bisect_left(earlier, time), time)
        else:
            earlier.append(time)

    def look_up(self, value: Counted, block: Block, other: int | None = None) -> int:
        """Find the time of a value in its block, another than that of a new occurrence; put it in place."""
        index = block.bare.index(value)
        if block.times[index] == other:
            index = block.bare.index(value, index + 1)
        self.latest[value] = time = block.times[index]
        return time

    def resolve(self, values: Iterable[Counted], time: int) -> None:
        """Find the times of values of which there is a new occurrence at a time."""
        for value in values:
            found = self.latest.get(value)
            if found is not None and not isinstance(found, int):
                self.look_up(value, found, time)

    def part(self, block: Block, other: Block, time: int) -> None:
        """Take note that some slots of a block now make another; at `time` is an occurrence not yet noted."""
        for at, value in zip(other.times, other.bare, strict=True):
            if not isinstance(value, tuple) and at != time and self.latest.get(value) is block:
                self.latest[value] = other

    def share(self, values: Iterable[Counted], block: Block, time: int) -> None:
        """Take note that the entry with these values is no longer the only one at its time."""
        for value in values:
            if self.latest.get(value) is block:
                self.latest[value] = time

    def remove(self, value: Counted, time: int) -> None:
        """Take an occurrence back that is there."""
        earlier = self.earlier.get(value)
        if earlier is None:
            del self.latest[value]
            return
        if time == self.latest[value]:
            self.latest[value] = earlier.pop()
        else:
            del earlier[bisect_left(earlier, time)]
        if not earlier:
            del self.earlier[value]

    def prune(self, values: Iterable[Counted], before: int) -> None:
        """Forget the occurrences of some values before a time."""
        for value in values:
            latest = self.latest.get(value)
            if latest is None:
                continue
            if not isinstance(latest, int) or latest < before:  # a value that has a block is not elsewhere
                del self.latest[value]
                self.earlier.pop(value, None)
                continue
            earlier = self.earlier.get(value)
            if earlier is not None:
                del earlier[: bisect_left(earlier, before)]
                if not earlier:
                    del self.earlier[value]

    def around(self, value: Counted, time: int) -> tuple[int | None, int | None]:
        """Give the last occurrence of a value up to a time, and the first one after it."""
        latest = self.latest.get(value)
        if latest is None:
            return None, None
        if not isinstance(latest, int):
            latest = self.look_up(value, latest)
        if latest <= time:
            return latest, None
        earlier = self.earlier.get(value)
        if earlier is None:
            return None, latest
        place = bisect_right(earlier, time)
        return earlier[place - 1] if place else None, earlier[place] if place < len(earlier) else latest

    def present(self, value: Counted, first: int, last: int) -> bool:
        """Tell whether a value occurs from `first` to `last`."""
        former = self.around(value, last)[0]
        return former is not None and former >= first

    def covers(self, value: Counted, time: int, span: int) -> tuple[int, int] | None:
        """Give the range over which one more occurrence counts: where the others of its value do not.

        Each is counted from its time for as long as `span`, both ends included.
        """
        former, following = self.around(value, time)
        first = time if former is None else max(time, former + span + 1)
        last = time + span if following is None else min(time + span, following - 1)
        return (first, last) if first <= last else None
