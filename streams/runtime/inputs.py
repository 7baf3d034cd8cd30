"""What the tasks read: raw records with their origins, or messages of the stage before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.errors import RecordError
from streams.event import Origin, RawRecord
from streams.runtime.dead_letters import Letter
from streams.runtime.headers import (
    ATTEMPTS,
    MARKED,
    ORIGIN,
    PROGRESS,
    find,
    read_marked,
    read_number,
    read_origin,
)
from streams.stages.reader import DeadLetter
from streams.stages.stage import Progress, Raw, Stage
from streams.stages.wire import Message, decode

_MILLISECOND = 1_000_000
_LATEST = 2**63 // _MILLISECOND
"""The latest timestamp, in milliseconds, of which nanoseconds fit into 64 bits; a producer may set any."""


class RawInput:
    """Raw records of one partition; without a header their origin is where they lie in Kafka."""

    def __init__(self, topic: str, partition: int, source: str, stage: Stage[Raw]) -> None:
        self.topic, self.partition = topic, partition
        self.stage = stage
        self._source = source
        self._stream = f"{topic}/{partition}"
        self._read: dict[int, Any] = {}  # by the identity of what was made of it

    def read(self, records: Sequence[Any]) -> tuple[Sequence[Raw], list[Letter]]:
        """See `task.Input`."""
        taken: list[Raw] = []
        self._read = {}
        letters: list[Letter] = []
        for record in records:
            try:
                one = raw_record(record, self._source, self._stream)
            except RecordError as error:
                origin = Origin(self._source, self._stream, record.offset, record.offset)
                letters.append(_letter(record, origin, "headers", str(error), 1))
                continue
            taken.append(one)
            if isinstance(one, RawRecord):
                self._read[id(one)] = record
        return taken, letters

    def letter(self, dead: DeadLetter) -> Letter:
        """See `task.Input`."""
        record = self._read[id(dead.record)]
        tried = find(record.headers, ATTEMPTS)
        attempts = 1 if tried is None else read_number(tried, ATTEMPTS)
        return _letter(record, dead.record.origin, dead.stage, dead.reason, max(1, attempts))


def raw_record(record: Any, source: str, stream: str) -> Raw:
    """Make a raw record of what lies in a raw topic, or a mark of how far time has come.

    Raises:
        RecordError: its headers are not as outfall writes them.
    """
    headers = record.headers
    origin = None
    if headers:
        progress = find(headers, PROGRESS)
        if progress is not None:
            marked = find(headers, MARKED)
            sources = () if marked is None else read_marked(marked)
            return Progress(read_number(progress, PROGRESS), sources)
        stated = find(headers, ORIGIN)
        origin = None if stated is None else read_origin(stated, source)
        if (tried := find(headers, ATTEMPTS)) is not None:
            read_number(tried, ATTEMPTS)
    if origin is None:
        origin = Origin(source, stream, record.offset, record.offset)
    received = record.timestamp * _MILLISECOND if 0 <= record.timestamp < _LATEST else None
    return RawRecord(record.value or b"", origin, received)


class MessageInput:
    """Messages of the stage before; what is none of them, whoever wrote it, is a dead letter."""

    def __init__(self, topic: str, partition: int, stage: Stage[Message]) -> None:
        self.topic, self.partition = topic, partition
        self.stage = stage

    def read(self, records: Sequence[Any]) -> tuple[Sequence[Message], list[Letter]]:
        """See `task.Input`."""
        taken: list[Message] = []
        letters: list[Letter] = []
        for record in records:
            try:
                taken.append(decode(record.value or b""))
            except ValueError:
                origin = Origin(self.topic, str(self.partition), record.offset, record.offset)
                letters.append(_letter(record, origin, "decode", "not a message between stages", 1))
        return taken, letters

    def letter(self, dead: DeadLetter) -> Letter:
        """Nothing of a message is ever given up."""
        raise NotImplementedError(dead.stage)


def _letter(record: Any, origin: Origin, stage: str, reason: str, attempts: int) -> Letter:
    place = f"{record.topic}/{record.partition}/{record.offset}"
    return Letter(record.value or b"", origin, stage, RecordError.__name__, reason, place, attempts)
