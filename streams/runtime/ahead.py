"""Stored logs looked at by other processes, ahead of the pipeline that takes them in.

What comes out is the same sequence whatever the number of processes: the record with the earliest time
first, of equal ones that of the log that was named first. All logs of a source are read by one process.
"""

from __future__ import annotations

import heapq
import multiprocessing
import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from operator import itemgetter
from typing import Any, Self

from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.errors import ConfigError, OutfallError
from streams.event import RawRecord
from streams.runtime.build import Parts, load_parts, sources_of
from streams.runtime.cache import user_cache
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.stored_logs import Log, Read, TopicLog
from streams.settings import Settings
from streams.stages.look import Look
from streams.stages.reader import Passed, Prepared, Reader

BATCH = 500
"""Records that are looked at, and handed on, together."""
AHEAD = 16
"""Most batches that a process is ahead."""
_BEGINNING = -(2**63)
_STEPS = 1000
"""So often at most it is told how much of a log has been read."""
_ASK = 1.0
"""Seconds after which it is asked whether a process that says nothing still lives."""


_Item = tuple[int, int, int, Prepared | Passed]
"""A record with its time and its log, which order it, and how much of the log has been read with it."""


def looked_at(
    settings: Settings,
    parts: Parts,
    logs: Sequence[Log],
    received: int,
    processes: int,
    advance: Callable[[int], object],
) -> Iterator[Prepared | Passed]:
    """Give what is left to do with all records of the logs; `advance` is told how much more has been read.

    `parts` are those of the settings. `received` stands for when the records of files were read, and
    completes times without a year.

    Raises:
        ConfigError: a log cannot be read.
        OutfallError: a process has ended before its logs.
    """
    numbered = [*enumerate(logs)]
    read = [0] * len(logs)
    steps = [log.size // _STEPS + 1 for log in logs]
    with ExitStack() as stack:
        if processes < 2:
            feeds = [_ordered(settings, parts, numbered, received)]
        else:
            groups = _shared_out(numbered, processes)
            running = [stack.enter_context(_Process(settings, group, received)) for group in groups]
            feeds = [process.items() for process in running]
        for count, (_, log, behind, item) in enumerate(heapq.merge(*feeds, key=itemgetter(0, 1))):
            if behind - read[log] >= steps[log] or not count:
                advance(behind - read[log])
                read[log] = behind
            yield item


def clock_skew(settings: Settings, logs: Sequence[Log]) -> int | None:
    """Give how far events may be ahead of their receipt; None for files, of which receipt says nothing."""
    return settings.clock_skew if any(isinstance(log, TopicLog) for log in logs) else None


def _shared_out(logs: Sequence[tuple[int, Log]], processes: int) -> list[list[tuple[int, Log]]]:
    """Share the logs out by their sources, the largest first, so that all processes have as much to do."""
    by_source: dict[str, list[tuple[int, Log]]] = {}
    for number, log in logs:
        by_source.setdefault(log.source, []).append((number, log))
    groups: list[list[tuple[int, Log]]] = [[] for _ in range(min(processes, len(by_source)))]
    sizes = [0] * len(groups)
    for some in sorted(by_source.values(), key=_size, reverse=True):
        least = sizes.index(min(sizes))
        groups[least] += some
        sizes[least] += _size(some)
    return [sorted(group) for group in groups]


def _size(logs: Sequence[tuple[int, Log]]) -> int:
    return sum(log.size for _, log in logs)


def _ordered(
    settings: Settings, parts: Parts, logs: Sequence[tuple[int, Log]], received: int
) -> Iterator[_Item]:
    """Give the records of some logs; one without a time follows the one before it in its log."""
    names = {log.source for _, log in logs}
    skew = clock_skew(settings, [log for _, log in logs])
    reader = Reader([source for source in sources_of(settings) if source.name in names], skew)
    look = Look(reader, Enricher(parts.enrichment), RuleSet(parts.book, cache=user_cache()))
    taken: dict[str, set[str]] = {name: set() for name in names}
    feeds = [_of_log(reader, look, number, log.read(received, taken[log.source])) for number, log in logs]
    yield from heapq.merge(*feeds, key=itemgetter(0, 1))


def _of_log(reader: Reader, look: Look, number: int, records: Iterator[Read]) -> Iterator[_Item]:
    time = _BEGINNING
    while batch := [*islice(records, BATCH)]:
        looked = iter(look.prepare([record for _, record in batch if isinstance(record, RawRecord)]))
        for behind, record in batch:
            item = next(looked) if isinstance(record, RawRecord) else record
            time = time if item.time is None else item.time
            yield time, number, behind, item
        for table in reader.tables:
            table.drain()  # nobody saves them, and they would be held for ever


class _Process:
    """A process that looks at some logs."""

    def __init__(self, settings: Settings, logs: Sequence[tuple[int, Log]], received: int) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would take our threads' locks with it
        self._queue: Any = context.Queue(AHEAD)
        self._process = context.Process(
            target=_serve, args=(self._queue, settings, logs, received), daemon=True
        )

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def items(self) -> Iterator[_Item]:
        """Give what it has found out.

        Raises:
            ConfigError, OutfallError: as `looked_at`.
        """
        while True:
            try:
                said = self._queue.get(timeout=_ASK)
            except queue.Empty:
                if self._process.is_alive():
                    continue
                raise OutfallError("a process that read logs has ended before their end") from None
            if isinstance(said, ConfigError):
                raise said
            if not said:
                return
            yield from said


def _serve(to: Any, settings: Settings, logs: Sequence[tuple[int, Log]], received: int) -> None:
    spare_garbage_collection()
    try:
        items = _ordered(settings, load_parts(settings), logs, received)
        while batch := [*islice(items, BATCH)]:
            to.put(batch)
        to.put([])
    except ConfigError as error:
        to.put(error)
