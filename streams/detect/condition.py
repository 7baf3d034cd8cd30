"""Conditions (Sigma 2.1, "Condition") into trees over the search identifiers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
    SigmaCondition,
)
from sigma.exceptions import SigmaError

from streams.detect.document import Document
from streams.detect.lists import Lists
from streams.detect.selection import Path, selection
from streams.detect.text import matcher
from streams.detect.tree import And, Node, Not, Or, Wildcard, both, either

_SELECTED = re.compile(r"(\bof\s+)([^\s()]+)")
_WORDS = re.compile(r"[^\s()]+")
_MAX_LENGTH = 8192
_MAX_BRACKETS = 256
_MAX_DEPTH = 64
"""Deepest nesting, so that nothing that walks a tree can run out of stack."""


def detection(
    section: Any, document: Document, path: Path, lists: Lists, *, without: frozenset[str] = frozenset()
) -> Node:
    """Compile a `detection` or `filter` section with its condition, or conditions, joined with or.

    `lists` are those that it may refer to; `without` are the keys of the section that are no search
    identifiers, beside `condition`.

    Raises:
        RefusedError: it cannot be compiled exactly.
    """
    if not isinstance(section, dict):
        raise document.refuse(f"`{path[-1]}` must be a map of search identifiers and a condition", *path)
    identifiers = {
        name: selection(definition, document, (*path, name), lists)
        for name, definition in section.items()
        if name != "condition" and name not in without
    }
    if not identifiers:
        raise document.refuse("there is no search identifier", *path)
    conditions = section.get("condition")
    if conditions is None or conditions == []:
        raise document.refuse("there is no condition", *path)
    if isinstance(conditions, str):
        return _condition(conditions, identifiers, document, (*path, "condition"))
    if not isinstance(conditions, list):
        raise document.refuse("a condition must be text, or a list of texts", *path, "condition")
    return either(
        tuple(
            _condition(condition, identifiers, document, (*path, "condition", index))
            for index, condition in enumerate(conditions)
        )
    )


def _condition(text: Any, identifiers: Mapping[str, Node], document: Document, path: Path) -> Node:
    if not isinstance(text, str):
        raise document.refuse("a condition must be text", *path)
    if len(text) > _MAX_LENGTH or text.count("(") > _MAX_BRACKETS:
        reason = f"the condition has more than {_MAX_LENGTH} characters or {_MAX_BRACKETS} brackets"
        raise document.refuse(reason, *path)
    if outside := _outside(text, identifiers):
        raise document.refuse(f"the condition cannot be used: {outside}", *path)
    patterns: dict[str, str] = {}

    def without_hyphen(found: re.Match[str]) -> str:
        """Put a word for a pattern with a hyphen, which identifiers may have and pySigma's patterns not."""
        if "-" not in found[2]:
            return found[0]
        return found[1] + patterns.setdefault(found[2], f"hyphens{len(patterns)}")

    try:
        written = _SELECTED.sub(without_hyphen, text)
        parsed = SigmaCondition(written, None).parse(postprocess=False)  # type: ignore[arg-type]  # only the grammar is used
        return _resolve(parsed, identifiers, {word: pattern for pattern, word in patterns.items()})
    except (SigmaError, _UnknownError) as error:
        raise document.refuse(f"the condition cannot be used: {error}", *path) from None
    except RecursionError:
        raise document.refuse("the condition is nested too deeply", *path) from None


def _outside(text: str, identifiers: Mapping[str, Node]) -> str | None:
    """Name what is not of Sigma 2.1 in a condition, if pySigma would take it or refuse it without a name."""
    if "|" in text:
        what = text.partition("|")[2].split("(")[0].split()
        return f"`| {what[0] if what else ''}` is of Sigma 1; Sigma 2.1 has correlations for it"
    words = _WORDS.findall(text)
    for word, following in pairwise([*words, ""]):
        if following == "of" and word not in {"1", "all"}:
            return f"no `{word} of` in Sigma 2.1; there are `1 of` and `all of`"
        if word in {"AND", "OR", "NOT"} and word not in identifiers:
            return f"no `{word}` in Sigma 2.1; it is written in small letters"
    return None


class _UnknownError(Exception):
    """The condition speaks of a search identifier that is not there."""


def _resolve(item: Any, identifiers: Mapping[str, Node], patterns: Mapping[str, str], depth: int = 0) -> Node:
    if depth > _MAX_DEPTH:
        raise RecursionError
    match item:
        case ConditionIdentifier():
            if item.identifier not in identifiers:
                raise _UnknownError(f"there is no search identifier `{item.identifier}`")
            return identifiers[item.identifier]
        case ConditionSelector():
            pattern = patterns.get(item.pattern, item.pattern)
            chosen = tuple(node for name, node in identifiers.items() if _selects(pattern, name))
            if not chosen:
                raise _UnknownError(f"`{item.args[0]} of {pattern}` means no search identifier")
            return either(chosen) if item.cond_class is ConditionOR else both(chosen)
        case ConditionNOT():
            return Not(_resolve(item.args[0], identifiers, patterns, depth + 1))
        case ConditionAND():
            return And(tuple(_resolve(part, identifiers, patterns, depth + 1) for part in item.args))
        case ConditionOR():
            return Or(tuple(_resolve(part, identifiers, patterns, depth + 1) for part in item.args))
    raise _UnknownError("it has an unknown element")


def _selects(pattern: str, name: str) -> bool:
    """Tell whether `1 of pattern` means an identifier; `_hidden` ones only if the pattern starts so."""
    if name.startswith("_") and not pattern.startswith("_"):
        return False
    if pattern == "them":
        return True
    parts = (Wildcard.MANY if part == "*" else part for part in re.split(r"(\*)", pattern) if part)
    return matcher(tuple(parts))(name)
