"""Order in time, for `temporal_ordered`: every next rule must match strictly later than the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streams.correlate.entry import Entry
from streams.correlate.metric import Exact, test_of
from streams.correlate.timeline import FAR, Slot, Timeline
from streams.rule import Expression, Threshold

Chains = tuple[tuple[int, ...], ...]
"""For every rule and every length: the latest time at which a chain of that length, with this rule as its
last, can have begun; `_NONE` where there is none within the window."""
_NONE = -4 * FAR


class Ordered:
    """The most rules, taken in their order, that matched at strictly increasing times.

    A slot's level is its chains, which follow from those of the slot before and what matches at it. So an
    entry out of order concerns the slots after it as far as chains come out otherwise than they were, at most
    one timespan.
    """

    def __init__(
        self, timeline: Timeline, timespan: int, condition: Threshold, rules: tuple[str, ...]
    ) -> None:
        self._timeline = timeline
        self._span = timespan
        self._rules = rules
        self._fires = test_of(condition)
        self._empty: Chains = tuple((_NONE,) * (index + 1) for index in range(len(rules)))

    def enter(self, entry: Entry, slot: Slot) -> None:  # noqa: ARG002 - the same
        """Take in an entry that has been put into a slot."""
        self._follow(entry.time)

    def leave(self, entry: Entry) -> None:
        """Leave out an entry that has been taken from its slot."""
        self._follow(entry.time)

    def prune(self, gone: Iterable[Entry], before: int) -> None:
        """Leave out entries that are forgotten: what began with them is too old for any slot to come."""

    def value(self, number: int, index: int) -> Exact | None:
        """Give the most rules of a chain at a slot."""
        return _longest(self._timeline.blocks[number].levels[index])

    def _follow(self, changed: int) -> None:
        timeline = self._timeline
        slot = timeline.before(changed)
        chains = self._empty if slot is None else timeline.blocks[slot[0]].levels[slot[1]]
        for number, low, high in timeline.spans(changed, FAR * 2):
            block = timeline.blocks[number]
            for index in range(low, high):
                time = block.times[index]
                chains = self._next(chains, time, timeline.rules_at(block, index))
                if chains == block.levels[index] and time > changed:
                    return
                block.levels[index] = chains
                fires = self._fires(_longest(chains), 1)
                timeline.mark(number, index, index + 1, bytes((fires,)))

    def _next(self, before: Chains, time: int, matched: frozenset[str]) -> Chains:
        oldest = time - self._span
        kept = [tuple([begun if begun >= oldest else _NONE for begun in lengths]) for lengths in before]
        chains = list(kept)
        for index, rule in enumerate(self._rules):
            if rule in matched:
                best = list(kept[index])
                for lengths in kept[:index]:
                    for length, begun in enumerate(lengths, 1):
                        best[length] = max(best[length], begun)
                best[0] = time
                chains[index] = tuple(best)
        return tuple(chains)


class OrderedExpression:
    """How many of the rules have matched, where an extended condition holds in order; else None.

    What `and` joins must come one after another. `or` needs any of its operands, `not` that its operand
    cannot be satisfied from that place on. Each rule has a row of bits, one for each slot, of which a window
    is a part; an entry out of order has all windows of the timespan after it evaluated again.
    """

    def __init__(self, timeline: Timeline, timespan: int, expression: Expression) -> None:
        self._timeline = timeline
        self._span = timespan
        self._expression = expression
        self._bits: dict[str, int] = {}
        self._slots = 0

    def enter(self, entry: Entry, slot: Slot) -> None:
        """Take in an entry that has been put into a slot."""
        number, index, new, _ = slot
        place = self._offset(number) + index
        if new:
            if place < self._slots:
                below = (1 << place) - 1
                for rule, bits in self._bits.items():
                    self._bits[rule] = bits & below | (bits & ~below) << 1
            self._slots += 1
        for rule in entry.rules:
            self._bits[rule] = self._bits.get(rule, 0) | 1 << place
        self._evaluate(entry.time)

    def leave(self, entry: Entry) -> None:
        """Leave out an entry that has been taken from its slot."""
        self._bits.clear()
        timeline = self._timeline
        slots = [(block, index) for block in timeline.blocks for index in range(len(block.times))]
        for place, slot in enumerate(slots):
            for rule in timeline.rules_at(*slot):
                self._bits[rule] = self._bits.get(rule, 0) | 1 << place
        self._slots = len(slots)
        self._evaluate(entry.time)

    def prune(self, gone: Iterable[Entry], before: int) -> None:  # noqa: ARG002 - as the other metrics
        """Leave out entries that are forgotten."""
        count = self._slots - sum(len(block.times) for block in self._timeline.blocks)
        self._slots -= count
        self._bits = {rule: bits >> count for rule, bits in self._bits.items() if bits >> count}

    def value(self, number: int, index: int) -> Exact | None:
        """Give how many rules have matched at a slot."""
        value: int | None = self._timeline.blocks[number].levels[index]
        return value

    def _offset(self, number: int) -> int:
        return sum(len(block.times) for block in self._timeline.blocks[:number])

    def _evaluate(self, changed: int) -> None:
        timeline = self._timeline
        oldest, place = timeline.find(changed - self._span)
        start = self._offset(oldest) + place
        for number, low, high in timeline.spans(changed, changed + self._span):
            block = timeline.blocks[number]
            fires = bytearray()
            for end, index in enumerate(range(low, high), self._offset(number) + low):
                while timeline.blocks[oldest].times[place] < block.times[index] - self._span:
                    start, place = start + 1, place + 1
                    if place == len(timeline.blocks[oldest].times):
                        oldest, place = oldest + 1, 0
                window = (1 << end - start + 1) - 1
                seen = {rule: found for rule, bits in self._bits.items() if (found := bits >> start & window)}
                satisfied = is_satisfied(self._expression, seen, end - start + 1)
                block.levels[index] = len(seen) if satisfied else None
                fires.append(satisfied)
            timeline.mark(number, low, high, fires)


def is_satisfied(expression: Expression, seen: Mapping[str, int], times: int) -> bool:
    """Tell whether an extended condition holds in order.

    `seen` gives for each rule at which of so many `times` it matched, the lowest bit for the first.
    """
    everywhere = (2 << times) - 1  # the lowest bit stands for the beginning, before the first time
    shifted = {rule: bits << 1 for rule, bits in seen.items()}
    return bool(_starts(expression, shifted, everywhere, everywhere) & 1)


def _starts(expression: Expression, seen: Mapping[str, int], ends: int, everywhere: int) -> int:
    """Give all times from which the expression can be satisfied by one of the times `ends`.

    A rule ends where it matches, later than it starts. A satisfied `not` ends where it starts.
    """
    match expression.operator:
        case "rule":
            matched = seen.get(str(expression.rule), 0) & ends
            return (1 << matched.bit_length() - 1) - 1 if matched else 0
        case "not":
            return ends & ~_starts(expression.operands[0], seen, everywhere, everywhere)
        case "or":
            starts = 0
            for operand in expression.operands:
                starts |= _starts(operand, seen, ends, everywhere)
            return starts
        case _:
            for operand in reversed(expression.operands):
                ends = _starts(operand, seen, ends, everywhere)
            return ends


def _longest(chains: Chains) -> int:
    return max(
        (length for lengths in chains for length, begun in enumerate(lengths, 1) if begun != _NONE), default=0
    )
