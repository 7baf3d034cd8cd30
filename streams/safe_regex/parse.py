"""Expressions read with Python's own parser, so that a tree can be looked at before anything is run."""

from __future__ import annotations

import functools
import re
import warnings
from re import _parser  # type: ignore[attr-defined]  # not in the stubs
from typing import Any

_MAX_EXPRESSION = 10_000


_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


class RegexError(ValueError):
    """An expression that cannot be run exactly and safely; the text says why."""


def python_flags(flags: str) -> int:
    """Give some of "ims" as `re` has them; digits, word characters and white space are those of ASCII."""
    return functools.reduce(lambda one, other: one | _FLAGS[other], flags, re.ASCII)


def parse(expression: str, flags: int) -> Any:
    """Give the tree of an expression, as `re` has it.

    Raises:
        RegexError: not valid, or too long.
    """
    if len(expression) > _MAX_EXPRESSION:
        raise RegexError(f"the expression is longer than {_MAX_EXPRESSION} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # about set operations that Python may get
            return _parser.parse(expression, flags)
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        raise RegexError(f"the expression is invalid: {error}") from None


def compile_python(expression: str, flags: int) -> re.Pattern[str]:
    """Compile an expression that `parse` took for Python's `re`.

    Raises:
        RegexError: it is not valid after all, such as for looking behind by no fixed width.
    """
    try:
        return re.compile(expression, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise RegexError(f"the expression is invalid: {error}") from None
