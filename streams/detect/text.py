"""How values become text, how case is ignored, and how patterns with wildcards are matched.

Case is ignored by Unicode's *simple* case folding (CaseFolding.txt, statuses C and S), everywhere alike: in
equality, in wildcards, and in what regular expressions do with `i`. It maps each character to one character
whatever stands around it, so `?` stays one character; `str.lower` (final sigma, İ) and `str.casefold`
(ß is ss) do not have that property.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from streams.detect.tree import Pattern, Wildcard
from streams.event import Scalar

TextTest = Callable[[str], bool]


_LAST_CASED = 0x1FFFF
"""No character beyond has a case (Unicode 16: the last are Adlam's, U+1E943)."""


@functools.cache
def _simple_folding() -> dict[int, int]:
    table: dict[int, int] = {}
    for code in range(_LAST_CASED + 1):
        character = chr(code)
        folded = character.casefold()
        if len(folded) != 1:
            folded = character.lower()
        if len(folded) == 1 and folded != character:
            table[code] = ord(folded)
    return table


@functools.cache
def _unlike_lower() -> re.Pattern[str]:
    """Find what `str.lower` maps to something else, or, like sigma, by what stands around it."""
    folded = _simple_folding()
    codes = (code for code in range(_LAST_CASED + 1) if chr(code).lower() != chr(folded.get(code, code)))
    return re.compile("[Σ" + "".join(map(chr, codes)) + "]")


def fold(text: str) -> str:
    """Give text with the differences of case taken out."""
    if text.isascii() or _unlike_lower().search(text) is None:
        return text.lower()  # the same, and much faster
    return text.translate(_simple_folding())


def as_text(value: Scalar) -> str:
    """Give the one text of a value that is not null: 4663 and 4663.0 are `4663`, true is `true`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def folded_pattern(pattern: Pattern) -> Pattern:
    """Give a pattern with the differences of case taken out."""
    return tuple(fold(part) if isinstance(part, str) else part for part in pattern)


def matcher(pattern: Pattern) -> TextTest:
    """Compile a pattern into a test of a whole text. The time is at most length times length of pattern."""
    match pattern:
        case ():
            return lambda text: not text
        case (str(literal),):
            return lambda text: text == literal
        case (Wildcard.MANY,):
            return lambda _: True
        case (str(literal), Wildcard.MANY):
            return lambda text: text.startswith(literal)
        case (Wildcard.MANY, str(literal)):
            return lambda text: text.endswith(literal)
        case (Wildcard.MANY, str(literal), Wildcard.MANY):
            return lambda text: literal in text
        case _:
            return _general(pattern)


def _general(pattern: Pattern) -> TextTest:
    """Match the pieces between the `*`: the first at the start, the last at the end, the others leftmost.

    Leftmost is enough, since what stands between may be of any length.
    """
    pieces: list[list[str | Wildcard]] = [[]]
    for part in pattern:
        if part is Wildcard.MANY:
            pieces.append([])
        else:
            pieces[-1].append(part)
    if len(pieces) == 1:
        whole = _piece(pieces[0])
        return lambda text: whole.fullmatch(text) is not None
    head, last = _piece(pieces[0]), _piece(pieces[-1])
    middle = [_piece(piece) for piece in pieces[1:-1] if piece]
    tail = sum(len(part) if isinstance(part, str) else 1 for part in pieces[-1])

    def test(text: str) -> bool:
        found = head.match(text)
        if found is None:
            return False
        position, end = found.end(), len(text) - tail
        for piece in middle:
            found = piece.search(text, position, max(end, position))
            if found is None:
                return False
            position = found.end()
        return end >= position and last.fullmatch(text, end) is not None

    return test


def _piece(parts: list[str | Wildcard]) -> re.Pattern[str]:
    expression = "".join(re.escape(part) if isinstance(part, str) else "." for part in parts)
    return re.compile(expression, re.DOTALL)
