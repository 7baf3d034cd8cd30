"""The times at which a group has events, in order, each with its entries, its level, and whether it fires.

A *slot* is one such time. Slots are kept in blocks of some hundred, so that one can come in anywhere at
little cost, and so that what concerns many slots can be said once for a whole block (see counting.py). A
slot is named by its block's number and its place in the block; both hold until the next slot comes or goes.

There may be a slot for each event, so a *plain* entry, the only one at its time, is not held as an object:
an event, not a firing, that the rules matched which matched the first one of the group.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from streams.correlate.entry import Bare, Entry

SIZE = 256
"""Slots that a block gets in the order of time; it parts in two at twice as many."""
SILENT, FIRES, FINAL = 0, 1, 2
"""What is said of a slot: it does not fire, it does, or it does not and never will again."""
FAR = 2**62
"""More than any level can change by."""
AMPLE = 2**29
"""A margin that is none: more than levels change by at once, and of the size of which sums are fastest."""


Slot = tuple[int, int, bool, bool]
"""The number of a slot's block and its place there; whether it is new, and whether it is the last one."""


class Block:
    """Some slots that follow each other: five columns.

    `at` holds a slot's one entry, or a list of them in the order of their ids. Of a plain entry it holds the
    id, and `bare` the values. What `levels` holds is its metric's affair.
    """

    __slots__ = ("at", "bare", "fires", "levels", "times")

    def __init__(
        self,
        times: array[int],
        at: list[str | Entry | list[Entry]],
        bare: list[Bare],
        levels: list[Any],
        fires: bytearray,
    ) -> None:
        self.times = times
        self.at = at
        self.bare = bare
        self.levels = levels
        self.fires = fires

    def part(self, place: int) -> Block:
        """Take the slots from a place on into a block of their own."""
        other = Block(
            self.times[place:], self.at[place:], self.bare[place:], self.levels[place:], self.fires[place:]
        )
        self.delete(place, len(self.times))
        return other

    def delete(self, low: int, high: int) -> None:
        """Delete the slots from one place to another."""
        del self.times[low:high], self.at[low:high], self.bare[low:high], self.levels[low:high]
        del self.fires[low:high]


