"""Order in time, for `temporal_ordered`: every next rule must match strictly later than the one before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from streams.correlate.entry import Entry
from streams.rule import Expression


def chain_length(entries: Sequence[Entry], rules: tuple[str, ...]) -> int:
    """Give the most rules, taken in their order, that matched at strictly increasing times.

    `entries` are in the order of time.
    """
    longest = [0] * len(rules)
    for _, together in groupby(entries, key=lambda entry: entry.time):
        matched = frozenset().union(*(entry.rules for entry in together))
        before = 0
        updated = list(longest)
        for index, rule in enumerate(rules):
            if rule in matched:
                updated[index] = max(longest[index], before + 1)
            before = max(before, longest[index])
        longest = updated
    return max(longest, default=0)


def is_satisfied(expression: Expression, entries: Sequence[Entry]) -> bool:
    """Tell whether an extended condition holds in order: what `and` joins must come one after another.

    `or` needs any of its operands, `not` that its operand cannot be satisfied from that place on. `entries`
    are in the order of time.
    """
    return _earliest(expression, entries, None) is not None


def _earliest(expression: Expression, entries: Sequence[Entry], after: int | None) -> int | None:
    """Give the earliest time by which the expression is satisfied using entries later than `after`.

    None where it cannot be. A satisfied `not` ends where it began.
    """
    match expression.operator:
        case "rule":
            return next(
                (e.time for e in entries if expression.rule in e.rules and (after is None or e.time > after)),
                None,
            )
        case "not":
            start = after if after is not None else (entries[0].time - 1 if entries else 0)
            return start if _earliest(expression.operands[0], entries, after) is None else None
        case "or":
            ends = [_earliest(operand, entries, after) for operand in expression.operands]
            return min((end for end in ends if end is not None), default=None)
        case _:
            for operand in expression.operands:
                after = _earliest(operand, entries, after)
                if after is None:
                    return None
            return after
