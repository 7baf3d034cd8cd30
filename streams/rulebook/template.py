"""Writes out the events of a test: short templates become as many documents as they stand for.

`{n}` in any text is the number of the repetition, from 1. `{1..400}` in an element of a list makes 400
elements of it, as brace expansion does in a shell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from streams.event import NANOSECONDS, rfc3339

MAX_ELEMENTS = 100_000
"""Most elements that one `{a..b}` may make, and most repetitions: more is a slip of the pen."""

_OFFSET = re.compile(r"[+-]?(?:[0-9]{1,9}[smhd])+")
_PART = re.compile(r"([0-9]+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_RANGE = re.compile(r"\{([0-9]{1,9})\.\.([0-9]{1,9})\}")
_OURS = frozenset({"at", "repeat", "every"})


def duration(text: object) -> int:
    """Read `5m`, `+1d2h` or `-30s` as nanoseconds.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(text, str) or not _OFFSET.fullmatch(text):
        raise ValueError("a time such as +5m, 90s or +1d2h")
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return (-seconds if text.startswith("-") else seconds) * NANOSECONDS


def expand(template: Mapping[str, Any], base: int) -> Iterator[dict[str, Any]]:
    """Give the documents of one template, each with its `@timestamp`; `base` is in nanoseconds.

    Raises:
        ValueError: the template is not one; the text says why.
    """
    if ("at" in template) == ("@timestamp" in template):
        raise ValueError("an event has either at or @timestamp")
    repeat = template.get("repeat", 1)
    if not isinstance(repeat, int) or isinstance(repeat, bool) or not 1 <= repeat <= MAX_ELEMENTS:
        raise ValueError(f"repeat is a number from 1 to {MAX_ELEMENTS}")
    if repeat > 1 and "@timestamp" in template:
        raise ValueError("repeat needs at, since each repetition has a time of its own")
    first, step = duration(template.get("at", "0s")), duration(template.get("every", "1s"))
    body = {key: value for key, value in template.items() if key not in _OURS}
    for number in range(1, repeat + 1):
        document: dict[str, Any] = _filled(body, str(number))
        document.setdefault("@timestamp", rfc3339(base + first + (number - 1) * step))
        yield document


def _filled(value: Any, number: str) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _filled(inner, number) for key, inner in value.items()}
    if isinstance(value, list):
        return [element for item in value for element in _elements(item, number)]
    if isinstance(value, str):
        if _RANGE.search(value):
            raise ValueError("a range such as {1..400} needs a list around it")
        return value.replace("{n}", number)
    return value


def _elements(item: Any, number: str) -> Iterator[Any]:
    found = _RANGE.search(item) if isinstance(item, str) else None
    if found is None:
        yield _filled(item, number)
        return
    first, last = int(found[1]), int(found[2])
    if not 0 <= last - first < MAX_ELEMENTS:
        raise ValueError(f"a range such as {{1..400}} goes upwards and has at most {MAX_ELEMENTS} elements")
    for element in range(first, last + 1):
        yield from _elements(f"{item[: found.start()]}{element}{item[found.end() :]}", number)
