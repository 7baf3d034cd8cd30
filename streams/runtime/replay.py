"""The same pipeline over stored records, as fast as it goes: files read once, in the order of event time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from streams.pipeline import Outcome, Pipeline
from streams.runtime.stored import stored_records
from streams.stages.reader import Prepared

BATCH = 1000


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


def _prepared(
    pipeline: Pipeline, name: str, stream: BinaryIO, received: int, progress: Callable[[str, int], None]
) -> Iterator[tuple[int, Prepared]]:
    """Give the records of one file with the times that order them; one without a time follows its former."""
    time = -(2**63)
    for record in stored_records(name, stream, received):
        item = pipeline.prepare(record)
        time = time if item.time is None else item.time
        progress(name, record.origin.offset)
        yield time, item
