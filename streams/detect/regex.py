r"""Regular expressions (Sigma 2.1, appendix "Modifiers", "Regular Expression") that cannot hang a run.

An expression is read with Python's parser and means what it means in PCRE without UCP: `\d \w \s \b` are
about ASCII, `$` is the end or before a last line feed, and `i` ignores case as Sigma's strings do. It is
written anew for RE2, which takes linear time whatever the text. What RE2 has not (look-around, references to
groups) is run by Python's `re` on texts up to the length that `regex_cost` works out, and refused where that
is too short to be of use.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Sequence
from re import _constants as sre  # type: ignore[attr-defined]  # not in the stubs
from re import _parser  # type: ignore[attr-defined]  # not in the stubs
from typing import Any

import re2

from streams.detect.regex_cost import longest_safe_text

MIN_SAFE_TEXT = 1024
"""A fallback that may not even see this many characters is refused."""
_MAX_EXPRESSION = 10_000
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_POSIX_CLASS = re.compile(r"\[[:.=][a-z]*[:.=]\]")
_CATEGORIES = {
    sre.CATEGORY_DIGIT: "0-9",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\t\n\v\f\r\x20",
    sre.CATEGORY_NOT_SPACE: r"\x00-\x08\x0e-\x1f\x21-\x{10ffff}",  # RE2's \S has \v, unlike PCRE's
    sre.CATEGORY_WORD: "0-9A-Za-z_",
    sre.CATEGORY_NOT_WORD: r"\W",
}
_SURROGATES = re.compile("[\ud800-\udfff]")


class RegexError(ValueError):
    """An expression that cannot be run exactly and safely; the text says why."""


class TextTooLongError(ValueError):
    """A text is longer than an expression may be tried on: the rule fails on the event, it does not guess."""


class _NotForRe2Error(Exception):
    """The expression has something that RE2 has not, or has with another meaning."""


@functools.lru_cache(maxsize=4096)
def compile_search(expression: str, flags: str = "") -> Callable[[str], bool]:
    """Make the test whether an expression is found in a text. `flags` are some of "ims".

    Raises:
        RegexError: not valid, ambiguous between dialects, or not safe to run.
    """
    tree = _parse(expression, flags)
    try:
        return _with_re2(_emit(tree, multiline="m" in flags, dotall="s" in flags, tail=True), tree)
    except _NotForRe2Error as error:
        return _with_python(expression, flags, tree, str(error))


def _parse(expression: str, flags: str) -> Any:
    if len(expression) > _MAX_EXPRESSION:
        raise RegexError(f"the expression is longer than {_MAX_EXPRESSION} characters")
    if _POSIX_CLASS.search(expression):
        raise RegexError("POSIX classes such as `[:digit:]` are not part of Sigma; write the range")
    value = functools.reduce(lambda one, other: one | _FLAGS[other], flags, re.ASCII)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # about set operations that Python may get
            return _parser.parse(expression, value)
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        raise RegexError(f"the expression is invalid: {error}") from None


def _with_re2(written: str, tree: Any) -> Callable[[str], bool]:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.case_sensitive = not tree.state.flags & re.IGNORECASE
    try:
        compiled = re2.compile(written, options)
    except re2.error as error:
        raise _NotForRe2Error(str(error)) from None

    def search(text: str) -> bool:
        try:
            return compiled.search(text) is not None
        except UnicodeEncodeError:  # an unpaired surrogate, which is no character
            return compiled.search(_SURROGATES.sub("\ufffd", text)) is not None

    return search


def _with_python(expression: str, flags: str, tree: Any, why: str) -> Callable[[str], bool]:
    if tree.state.flags & re.IGNORECASE and not expression.isascii():
        raise RegexError(f"{why}; with it, letters outside ASCII cannot ignore case")
    limit = longest_safe_text(tree)
    if limit < MIN_SAFE_TEXT:
        raise RegexError(f"{why}; without RE2 the expression could take for ever (catastrophic backtracking)")
    value = functools.reduce(lambda one, other: one | _FLAGS[other], flags, re.ASCII)
    compiled = re.compile(expression, value)

    def search(text: str) -> bool:
        if len(text) > limit:
            raise TextTooLongError
        return compiled.search(text) is not None

    return search


def _emit(tree: Any, *, multiline: bool, dotall: bool, tail: bool) -> str:
    """Write a parsed expression for RE2. `tail` says that nothing comes after it."""
    if tree.state.flags & re.MULTILINE:
        multiline = True
    if tree.state.flags & re.DOTALL:
        dotall = True
    return _Writer().sequence(tree, multiline, dotall, tail)


class _Writer:
    """Writes the nodes of Python's parser in RE2's syntax (https://github.com/google/re2/wiki/Syntax)."""

    def sequence(self, nodes: Sequence[Any], multiline: bool, dotall: bool, tail: bool) -> str:
        last = len(nodes) - 1
        return "".join(
            self._node(operator, value, multiline, dotall, tail and index == last)
            for index, (operator, value) in enumerate(nodes)
        )

    def _node(  # noqa: C901 - one case for each kind of node
        self, operator: Any, value: Any, multiline: bool, dotall: bool, tail: bool
    ) -> str:
        if operator is sre.LITERAL:
            return _literal(value)
        if operator is sre.NOT_LITERAL:
            return f"[^{_literal(value)}]"
        if operator is sre.ANY:
            return "(?s:.)" if dotall else r"[^\n]"
        if operator is sre.IN:
            return f"[{''.join(map(_member, value))}]"
        if operator is sre.AT:
            return _anchor(value, multiline, tail)
        if operator is sre.BRANCH:
            branches = (self.sequence(branch, multiline, dotall, tail) for branch in value[1])
            return f"(?:{'|'.join(branches)})"
        if operator is sre.SUBPATTERN:
            return self._group(value, multiline, dotall, tail)
        if operator in {sre.MAX_REPEAT, sre.MIN_REPEAT}:  # greedy or not, the same texts match
            low, high, body = value
            inner = self.sequence(body, multiline, dotall, tail and high == 1)
            return f"(?:{inner}){_times(low, high)}"
        if operator in {sre.ASSERT, sre.ASSERT_NOT}:
            raise _NotForRe2Error("it looks ahead or behind")
        if operator in {sre.GROUPREF, sre.GROUPREF_EXISTS}:
            raise _NotForRe2Error("it refers back to a group")
        raise _NotForRe2Error("it has an atomic group or a possessive quantifier")

    def _group(self, value: Any, multiline: bool, dotall: bool, tail: bool) -> str:
        _, add, remove, body = value
        multiline = (multiline or bool(add & re.MULTILINE)) and not remove & re.MULTILINE
        dotall = (dotall or bool(add & re.DOTALL)) and not remove & re.DOTALL
        case = "i" if add & re.IGNORECASE else "-i" if remove & re.IGNORECASE else ""
        return f"(?{case}:{self.sequence(body, multiline, dotall, tail)})"


def _literal(code: int) -> str:
    character = chr(code)
    return character if character.isascii() and character.isalnum() else rf"\x{{{code:x}}}"


def _member(item: tuple[Any, Any]) -> str:
    operator, value = item
    if operator is sre.NEGATE:
        return "^"
    if operator is sre.LITERAL:
        return _literal(value)
    if operator is sre.RANGE:
        return f"{_literal(value[0])}-{_literal(value[1])}"
    return _CATEGORIES[value]


def _anchor(kind: Any, multiline: bool, tail: bool) -> str:
    if kind is sre.AT_BEGINNING:
        return "(?m:^)" if multiline else r"\A"
    if kind is sre.AT_BEGINNING_STRING:
        return r"\A"
    if kind is sre.AT_BOUNDARY:
        return r"\b"
    if kind is sre.AT_NON_BOUNDARY:
        raise _NotForRe2Error(r"it has `\B`, which RE2 also sees inside letters beyond ASCII")
    if kind is sre.AT_END_STRING:
        raise RegexError(r"`\Z` means different things in PCRE and Python; write `$`")
    if multiline:
        return "(?m:$)"
    if not tail:
        raise _NotForRe2Error("something comes after `$`")
    return r"(?:\n?\z)"


def _times(low: int, high: Any) -> str:
    if high is sre.MAXREPEAT:
        return {0: "*", 1: "+"}.get(low, f"{{{low},}}")
    return "?" if (low, high) == (0, 1) else f"{{{low},{high}}}"
