r"""Whether an expression is found in a text (Sigma 2.1, appendix "Modifiers", "Regular Expression").

An expression is read with Python's parser and means what it means in PCRE without UCP: `\d \w \s \b` are
about ASCII, `$` is the end or before a last line feed, and `i` ignores case as Sigma's strings do. It is
written anew for RE2, which takes linear time whatever the text. What RE2 has not (look-around, references to
groups) is run by Python's `re` on texts up to the length that `cost` works out, and refused where that is too
short to be of use.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from streams.safe_regex.cost import longest_safe_text
from streams.safe_regex.on_re2 import NotForRe2Error, characters, compile_re2
from streams.safe_regex.parse import RegexError, compile_python, parse, python_flags

MIN_SAFE_TEXT = 1024
"""A fallback that may not even see this many characters is refused."""
_POSIX_CLASS = re.compile(r"\[[:.=][a-z]*[:.=]\]")


class TextTooLongError(ValueError):
    """A text is longer than an expression may be tried on: the rule fails on the event, it does not guess."""

    explanation = "a text is longer than an expression may be tried on; `outfall rules check` says how long"


class _Compiled(NamedTuple):
    search: Callable[[str], bool]
    longest: int | None


def compile_search(expression: str, flags: str = "") -> Callable[[str], bool]:
    """Make the test whether an expression is found in a text. `flags` are some of "ims".

    Raises:
        RegexError: not valid, ambiguous between dialects, or not safe to run.
    """
    return _compile(expression, flags).search


def longest_text(expression: str, flags: str = "") -> int | None:
    """Give how many characters a text may have that an expression is tried on; None where RE2 takes any.

    Raises:
        RegexError: as `compile_search` does.
    """
    return _compile(expression, flags).longest


@functools.lru_cache(maxsize=4096)
def _compile(expression: str, flags: str) -> _Compiled:
    if _POSIX_CLASS.search(expression):
        raise RegexError("POSIX classes such as `[:digit:]` are not part of Sigma; write the range")
    value = python_flags(flags)
    tree = parse(expression, value)
    try:
        compiled = compile_re2(tree)
    except NotForRe2Error as error:
        return _with_python(expression, value, tree, str(error))
    return _Compiled(lambda text: compiled.search(characters(text)) is not None, None)


def _with_python(expression: str, flags: int, tree: Any, why: str) -> _Compiled:
    if tree.state.flags & re.IGNORECASE and not expression.isascii():
        raise RegexError(f"{why}; with it, letters outside ASCII cannot ignore case")
    limit = longest_safe_text(tree)
    if limit < MIN_SAFE_TEXT:
        raise RegexError(f"{why}; without RE2 the expression could take for ever (catastrophic backtracking)")
    compiled = compile_python(expression, flags)

    def search(text: str) -> bool:
        if len(text) > limit:
            raise TextTooLongError
        return compiled.search(text) is not None

    return _Compiled(search, limit)
