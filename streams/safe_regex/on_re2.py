"""A parsed expression written anew for RE2 (https://github.com/google/re2/wiki/Syntax), or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from re import _constants as sre  # type: ignore[attr-defined]  # not in the stubs
from typing import Any

import re2

from streams.safe_regex.parse import RegexError

_CATEGORIES = {
    sre.CATEGORY_DIGIT: "0-9",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\t\n\v\f\r\x20",
    sre.CATEGORY_NOT_SPACE: r"\x00-\x08\x0e-\x1f\x21-\x{10ffff}",  # RE2's \S has \v, unlike PCRE's
    sre.CATEGORY_WORD: "0-9A-Za-z_",
    sre.CATEGORY_NOT_WORD: r"\W",
}
_SURROGATES = re.compile("[\ud800-\udfff]")


class NotForRe2Error(Exception):
    """The expression has something that RE2 has not, or has with another meaning."""


def compile_re2(tree: Any, *, names: Mapping[int, str] | None = None) -> Any:
    """Compile an expression that `parse` read with `re.ASCII`; `names` are those of the groups to capture.

    Raises:
        NotForRe2Error: RE2 cannot run it exactly; the text says why.
        RegexError: it is ambiguous between dialects.
    """
    flags = tree.state.flags
    multiline, dotall = bool(flags & re.MULTILINE), bool(flags & re.DOTALL)
    written = _Writer(names or {}).sequence(tree, multiline, dotall, tail=True)
    options = re2.Options()
    options.log_errors = False
    options.never_capture = not names
    options.case_sensitive = not flags & re.IGNORECASE
    try:
        return re2.compile(written, options)
    except re2.error as error:
        raise NotForRe2Error(str(error)) from None


def characters(text: str) -> str:
    """Give a text that RE2 takes: unpaired surrogates, which are no characters, become U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


class _Writer:
    """Writes the nodes of Python's parser; `names` are those of the groups by their number."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = names

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
        if operator in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
            low, high, body = value
            inner = self.sequence(body, multiline, dotall, tail and high == 1)
            return f"(?:{inner}){_times(low, high)}{'?' if operator is sre.MIN_REPEAT else ''}"
        if operator in {sre.ASSERT, sre.ASSERT_NOT}:
            raise NotForRe2Error("it looks ahead or behind")
        if operator in {sre.GROUPREF, sre.GROUPREF_EXISTS}:
            raise NotForRe2Error("it refers back to a group")
        raise NotForRe2Error("it has an atomic group or a possessive quantifier")

    def _group(self, value: Any, multiline: bool, dotall: bool, tail: bool) -> str:
        number, add, remove, body = value
        multiline = (multiline or bool(add & re.MULTILINE)) and not remove & re.MULTILINE
        dotall = (dotall or bool(add & re.DOTALL)) and not remove & re.DOTALL
        case = "i" if add & re.IGNORECASE else "-i" if remove & re.IGNORECASE else ""
        written = f"(?{case}:{self.sequence(body, multiline, dotall, tail)})"
        return f"(?P<{self._names[number]}>{written})" if number in self._names else written


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
        raise NotForRe2Error(r"it has `\B`, which RE2 also sees inside letters beyond ASCII")
    if kind is sre.AT_END_STRING:
        raise RegexError(r"`\Z` means different things in PCRE and Python; write `$`")
    if multiline:
        return "(?m:$)"
    if not tail:
        raise NotForRe2Error("something comes after `$`")
    return r"(?:\n?\z)"


def _times(low: int, high: Any) -> str:
    if high is sre.MAXREPEAT:
        return {0: "*", 1: "+"}.get(low, f"{{{low},}}")
    return "?" if (low, high) == (0, 1) else f"{{{low},{high}}}"
