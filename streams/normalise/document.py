"""JSON documents whose numbers must stay exact, for the formats that take documents as they are."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from streams.event import Fields, flatten
from streams.normalise.json_record import load_object

_LONG_NUMBER = re.compile(r"[0-9]{19}")
_64_BITS = range(-(2**63), 2**64)


def load_document(line: str) -> dict[str, Any]:
    """Read one JSON object. A whole number beyond 64 bits becomes its decimal text, which rules match alike.

    Raises:
        RecordError: not JSON (with the place), nested too deep, or not an object.
    """
    document = load_object(line)
    if _LONG_NUMBER.search(line):
        return _exact(line, parse_float=float)
    return document


def exact_fields(line: str) -> Fields:
    """Give the flat fields of a document that `load_document` has read, with its fractions as Decimal."""
    return flatten(_exact(line, parse_float=Decimal))


def _exact(line: str, *, parse_float: type[float | Decimal]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(line, parse_int=_whole, parse_float=parse_float)
    return document


def _whole(digits: str) -> int | str:
    if len(digits) > len(str(2**64)):
        return digits
    number = int(digits)
    return number if number in _64_BITS else digits
