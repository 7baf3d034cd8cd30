"""Events as the text in which literals are searched for: canonical JSON, one event a line.

Literals are written in the same way, so that a value which holds a literal always has a text which does:
escaping and folding both go character by character. A JSON text has no line feed of its own.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from streams.detect.text import fold
from streams.event import Fields, Value

_CHARACTER = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
"""A character beyond ASCII, unpaired surrogates among them."""
_LINE_FEED = orjson.Fragment(b"\n")


class ScanText(NamedTuple):
    """The text of some events, each with a line feed after it.

    Letters of ASCII are as they were, all others are folded. `without` are the indexes of events that have
    only an empty line: they hold what JSON cannot, such as a number of a million digits.
    """

    text: bytes
    without: list[int]


def scan_text(events: Sequence[Fields]) -> ScanText:
    """Write events as text: fields as `Event` has them, scalars and lists of scalars by their names."""
    parts: list[Fields | orjson.Fragment] = [_LINE_FEED] * (2 * len(events))
    parts[::2] = events
    without: list[int] = []
    try:
        text = orjson.dumps(parts)[:-1]  # one call for all is several times faster than one for each
    except TypeError:  # an unpaired surrogate, or an integer beyond 64 bits, in one of them
        lines = [_line(fields) for fields in events]
        without = [index for index, line in enumerate(lines) if line is None]
        text = b"".join((line or b"") + b"\n" for line in lines)
    if not text.isascii():
        text = b"\n".join(line if line.isascii() else _folded(line) for line in text.split(b"\n"))
    return ScanText(text, without)


def literal(value: Value) -> bytes:
    """Write a value as it stands in a text, all letters folded."""
    return _folded(_json(value)).lower()


def _line(fields: Fields) -> bytes | None:
    try:
        return _json(fields)
    except (TypeError, ValueError, RecursionError):
        return None


def _json(value: Value | Fields) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass")


def _folded(line: bytes) -> bytes:
    """Fold what is beyond ASCII; Hyperscan ignores the case of the rest by itself."""
    return _CHARACTER.sub(_folded_character, line)


def _folded_character(found: re.Match[bytes]) -> bytes:
    return _fold_bytes(found[0])


@functools.lru_cache(maxsize=1 << 16)
def _fold_bytes(character: bytes) -> bytes:
    return fold(character.decode("utf-8", "surrogatepass")).encode("utf-8", "surrogatepass")
