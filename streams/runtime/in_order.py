"""Several stored logs as one sequence, in the order of event time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import BinaryIO, NamedTuple

from streams.errors import Ignored, RecordError
from streams.event import RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import Context
from streams.runtime.stored import stored_records
from streams.source_settings import SourceBase

_BEGINNING = -(2**63)


class Timed(NamedTuple):
    """A record with the time of its event; None where there is no event, and then `rejected` may say why."""

    record: RawRecord
    time: int | None
    rejected: str | None = None


def in_order(files: Sequence[tuple[SourceBase, BinaryIO]], received: int) -> Iterator[Timed]:
    """Give all records of the files, each of a source, those with the earliest time first.

    A record without a time follows the one before it in its file. `received` completes times without a year.
    Of each file no more is held than its next record.
    """
    taken: dict[str, set[str]] = {source.name: set() for source, _ in files}
    feeds = [_timed(source, stream, received, taken[source.name]) for source, stream in files]
    return map(itemgetter(1), heapq.merge(*feeds, key=itemgetter(0)))


def _timed(
    source: SourceBase, stream: BinaryIO, received: int, taken: set[str]
) -> Iterator[tuple[int, Timed]]:
    """Give the records of one file with the times that order them."""
    known = FORMATS[source.format]
    context = Context(received=received, zone=source.zone)
    order = _BEGINNING
    for record in stored_records(source.name, stream, received, taken):
        try:
            timed = Timed(record, normalise(record, known, context).time)
        except Ignored:
            timed = Timed(record, None)
        except RecordError as error:
            timed = Timed(record, None, str(error))
        order = order if timed.time is None else timed.time
        yield order, timed
