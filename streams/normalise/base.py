"""The one small interface behind which every format stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Protocol

from streams.event import Fields, LogSource

MAX_BYTES = 1 << 20
"""Longest record that is read; a longer one is a dead letter."""

PART = "part"
"""The mark of an event that is one of several lines of a whole; the rules see the whole alone."""
INCOMPLETE = "incomplete"
"""The mark of a whole of which lines are missing."""


@dataclass(slots=True)
class Context:
    """What a format may know besides the line itself.

    `received` is when the record was read (nanoseconds since the epoch) and serves to complete times that
    lack their year. `zone` completes times that lack their zone. `memory` is the format's own for the one
    stream that the line is from, text to text, and is kept across restarts (a W3C log's `#Fields:` line).
    `time_field` and `id_field` name the event's time and identity in documents that are taken as they are.
    """

    received: int
    zone: dt.tzinfo = dt.UTC
    memory: dict[str, str] = field(default_factory=dict)
    time_field: str | None = None
    id_field: str | None = None


@dataclass(slots=True)
class Parsed:
    """What a format makes of one record: flat ECS fields, its time, its own id, the log sources it is of.

    `time` is in nanoseconds since the epoch, UTC; None only where the record has no usable time.
    `untimed` may say why. `id` is the source's own unique id, or None where the format has none. `fields` is
    made for this record and becomes the event's, as do `marks` (`PART`). `dataset` is the format's name where
    another was asked for (`auto`). To a `verbatim` document nothing is added.
    """

    fields: Fields
    time: int | None
    id: str | None = None
    logsources: tuple[LogSource, ...] = ()
    marks: tuple[str, ...] = ()
    untimed: str | None = None
    dataset: str | None = None
    verbatim: bool = False


class Format(Protocol):
    """One format of raw records."""

    name: str
    """As in `--format NAME`."""
    summary: str
    """One line for `outfall formats`."""

    def recognises(self, line: str) -> bool:
        """Tell whether a line is surely of this format; cheap, and strict enough for `--format auto`."""
        ...

    def parse(self, line: str, context: Context) -> Parsed:
        """Make an event's parts of one line.

        Raises:
            RecordError: the line is not of this format or cannot be used; the text says why and where.
            Ignored: the line is no record (a header, a comment).
        """
        ...
