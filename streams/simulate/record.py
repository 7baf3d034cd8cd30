"""A line of a log before it is written."""

from __future__ import annotations

from typing import Any, NamedTuple

Body = str | dict[str, Any]


class Record(NamedTuple):
    """One log line: when (microseconds since the epoch), in which source, what.

    `body` is the line itself, or the object that becomes a JSON line.
    """

    time: int
    source: str
    body: Body
