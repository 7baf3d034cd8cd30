"""Texts of which one must occur wherever a regular expression is found."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]  # not in the stubs
from typing import Any

from streams.safe_regex import longest_text
from streams.safe_regex.parse import parse, python_flags

_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}

Alternatives = frozenset[str]


@functools.lru_cache(maxsize=4096)
def required(expression: str, flags: str) -> tuple[Alternatives, ...]:
    """Give sets of texts; of *each* set one occurs, but for case, in any text where the expression is found.

    Letters outside ASCII are left out: what ignores case among them differs between the engines. There are
    none for an expression that RE2 cannot run: such a rule fails on a text that is too long for it, and must
    not be a quiet one because a literal is missing.
    """
    if longest_text(expression, flags) is not None:
        return ()
    return tuple(_of_sequence(parse(expression, python_flags(flags))))


def _of_sequence(nodes: Any) -> Iterator[Alternatives]:
    """Give a set for each run of characters, and those of what surely stands between."""
    run = ""
    for operator, value in nodes:
        if operator is sre.LITERAL and value < 128:
            run += chr(value)
            continue
        if operator is sre.AT:
            continue  # no character stands between
        if run:
            yield frozenset([run])
            run = ""
        yield from _of_node(operator, value)
    if run:
        yield frozenset([run])


def _of_node(operator: Any, value: Any) -> Iterator[Alternatives]:
    if operator is sre.SUBPATTERN:
        yield from _of_sequence(value[3])
    elif operator is sre.ATOMIC_GROUP:
        yield from _of_sequence(value)
    elif operator in _REPEATS and value[0] >= 1:
        yield from _of_sequence(value[2])
    elif operator is sre.BRANCH:
        best = [max(_of_sequence(branch), key=_worth, default=None) for branch in value[1]]
        if None not in best:
            yield frozenset().union(*(one for one in best if one is not None))


def _worth(alternatives: Alternatives) -> tuple[int, int]:
    """Prefer long texts, then few."""
    return min(map(len, alternatives)), -len(alternatives)
