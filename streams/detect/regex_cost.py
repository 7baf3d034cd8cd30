"""How long a text may be before backtracking over it could take too long: an upper bound, never a guess.

A backtracking search may try every way in which the quantifiers can share out a text. The number of ways of a
sequence is the product of those of its parts; a repeated part that itself has several ways has exponentially
many, and no length is safe for it.
"""

from __future__ import annotations

from re import _constants as sre  # type: ignore[attr-defined]  # not in the stubs
from typing import Any, NamedTuple

MAX_STEPS = 50_000_000
"""About a second of Python's `re`."""
_MAX_NESTED = 16
"""A part with several ways that may be repeated more often than this counts as endless."""
_LENGTHS = tuple(1 << power for power in range(20, 7, -1))
_ATOMS = {sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.AT}
_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}


class _Cost(NamedTuple):
    """In how many ways a part can match from one place, and how many steps trying them all takes."""

    ways: float
    steps: float


def longest_safe_text(tree: Any) -> int:
    """Give the longest text on which a parsed expression surely ends within `MAX_STEPS`, or 0."""
    anchored = bool(tree.data) and tree.data[0] == (sre.AT, sre.AT_BEGINNING_STRING)
    anchored = anchored or (
        bool(tree.data)
        and tree.data[0] == (sre.AT, sre.AT_BEGINNING)
        and not tree.state.flags & sre.SRE_FLAG_MULTILINE
    )
    for length in _LENGTHS:
        starts = 1 if anchored else length
        if starts * _sequence(tree, length).steps + length <= MAX_STEPS:
            return length
    return 0


def _sequence(nodes: Any, length: int) -> _Cost:
    ways, steps = 1.0, 1.0
    for operator, value in nodes:
        cost = _node(operator, value, length)
        steps += ways * cost.steps
        ways *= cost.ways
    return _Cost(ways, steps)


def _node(operator: Any, value: Any, length: int) -> _Cost:
    if operator in _ATOMS:
        return _Cost(1, 1)
    if operator is sre.BRANCH:
        branches = [_sequence(branch, length) for branch in value[1]]
        return _Cost(sum(cost.ways for cost in branches), sum(cost.steps for cost in branches))
    if operator is sre.SUBPATTERN:
        return _sequence(value[3], length)
    if operator is sre.ATOMIC_GROUP:
        return _Cost(1, _sequence(value, length).steps)
    if operator in {sre.ASSERT, sre.ASSERT_NOT}:  # left at once it has matched, never entered again
        return _Cost(1, _sequence(value[1], length).steps)
    if operator in _REPEATS:
        return _repeat(value, length)
    if operator is sre.GROUPREF:
        return _Cost(1, length)
    return _Cost(float("inf"), float("inf"))


def _repeat(value: Any, length: int) -> _Cost:
    low, high, body = value
    most = length if high is sre.MAXREPEAT else min(int(high), length)
    cost = _sequence(body, length)
    choices = max(most - int(low), 0) + 1
    if cost.ways > 1:
        if most > _MAX_NESTED or cost.ways > MAX_STEPS:
            return _Cost(float("inf"), float("inf"))
        ways = cost.ways**most * choices
        return _Cost(ways, ways * cost.steps)
    return _Cost(choices, most * cost.steps + 1)
