"""One JSON object a record, which an attacker may have written: loaded exactly, and looked into by type.

Only `load_object` refuses a record; a look into one gives nothing where something else stands there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from streams.errors import RecordError
from streams.normalise.values import items

_19_DIGITS = b"0" * 19
_DIGITS_AS_0 = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = re.compile(r"[:,\[\s]-?[0-9]{19}")
"""What may be a whole number beyond 64 bits; in a text it costs time alone."""
_64_BITS = range(-(2**63), 2**64)


def load_object(line: str, *, fractions_as_text: bool = False) -> dict[str, Any]:
    """Read one JSON object. A whole number beyond 64 bits becomes its decimal text, which rules match alike.

    With `fractions_as_text` a number with a fraction or an exponent is given as it is written.

    Raises:
        RecordError: not JSON (with the place), nested too deep, or not an object.
    """
    try:
        document = orjson.loads(line)
        if fractions_as_text or _may_have_long_number(line):
            document = json.loads(line, parse_int=_whole, parse_float=str if fractions_as_text else float)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:  # Python's reader, which has the numbers as they are written, goes less deep
        raise RecordError("nested too deep") from None
    if not isinstance(document, dict):
        raise RecordError("a JSON object is needed, this is another JSON value")
    return document


def _may_have_long_number(line: str) -> bool:
    """Look for 19 digits in a row first, which is much faster, and nearly always enough."""
    digits = line.encode("utf-8", "surrogatepass").translate(_DIGITS_AS_0)
    return _19_DIGITS in digits and _LONG_NUMBER.search(line) is not None


def _whole(digits: str) -> int | str:
    if len(digits) > len(str(2**64)):
        return digits
    number = int(digits)
    return number if number in _64_BITS else digits


def try_object(line: str) -> dict[str, Any] | None:
    """Read one JSON object, or give None where it is none; for `recognises`."""
    try:
        return load_object(line)
    except RecordError:
        return None


def child(document: Any, *path: str) -> dict[str, Any]:
    """Give the object at a path of keys, or an empty one."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Give those elements of a list, or the lone value, that are objects."""
    return (item for item in items(value) if isinstance(item, dict))
