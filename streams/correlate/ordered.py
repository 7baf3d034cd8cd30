"""Order in time, for `temporal_ordered`: every next rule must match strictly later than the one before."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence

from streams.rule import Expression


class Chains:
    """The most rules, taken in their order, that matched at strictly increasing times.

    For every length and every rule it keeps the latest time at which a chain of that length, with this rule
    as its last, can have begun: so a chain is there as long as its beginning is, and nothing is counted anew.
    """

    def __init__(self, rules: tuple[str, ...]) -> None:
        self._rules = rules
        self._time: int | None = None
        self._gone: int | None = None
        # `_begun[rule][length]`, up to the newest time, and as it was before that time
        self._begun: list[dict[int, int]] = [{} for _ in rules]
        self._before = self._begun

    def add(self, time: int, matched: frozenset[str]) -> None:
        """Take in what matched at a time that is no earlier than the times before."""
        if time != self._time:
            self._time = time
            self._before = [dict(lengths) for lengths in self._begun]
        for index, rule in enumerate(self._rules):
            if rule not in matched:
                continue
            chains = self._begun[index]
            chains[1] = time
            for lengths in self._before[:index]:
                for length, begun in lengths.items():
                    chains[length + 1] = max(begun, chains.get(length + 1, begun))

    def forget(self, time: int) -> None:
        """Leave out all that began at this time or earlier."""
        self._gone = time

    def longest(self) -> int:
        """Give the most rules of a chain."""
        gone = self._gone
        return max(
            (
                length
                for lengths in self._begun
                for length, begun in lengths.items()
                if gone is None or begun > gone
            ),
            default=0,
        )


def is_satisfied(expression: Expression, times: Mapping[str, Sequence[int]]) -> bool:
    """Tell whether an extended condition holds in order: what `and` joins must come one after another.

    `or` needs any of its operands, `not` that its operand cannot be satisfied from that place on. `times`
    are those at which each rule matched, ascending.
    """
    start = min((matched[0] for matched in times.values()), default=0) - 1
    return bool(_ends(expression, times, {start}))


def _ends(expression: Expression, times: Mapping[str, Sequence[int]], starts: set[int]) -> set[int]:
    """Give all times by which the expression can be satisfied from later than any one of `starts`.

    All, since a later one can be what a `not` further on needs. A satisfied `not` ends where it began.
    """
    match expression.operator:
        case "rule":
            matched = times.get(str(expression.rule), ())
            return set(matched[bisect.bisect_right(matched, min(starts)) :]) if starts else set()
        case "not":
            return {start for start in starts if not _ends(expression.operands[0], times, {start})}
        case "or":
            return set().union(*(_ends(operand, times, starts) for operand in expression.operands))
        case _:
            for operand in expression.operands:
                starts = _ends(operand, times, starts)
            return starts
