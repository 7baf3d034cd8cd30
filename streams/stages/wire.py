"""The messages between stages, as JSON: bounded in size, and read back to what was written.

A message is one unit: its events are taken in in their order, then time is moved on to what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from streams.event import Event, LogSource, Origin

CHUNK = 512 * 1024
"""A message takes no further event once it holds so many bytes; a single event may be larger."""


@dataclass(slots=True)
class Carried:
    """An event between stages, with when its record was received and the ids of the rules that match it."""

    event: Event
    received: int | None
    rules: Sequence[str] = ()


@dataclass(slots=True)
class Message:
    """What one stage tells another. Times are nanoseconds since the epoch.

    `upstream` is the partition that was read, `newest` gives the time of the newest event of each of its
    sources, `marked` a time to which all partitions of sources have come or will come, `final_before` the
    time before which windows are final, `book` the hash of the rule book by which the events were matched.
    """

    upstream: str
    newest: dict[str, int] = field(default_factory=dict)
    final_before: int | None = None
    book: str | None = None
    events: list[Carried] = field(default_factory=list)
    marked: dict[str, int] = field(default_factory=dict)


def encode(message: Message) -> Iterator[bytes]:
    """Give the bytes of a message, in as many pieces as its size asks for; the last one tells the time."""
    head = {"upstream": message.upstream, "book": message.book}
    chunk: list[bytes] = []
    size = 0
    for carried in message.events:
        encoded = _encode(carried)
        if chunk and size + len(encoded) > CHUNK:
            yield _joined(head, chunk)
            chunk, size = [], 0
        chunk.append(encoded)
        size += len(encoded)
    time = {"newest": message.newest, "final_before": message.final_before, "marked": message.marked}
    yield _joined(head | time, chunk)


def decode(data: bytes) -> Message:
    """Read a message back.

    Raises:
        ValueError: these are not the bytes of one.
    """
    try:
        document = orjson.loads(data)
        return Message(
            document["upstream"],
            document.get("newest") or {},
            document.get("final_before"),
            document["book"],
            [_decode(row) for row in document["events"]],
            document.get("marked") or {},
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"not a message between stages: {type(error).__name__}") from None


def _joined(head: dict[str, Any], events: Sequence[bytes]) -> bytes:
    return orjson.dumps(head)[:-1] + b',"events":[' + b",".join(events) + b"]}"


def _encode(carried: Carried) -> bytes:
    event = carried.event
    origin = event.origin
    return orjson.dumps(
        [
            event.id,
            event.time,
            [origin.source, origin.stream, origin.offset, origin.line],
            [list(source) for source in event.logsources],
            event.marks,
            carried.received,
            carried.rules,
            event.fields,
        ]
    )


def _decode(row: list[Any]) -> Carried:
    event_id, time, origin, logsources, marks, received, rules, fields = row
    sources = tuple(LogSource(*source) for source in logsources)
    event = Event(event_id, time, fields, Origin(*origin), sources, tuple(marks))
    return Carried(event, received, rules)
