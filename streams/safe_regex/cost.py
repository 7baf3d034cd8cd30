"""How long a text may be before backtracking over it could take too long: an upper bound, never a guess.

A backtracking search may try every way in which the quantifiers can share out a text. The number of ways of a
sequence is the product of those of its parts; a repeated part that itself has several ways has exponentially
many, and no length is safe for it.
"""

from __future__ import annotations

from collections.abc import Sequence
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


_ENDLESS = _Cost(float("inf"), float("inf"))


def longest_safe_text(tree: Any, *, every_match: bool = False) -> int:
    """Give the longest text on which a parsed expression surely ends within `MAX_STEPS`, or 0.

    That is when one match is searched for; with `every_match` when the search goes on behind each.
    """
    nodes = list(tree.data)
    anchors = {sre.AT_BEGINNING_STRING}
    if not tree.state.flags & sre.SRE_FLAG_MULTILINE:
        anchors.add(sre.AT_BEGINNING)
    anchored = bool(nodes) and nodes[0][0] is sre.AT and nodes[0][1] in anchors
    for length in _LENGTHS:
        attempt, tail = _Estimate(length, tree.state.groupwidths).whole(nodes, every_match=every_match)
        if (1 if anchored else length) * attempt + tail + length <= MAX_STEPS:
            return length
    return 0


class _Estimate:
    """The cost of each kind of node on a text of `length` characters; `widths` are those of the groups."""

    def __init__(self, length: int, widths: Sequence[Any]) -> None:
        self._length = length
        self._widths = widths

    def whole(self, nodes: list[Any], *, every_match: bool) -> tuple[float, float]:
        """Give the steps of one attempt, and those of quantifiers at the very end, which are taken once.

        Once such a quantifier has its least, all is found, and what it still takes is not given back. Every
        time takes a character, or is the last; so there are as many times in a text as it has characters.
        """
        tail = 0.0
        while nodes and nodes[-1][0] is sre.SUBPATTERN:
            nodes = [*nodes[:-1], *nodes[-1][1][3]]
        if nodes and nodes[-1][0] in _REPEATS:
            low, high, body = nodes[-1][1]
            times = self._length if every_match else min(int(high), self._length)
            tail = (times + 1) * self._sequence(body).steps
            nodes = [*nodes[:-1], (sre.MAX_REPEAT, (low, low, body))]
        return self._sequence(nodes).steps, tail

    def _sequence(self, nodes: Any) -> _Cost:
        ways, steps = 1.0, 1.0
        for operator, value in nodes:
            cost = self._node(operator, value)
            steps += ways * cost.steps
            ways *= cost.ways
        return _Cost(ways, steps)

    def _node(self, operator: Any, value: Any) -> _Cost:
        if operator in _ATOMS:
            return _Cost(1, 1)
        if operator is sre.BRANCH:
            branches = [self._sequence(branch) for branch in value[1]]
            return _Cost(sum(cost.ways for cost in branches), sum(cost.steps for cost in branches))
        if operator is sre.SUBPATTERN:
            return self._sequence(value[3])
        if operator is sre.ATOMIC_GROUP:
            return _Cost(1, self._sequence(value).steps)
        if operator in {sre.ASSERT, sre.ASSERT_NOT}:  # left at once it has matched, never entered again
            return _Cost(1, self._sequence(value[1]).steps)
        if operator in _REPEATS:
            return self._repeat(*value)
        if operator is sre.GROUPREF:
            return _Cost(1, min(int(self._widths[value][1]), self._length))
        return _ENDLESS

    def _repeat(self, low: Any, high: Any, body: Any) -> _Cost:
        most = min(int(high), self._length)
        cost = self._sequence(body)
        choices = max(most - int(low), 0) + 1
        if cost.ways == 1:
            return _Cost(choices, most * cost.steps + 1)
        if most > _MAX_NESTED or cost.ways > MAX_STEPS:
            return _ENDLESS
        ways = cost.ways**most * choices
        return _Cost(ways, ways * cost.steps)