class Timeline:
    """The slots of one group.

    For each block `starts` holds the first time. `bases`, `ups` and `downs` belong to counting.py: what is to
    be added to each level of the block, and by how much less than all its levels would have to rise or fall
    for one of its slots to fire or to cease.
    """

    __slots__ = ("bases", "blocks", "downs", "gained", "lost", "moves", "parted", "rules", "starts", "ups")

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.starts: list[int] = []
        self.bases: list[int] = []
        self.ups: list[int] = []
        self.downs: list[int] = []
        self.gained: list[int] = []
        self.lost = False
        self.moves = 0
        """Counts the changes after which slots may have other numbers than before: all but a further one."""
        self.parted: tuple[Block, Block] | None = None
        """The two blocks that the last entry out of order has made of one."""
        self.rules: frozenset[str] = frozenset()
        """The rules that matched the events of plain entries."""

    @property
    def newest(self) -> int | None:
        """The last time that has an entry."""
        return self.blocks[-1].times[-1] if self.blocks else None

    @property
    def oldest(self) -> int | None:
        """The first time that has an entry."""
        return self.starts[0] if self.starts else None

    def place(self, entry: Entry, level: Any) -> Slot:
        """Put an entry into the slot of its time, or into a new one with this level; say which."""
        time, blocks = entry.time, self.blocks
        if not blocks:
            self.rules = entry.rules
        plain = entry.chained is None and (entry.rules is self.rules or entry.rules == self.rules)
        if blocks:
            block = blocks[-1]
            times = block.times
            if time > times[-1]:
                if len(times) < SIZE:
                    times.append(time)
                    block.at.append(entry.id if plain else entry)
                    block.bare.append(entry.bare if plain else ())
                    block.levels.append(level)
                    block.fires.append(SILENT)
                    return len(blocks) - 1, len(times) - 1, True, True
            else:
                number = bisect_right(self.starts, time) - 1
                return self._insert(max(number, 0), entry, level, plain)
        at: list[str | Entry | list[Entry]] = [entry.id if plain else entry]
        bare = entry.bare if plain else ()
        self._add_block(len(blocks), Block(array("q", (time,)), at, [bare], [level], bytearray(1)), 0)
        return len(blocks) - 1, 0, True, True

    def take(self, entry: Entry) -> None:
        """Take an entry out that is there, and its slot with it when that holds no other."""
        number, index = self.find(entry.time)
        block = self.blocks[number]
        held = block.at[index]
        if isinstance(held, list):
            del held[bisect_left(held, entry.id, key=_id)]
            if len(held) == 1:
                block.at[index] = held[0]
            return
        self.moves += 1
        self.lost = self.lost or block.fires[index] == FIRES
        block.delete(index, index + 1)
        if not block.times:
            self._delete_blocks(number, number + 1)
        elif not index:
            self.starts[number] = block.times[0]

    def get(self, time: int, entry_id: str) -> Entry:
        """Give the entry of an id that is there at a time."""
        number, index = self.find(time)
        entries = self.entries(self.blocks[number], index)
        return entries[bisect_left(entries, entry_id, key=_id)]

    def entries(self, block: Block, index: int) -> Sequence[Entry]:
        """Give the entries of a slot, in the order of their ids."""
        held = block.at[index]
        if isinstance(held, str):
            return (Entry(held, block.times[index], self.rules, block.bare[index]),)
        return held if isinstance(held, list) else (held,)

    def rules_at(self, block: Block, index: int) -> frozenset[str]:
        """Give the rules that matched at a slot."""
        held = block.at[index]
        if isinstance(held, list):
            return frozenset().union(*(entry.rules for entry in held))
        return self.rules if isinstance(held, str) else held.rules

    def find(self, time: int) -> tuple[int, int]:
        """Give the slot of the first time that is no earlier; its block may be one past the last."""
        number = bisect_right(self.starts, time) - 1
        if number < 0:
            return 0, 0
        index = bisect_left(self.blocks[number].times, time)
        return (number, index) if index < len(self.blocks[number].times) else (number + 1, 0)

    def before(self, time: int) -> tuple[int, int] | None:
        """Give the slot of the last time that is earlier."""
        number = bisect_left(self.starts, time) - 1
        return None if number < 0 else (number, bisect_left(self.blocks[number].times, time) - 1)

    def between(self, first: int, last: int) -> Iterator[Entry]:
        """Give the entries from time `first` to time `last`, both included, in the order of time and id."""
        for number, low, high in self.spans(first, last):
            block, rules = self.blocks[number], self.rules
            slots = zip(block.at[low:high], block.times[low:high], block.bare[low:high], strict=True)
            for held, time, bare in slots:
                if isinstance(held, str):
                    yield Entry(held, time, rules, bare)
                elif isinstance(held, list):
                    yield from held
                else:
                    yield held

    def evidence(self, first: int, last: int) -> Iterator[str]:
        """Give the ids of the events behind the entries from time `first` to time `last`, in their order."""
        for number, low, high in self.spans(first, last):
            for held in self.blocks[number].at[low:high]:
                if isinstance(held, str):
                    yield held
                    continue
                for entry in held if isinstance(held, list) else (held,):
                    yield from entry.evidence

    def spans(self, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """Give the slots from time `first` to `last`: for each block its number, from where, to where."""
        for number in range(max(bisect_right(self.starts, first) - 1, 0), bisect_right(self.starts, last)):
            times = self.blocks[number].times
            low = 0 if times[0] >= first else bisect_left(times, first)
            high = len(times) if times[-1] <= last else bisect_right(times, last)
            if low < high:
                yield number, low, high

    def mark(self, number: int, low: int, high: int, fresh: bytes | bytearray) -> None:
        """Say which slots of a block fire, a byte for each, save those that are final; note what changes."""
        block = self.blocks[number]
        former = block.fires[low:high]
        different = int.from_bytes(former, "little") ^ int.from_bytes(fresh, "little")
        while different:
            place = (different & -different).bit_length() - 1 >> 3
            different &= -1 << 8 * (place + 1)
            index = low + place
            if former[place] == FINAL:
                continue
            block.fires[index] = fresh[place]
            if fresh[place] == FIRES:
                self.gained.append(block.times[index])
            else:
                self.lost = True

    def finish(self, before: int) -> None:
        """Say that no time before this one fires any more, whatever becomes of what they rest on."""
        for number, block in enumerate(self.blocks):
            if self.starts[number] >= before:
                break
            count = bisect_left(block.times, before)
            block.fires[:count] = bytes((FINAL,)) * count

    def prune(self, before: int) -> list[Entry]:
        """Forget all slots before a time, and give their entries."""
        if not self.starts or self.starts[0] >= before:
            return []
        self.moves += 1
        gone = list(self.between(self.starts[0], before - 1))
        number, index = self.find(before)
        self._delete_blocks(0, number)
        if index:
            self.blocks[0].delete(0, index)
            self.starts[0] = self.blocks[0].times[0]
        return gone

    def first_firing(self, first: int, last: int) -> int | None:
        """Give the first time that fires, from `first` to `last`, both included."""
        number, low = self.find(first)
        for block in self.blocks[number:]:
            index = block.fires.find(FIRES, low)
            if index >= 0:
                return block.times[index] if block.times[index] <= last else None
            if block.times[-1] >= last:
                break
            low = 0
        return None

    def firings(self, first: int, last: int) -> Iterator[int]:
        """Give the times that fire, from `first` to `last`, both included, ascending."""
        for number, low, high in self.spans(first, last):
            block = self.blocks[number]
            index = block.fires.find(FIRES, low, high)
            while index >= 0:
                yield block.times[index]
                index = block.fires.find(FIRES, index + 1, high)

    def last_firing(self, first: int, last: int) -> int | None:
        """Give the last time that fires, from `first` to `last`, both included."""
        for number in range(bisect_right(self.starts, last) - 1, -1, -1):
            block = self.blocks[number]
            index = block.fires.rfind(FIRES, 0, bisect_right(block.times, last))
            if index >= 0:
                return block.times[index] if block.times[index] >= first else None
            if self.starts[number] <= first:
                break
        return None

    def _insert(self, number: int, entry: Entry, level: Any, plain: bool) -> Slot:
        self.parted = None
        block = self.blocks[number]
        index = bisect_left(block.times, entry.time)
        if index < len(block.times) and block.times[index] == entry.time:
            held = block.at[index]
            if isinstance(held, list):
                entry.time = held[0].time  # one number for all
                held.insert(bisect_left(held, entry.id, key=_id), entry)
            else:
                (other,) = self.entries(block, index)
                block.at[index] = [other, entry] if other.id <= entry.id else [entry, other]
                other.time = entry.time  # one number for both
                block.bare[index] = ()
            last = number == len(self.blocks) - 1 and index == len(block.times) - 1
            return number, index, False, last
        self.moves += 1
        block.times.insert(index, entry.time)
        block.at.insert(index, entry.id if plain else entry)
        block.bare.insert(index, entry.bare if plain else ())
        block.levels.insert(index, level)
        block.fires.insert(index, SILENT)
        if not index:
            self.starts[number] = entry.time
        if len(block.times) >= 2 * SIZE:
            self.parted = block, block.part(SIZE)
            self._add_block(number + 1, self.parted[1], self.bases[number])
            self.ups[number + 1], self.downs[number + 1] = self.ups[number], self.downs[number]
            if index >= SIZE:
                return number + 1, index - SIZE, True, False
        return number, index, True, False

    def _add_block(self, number: int, block: Block, base: int) -> None:
        self.blocks.insert(number, block)
        self.starts.insert(number, block.times[0])
        self.bases.insert(number, base)
        self.ups.insert(number, AMPLE)
        self.downs.insert(number, AMPLE)

    def _delete_blocks(self, first: int, last: int) -> None:
        for column in (self.blocks, self.starts, self.bases, self.ups, self.downs):
            del column[first:last]


def _id(entry: Entry) -> str:
    return entry.id
