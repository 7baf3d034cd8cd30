"""The first step: raw records → events, or dead letters, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from streams.errors import Ignored, RecordError
from streams.event import CLOCK_AHEAD, Event, RawRecord
from streams.normalise import normalise
from streams.normalise.base import Context, Format
from streams.state import Saved, Table


@dataclass(frozen=True, slots=True)
class Source:
    """Where records come from. `lateness` is how far, in nanoseconds, its events may be out of order."""

    name: str
    format: Format
    zone: dt.tzinfo = dt.UTC
    lateness: int = 0
    time_field: str | None = None
    id_field: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A raw record that could not be processed: kept as it was, with the stage and the reason."""

    record: RawRecord
    stage: str
    reason: str


class Known(NamedTuple):
    """What `look` has found out of an event: it is described.

    `rules` are the ids of those that are true of it, `failures` those that raised, with the reason; None
    where other events may say more of it, so that none has been tried.
    """

    rules: tuple[str, ...] | None = None
    failures: tuple[tuple[str, str], ...] = ()

    @property
    def tried(self) -> bool:
        """Whether the rules have been tried on it."""
        return self.rules is not None


class Passed(NamedTuple):
    """An event, of a source, that no rule is true of and nothing will change that: only time goes on."""

    source: str
    time: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record that has been read but not yet taken in: an event, a dead letter, or nothing."""

    record: RawRecord
    event: Event | None = None
    rejected: str | None = None
    known: Known | None = None

    @property
    def time(self) -> int | None:
        """The event's time, or None where there is no event."""
        return None if self.event is None else self.event.time


_MAX_CONTEXTS = 10_000
MAX_EVENT = 4 << 20
"""Most bytes of an event's fields as JSON: it is handed on, and kept, as one message."""
_SURELY_FITS = 64 * 1024
"""A record of at most so many bytes makes no event larger than `MAX_EVENT`, whatever is in it."""


class Reader:
    """Reads records, with what formats keep in mind of each stream (the columns that a log announces).

    `clock_skew` is how far, in nanoseconds, an event's time may be ahead of its receipt before it is marked
    and kept from moving time on; None where receipt says nothing.
    """

    def __init__(self, sources: Iterable[Source], clock_skew: int | None) -> None:
        self.sources = {source.name: source for source in sources}
        self._clock_skew = clock_skew
        self._contexts: dict[str, Context] = {}
        self._memory = Table("memory")
        self.tables: tuple[Saved, ...] = (self._memory,)

    def prepare(self, record: RawRecord) -> Prepared:
        """Normalise one record."""
        source = self.sources[record.origin.source]
        key = f"{source.name}/{record.origin.stream}"
        context = self._context(key, source, record)
        try:
            event = normalise(record, source.format, context)
        except Ignored:
            return Prepared(record)
        except RecordError as error:
            return Prepared(record, rejected=str(error))
        else:
            if len(record.data) > _SURELY_FITS and len(orjson.dumps(event.fields)) > MAX_EVENT:
                return Prepared(record, rejected=f"an event of more than {MAX_EVENT} bytes")
            return Prepared(record, event)
        finally:
            if context.memory != self._memory.get(key, {}):
                self._memory[key] = dict(context.memory)

    def is_ahead(self, event: Event, received: int | None) -> bool:
        """Tell whether an event is further ahead of its receipt than clocks may differ, and mark it."""
        if not self.would_be_ahead(event, received):
            return False
        event.marks += (CLOCK_AHEAD,)
        return True

    def would_be_ahead(self, event: Event, received: int | None) -> bool:
        """Tell the same, and mark nothing."""
        if self._clock_skew is None or received is None:
            return False
        return event.time > received + self._clock_skew

    def _context(self, key: str, source: Source, record: RawRecord) -> Context:
        context = self._contexts.get(key)
        if context is None:
            if len(self._contexts) >= _MAX_CONTEXTS:
                self._contexts.clear()  # what they keep in mind stands in the table
            context = Context(
                received=0,
                zone=source.zone,
                memory=dict(self._memory.get(key, {})),
                time_field=source.time_field,
                id_field=source.id_field,
            )
            self._contexts[key] = context
        context.received = record.received or 0
        return context
