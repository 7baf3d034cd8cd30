"""Values and fields that an attacker may have written: looked at by type, and put together into fields.

Nothing raises but what says so; what has another type than is asked for gives None or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from streams.errors import RecordError
from streams.event import Fields, Scalar, Value

_MAX_DIGITS = 18
"""Longest decimal that is read as a number, so that it always fits 64 bits."""
_SCALARS = (str, int, float)
_MAX_NAME, _MAX_DOTS = 256, 16


def text(value: Any) -> str | None:
    """Give text, or a number as text; None for anything else and for blank text."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def texts(value: Any) -> list[str]:
    """Give the texts of a list or of one value, each once, in order."""
    return list(dict.fromkeys(found for item in items(value) if (found := text(item)) is not None))


def number(value: Any) -> int | None:
    """Give a whole number that is not negative, also when written as decimal text; else None."""
    if isinstance(value, str):
        return int(value) if len(value) <= _MAX_DIGITS and value.isascii() and value.isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < 2**63 else None


def scalar(value: Any) -> Scalar:
    """Give a scalar as it is; None for objects and lists."""
    return value if isinstance(value, str | int | float | bool) else None


def items(value: Any) -> list[Any]:
    """Give a list's elements, a lone value as a list of one, nothing for null."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


@contextmanager
def within(place: str) -> Iterator[None]:
    """Name the place in what a part of a record is refused for."""
    try:
        yield
    except RecordError as error:
        raise RecordError(f"{place}: {error}") from None


def present(fields: Mapping[str, Scalar | Sequence[Scalar]]) -> Fields:
    """Leave out what is None or an empty list."""
    return {
        name: value if isinstance(value, _SCALARS) else list(value)
        for name, value in fields.items()
        if value is not None and value != []
    }


def stated(fields: Mapping[str, Scalar]) -> Fields:
    """Leave out what is None."""
    return {name: value for name, value in fields.items() if value is not None}


def prefixed(prefix: str, fields: Mapping[str, Value]) -> Fields:
    """Put names that a record brings along under a prefix of ours.

    Raises:
        RecordError: a name has so many dots that it would nest too deep, or is no name by its length.
    """
    for name in fields:
        if len(name) > _MAX_NAME or name.count(".") > _MAX_DOTS:
            raise RecordError(f"a name under {prefix} is too long or has too many dots")
    return {f"{prefix}.{name}": value for name, value in fields.items()}
