"""Raw records and events: what comes in, and what the rest of the program speaks about.

An event holds flat ECS 9 names (`destination.domain`) as its keys; `nested` gives the JSON shape that ECS
has at the rim. See https://www.elastic.co/docs/reference/ecs for the names; ours start with `outfall.`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from streams.errors import RecordError

Scalar = str | int | float | bool | None
Value = Scalar | list[Scalar]
Fields = dict[str, Value]

NANOSECONDS = 1_000_000_000
CLOCK_AHEAD = "clock_ahead"
"""The mark of an event whose time is further ahead of its receipt than clocks may differ."""
MAX_DEPTH = 64
"""Deepest nesting of a document that is read; deeper ones are refused, since attackers write logs."""

MAX_NAMES = 2 << 20
"""Most characters that the names of a document repeat when it is flattened: a long name above many short
ones would fill the memory."""

_EARLIEST, _LATEST = -(2**63), 2**63 - 1


class LogSource(NamedTuple):
    """What Sigma's `logsource` speaks about: an event can belong to several (Sigma 2.1, "Log Source")."""

    category: str | None = None
    product: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was first read; the same log has the same origin wherever it is read.

    `stream` is a file's fingerprint or a topic with its partition, `offset` the byte or Kafka offset in it,
    `line` the zero-based number of the record in the stream.
    """

    source: str
    stream: str
    offset: int
    line: int

    def __str__(self) -> str:
        return f"{self.source}/{self.stream}@{self.offset}"


@dataclass(frozen=True, slots=True)
class RawRecord:
    """The bytes of one log line or document as they came, without the line's end.

    `received` is when it was read, in nanoseconds since the epoch, or None where that is not known (replay).
    """

    data: bytes
    origin: Origin
    received: int | None = None


@dataclass(slots=True)
class Event:
    """A normalised record: identity, event time (UTC, nanoseconds since the epoch), flat ECS fields.

    `logsources` are those that the event belongs to; a rule applies when any of them satisfies its own.
    `marks` name what was unusual about it (`clock_ahead`), for the alert to show.
    """

    id: str
    time: int
    fields: Fields
    origin: Origin
    logsources: tuple[LogSource, ...] = ()
    marks: tuple[str, ...] = field(default=())


def excepted(exception: str, rule: str) -> str:
    """Give the mark of an event that a rule would be true of, but for an exception."""
    return f"excepted:{exception}:{rule}"


def flatten(document: Mapping[str, Any]) -> Fields:
    """Turn a JSON object, nested or with dotted keys or both, into flat dotted keys.

    Objects inside lists give one list for each of their keys, so that `email.attachments.file.name` lists
    the name of every attachment. Empty objects and lists of nothing become null.

    Raises:
        RecordError: nested deeper than `MAX_DEPTH`, or its names repeat more than `MAX_NAMES`.
    """
    flat: Fields = {}
    _flatten_into(flat, "", document, 0, [MAX_NAMES])
    return flat


def _flatten_into(flat: Fields, prefix: str, value: Any, depth: int, room: list[int]) -> None:
    if depth > MAX_DEPTH:
        raise RecordError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        room[0] -= len(prefix) * len(value)
        if room[0] < 0:
            raise RecordError("long names above so many others that they would fill the memory")
        if not value and prefix:
            flat.setdefault(prefix, None)
        for key, inner in value.items():
            _flatten_into(flat, f"{prefix}.{key}" if prefix else str(key), inner, depth + 1, room)
    elif isinstance(value, list):
        _flatten_list(flat, prefix, value, depth, room)
    elif prefix in flat:
        flat[prefix] = [*as_list(flat[prefix]), value]
    else:
        flat[prefix] = value


def _flatten_list(flat: Fields, prefix: str, values: list[Any], depth: int, room: list[int]) -> None:
    scalars: list[Scalar] = []
    gathered: dict[str, list[Scalar]] = {}
    for item in values:
        if isinstance(item, Mapping | list):
            inner: Fields = {}
            _flatten_into(inner, prefix, item, depth + 1, room)
            for key, value in inner.items():
                gathered.setdefault(key, []).extend(as_list(value) if value is not None else [None])
        else:
            scalars.append(item)
    if scalars:
        gathered[prefix] = [*gathered.get(prefix, []), *scalars]
    if not gathered:
        flat.setdefault(prefix, None)
    for key, collected in gathered.items():
        flat[key] = [*as_list(flat[key]), *collected] if flat.get(key) is not None else collected


def nested(fields: Mapping[str, Value]) -> dict[str, Any]:
    """Turn flat dotted keys into nested objects; `{"a.b": 1}` gives `{"a": {"b": 1}}`.

    A key that is both a leaf and a parent keeps its dotted form, so that nothing is lost.
    """
    document: dict[str, Any] = {}
    for key in sorted(fields):
        node = document
        parts = key.split(".")
        for depth, part in enumerate(parts[:-1]):
            inner = node.setdefault(part, {})
            if not isinstance(inner, dict):
                node[".".join(parts[depth:])] = fields[key]
                break
            node = inner
        else:
            node[parts[-1]] = fields[key]
    return document


def as_list(value: Value) -> list[Scalar]:
    """Give a field's values as a list: none for null or absent, the elements of a list, or the one value."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def strings(value: Value) -> list[str]:
    """Give the non-null values of a field as text."""
    if value is None:
        return []
    return [str(item) for item in value if item is not None] if isinstance(value, list) else [str(value)]


def first(value: Value) -> Scalar:
    """Give the first value of a field, or None."""
    if isinstance(value, list):
        return value[0] if value else None
    return value


def rfc3339(time: int) -> str:
    """Write nanoseconds since the epoch as RFC 3339 in UTC, with as many fraction digits as are needed."""
    seconds, fraction = divmod(time, NANOSECONDS)
    whole = _to_second(seconds)
    if not fraction:
        return whole + "Z"
    digits = f"{fraction:09d}"
    for keep in (3, 6):
        if not digits[keep:].strip("0"):
            digits = digits[:keep]
            break
    return f"{whole}.{digits}Z"


@lru_cache(maxsize=4096)
def _to_second(seconds: int) -> str:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


def checked_time(nanoseconds: int) -> int:
    """Refuse a time that 64 bits of nanoseconds cannot hold (before 1677 or after 2262).

    Raises:
        RecordError: the time is outside.
    """
    if not _EARLIEST <= nanoseconds <= _LATEST:
        raise RecordError("time is outside the years 1677 to 2262")
    return nanoseconds
