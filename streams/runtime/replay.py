"""The same pipeline over stored records, as fast as it goes: files read once, in the order of event time."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from streams.event import Origin, RawRecord
from streams.normalise.base import MAX_BYTES
from streams.pipeline import Outcome, Pipeline
from streams.runtime.lines import Line, read_lines
from streams.stages.reader import Prepared

BATCH = 1000
_MAX_ABOVE = 1000
"""Lines above the first record of a file that are held until it comes."""


def replay(
    pipeline: Pipeline,
    files: Sequence[tuple[str, BinaryIO]],
    received: int,
    progress: Callable[[str, int], None] = lambda _name, _offset: None,
) -> Iterator[tuple[list[Prepared], Outcome]]:
    """Run all records of the files, each named after its source, through the pipeline, batch by batch.

    Of several files, the record with the earliest time goes first, so that their events meet as they did
    when they happened. `received` stands for when they were read and completes times without a year.
    `progress` is told how far each file has been read, in bytes. The last outcome is that of `finish`.
    """
    feeds = [_prepared(pipeline, name, stream, received, progress) for name, stream in files]
    merged = (item for _, item in heapq.merge(*feeds, key=lambda pair: pair[0]))
    batch: list[Prepared] = []
    for item in merged:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch, pipeline.process(batch)
            batch = []
            for table in pipeline.tables:
                table.drain()  # nobody saves them, and they would be held for ever
    yield batch, pipeline.process(batch)
    yield [], pipeline.finish()


def read_records(name: str, stream: BinaryIO, received: int | None) -> Iterator[RawRecord]:
    """Give the lines of one file as records of a source.

    The file is known by its first line that is no comment; what stands above it belongs to the same stream,
    since it says how to read the rest.
    """
    above: list[Line] = []
    fingerprint = ""
    for line in read_lines(stream, MAX_BYTES):
        if not fingerprint:
            above.append(line)
            if (not line.data.strip() or line.data.startswith(b"#")) and len(above) < _MAX_ABOVE:
                continue
            fingerprint = hashlib.sha256(line.data).hexdigest()[:16]
            yield from (_record(name, fingerprint, each, received) for each in above)
        else:
            yield _record(name, fingerprint, line, received)
    if not fingerprint:
        yield from (_record(name, "", line, received) for line in above)


def _record(name: str, fingerprint: str, line: Line, received: int | None) -> RawRecord:
    return RawRecord(line.data, Origin(name, fingerprint, line.offset, line.number), received)


def _prepared(
    pipeline: Pipeline, name: str, stream: BinaryIO, received: int, progress: Callable[[str, int], None]
) -> Iterator[tuple[int, Prepared]]:
    """Give the records of one file with the times that order them; one without a time follows its former."""
    time = -(2**63)
    for record in read_records(name, stream, received):
        item = pipeline.prepare(record)
        time = time if item.time is None else item.time
        progress(name, record.origin.offset)
        yield time, item
