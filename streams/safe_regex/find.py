"""Every place where an expression is found in a text, with its named groups, as Python's `re` has it.

It is run by `re` where that surely ends in time (`cost`), else by RE2 where that finds exactly the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]  # not in the stubs
from typing import Any

from streams.safe_regex.cost import longest_safe_text
from streams.safe_regex.on_re2 import NotForRe2Error, characters, compile_re2
from streams.safe_regex.parse import RegexError, compile_python, parse

Found = dict[str, str | None]
"""What the named groups of one place have, None where a group has no part in it."""
Find = Callable[[str], list[Found]]
_SAME_ANCHORS = {sre.AT_BEGINNING, sre.AT_BEGINNING_STRING}


@dataclass(frozen=True, slots=True)
class Search:
    """An expression's named groups, and the search for all its places in a text."""

    groups: frozenset[str]
    find: Find


def compile_find(expression: str, longest: int) -> Search:
    """Make the search for all places, for texts up to `longest` characters.

    Raises:
        RegexError: not valid, or not safe to run.
    """
    tree = parse(expression, 0)
    groups = frozenset(tree.state.groupdict)
    compiled = compile_python(expression, 0)
    if longest_safe_text(tree, every_match=True) >= longest:
        return Search(groups, lambda text: [found.groupdict() for found in compiled.finditer(text)])
    try:
        return Search(groups, _with_re2(tree))
    except NotForRe2Error as error:
        raise RegexError(
            "the expression could take for ever (catastrophic backtracking): give its repetitions an upper "
            f"bound, such as {{1,20}}; without one it would have to run on RE2, but {error}"
        ) from None


def _with_re2(tree: Any) -> Find:
    if tree.state.flags & re.IGNORECASE:
        raise NotForRe2Error("it ignores case")
    if tree.getwidth()[0] == 0:
        raise NotForRe2Error("it may match nothing")
    for node in _nodes(tree):
        _check(*node)
    compiled = compile_re2(tree, names={number: name for name, number in tree.state.groupdict.items()})
    return lambda text: [found.groupdict() for found in compiled.finditer(characters(text))]


def _check(operator: Any, value: Any) -> None:
    """Refuse what would mean or capture something else in RE2."""
    if operator is sre.AT and value not in _SAME_ANCHORS:
        raise NotForRe2Error("it has `$`, `\\Z`, `\\b` or `\\B`")
    if operator is sre.IN and any(member[0] is sre.CATEGORY for member in value):
        raise NotForRe2Error("it has `\\d`, `\\w`, `\\s` or the like; write the range")
    if operator is sre.SUBPATTERN and value[1] & re.IGNORECASE:
        raise NotForRe2Error("it ignores case")
    if operator in {sre.MAX_REPEAT, sre.MIN_REPEAT} and value[2].getwidth()[0] == 0:
        raise NotForRe2Error("it repeats what may be empty")


def _nodes(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Give every node of a tree, as far as RE2 has them."""
    for operator, value in tree:
        yield operator, value
        if operator is sre.BRANCH:
            for branch in value[1]:
                yield from _nodes(branch)
        elif operator is sre.SUBPATTERN:
            yield from _nodes(value[3])
        elif operator in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
            yield from _nodes(value[2])
