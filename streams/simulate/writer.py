"""Writes records into the logs, a day at a time, each log in the order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

import orjson

from streams.simulate.record import Record
from streams.simulate.sources import SOURCES
from streams.simulate.sources.case_system import UNNUMBERED as UNNUMBERED_ENTRY
from streams.simulate.sources.windows import UNNUMBERED as UNNUMBERED_RECORD
from streams.simulate.truth import Truth

_FIRST_RECORD_ID = 1_000


class _Line(NamedTuple):
    """A line that waits to be written; `counter` is what numbers it, empty for none."""

    time: int
    source: str
    data: bytes
    story: str
    counter: str


class Writer:
    """Keeps one open file for each source, numbers lines and records, and notes the evidence."""

    def __init__(self, folder: Path, truth: Truth) -> None:
        self._folder = folder
        self._truth = truth
        self._files: dict[str, BinaryIO] = {}
        self._lines: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        self._waiting: list[_Line] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, source in SOURCES.items():
            self._files[name] = (self._folder / source.file).open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()

    def add(self, records: Iterable[Record], *, story: str = "") -> None:
        """Take records, in any order. They are evidence of a story, or of none.

        They are encoded at once, since the objects of a whole day would take several times the memory.
        """
        for time, source, body in records:
            # The copy gives back what orjson had reserved: otherwise each line holds several kilobytes.
            data = body.encode() if isinstance(body, str) else bytes(memoryview(orjson.dumps(body)))
            counter = "" if isinstance(body, str) else _counter(source, body)
            self._waiting.append(_Line(time, source, data, story, counter))

    def write(self, until: int | None) -> None:
        """Write what lies before `until` (microseconds since the epoch; None: everything); the rest waits."""
        due = sorted(self._waiting, key=attrgetter("time"))
        late = (place for place, line in enumerate(due) if until is not None and line.time >= until)
        cut = next(late, len(due))
        self._waiting = due[cut:]
        for line in due[:cut]:
            data = self._numbered(line) if line.counter else line.data
            self._files[line.source].write(data + b"\n")
            if line.story:
                self._truth.note(line.story, line.time, line.source, self._lines[line.source])
            self._lines[line.source] += 1

    def _numbered(self, line: _Line) -> bytes:
        """Give a record the number that its system counts up as it writes."""
        number = self._numbers[line.counter]
        self._numbers[line.counter] += 1
        if line.source == "case_system":
            return line.data.replace(UNNUMBERED_ENTRY, b'"id":"a-%09d"' % (number + 1), 1)
        return line.data.replace(UNNUMBERED_RECORD, b'"record_id":%d' % (number + _FIRST_RECORD_ID), 1)


def _counter(source: str, body: dict[str, Any]) -> str:
    """Name what numbers a record: the case system, or a machine's event channel."""
    if source == "windows":
        return f"{body['winlog']['computer_name']}/{body['winlog']['channel']}"
    return source if source == "case_system" else ""
