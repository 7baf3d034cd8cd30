"""Bounds how often the same line is logged: with the broker away, the Kafka client writes 80 a second."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from streams.log.fields import PLACES, bounded

LINES = 5
"""Lines of one kind that are written in a window."""

WINDOW = 60.0
"""Seconds."""

_KINDS = 1000
"""Kinds of lines that are told apart in a window; all further ones are one kind."""

_CHANGES = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")


@dataclass(slots=True)
class _Window:
    ends: float
    logger: str
    level: int
    line: str
    places: dict[str, Any]
    written: int = 0
    suppressed: int = 0


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes the first lines of a kind in each window, and afterwards how many more there were.

    Lines are of one kind that come from one logger with one template, and, where they are ours, from one
    place. That there were more is told with the next line of any kind after the window, or at the end.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        super().__init__(stream)
        self._clock = clock
        self._windows: dict[tuple[str, ...], _Window] = {}  # in the order in which they end

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it."""
        now = self._clock()
        for summary in self._ended(now):
            super().emit(summary)
        line, places = _kind(record)
        key = (record.name, _CHANGES.sub("0", line), *map(str, places.values()))
        if key not in self._windows and len(self._windows) >= _KINDS:
            line, places, key = "lines of many kinds", {}, ()
        window = self._windows.get(key)
        if window is None:
            window = _Window(now + WINDOW, record.name, record.levelno, line, places)
            self._windows[key] = window
        if window.written < LINES:
            window.written += 1
            super().emit(record)
        else:
            window.suppressed += 1

    def close(self) -> None:
        """Tell what has not been told yet."""
        self.acquire()
        try:
            for summary in self._ended(float("inf")):
                super().emit(summary)
        finally:
            self.release()
        super().close()

    def _ended(self, now: float) -> Iterator[logging.LogRecord]:
        while self._windows:
            key, window = next(iter(self._windows.items()))
            if window.ends > now:
                return
            del self._windows[key]
            if window.suppressed:
                yield _summary(window)


def _kind(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """Give a line without what differs between lines of its kind, and its place."""
    if isinstance(record.msg, dict):
        return str(record.msg.get("event")), {name: record.msg.get(name) for name in PLACES}
    return bounded(str(record.msg).partition("\n")[0]), {}


def _summary(window: _Window) -> logging.LogRecord:
    said = {
        "event": "more such lines were suppressed",
        "line": window.line,
        "suppressed": window.suppressed,
        "seconds": WINDOW,
    }
    said |= {name: value for name, value in window.places.items() if value is not None}
    record = logging.LogRecord(window.logger, window.level, "", 0, said, (), None)
    record.__dict__.update(_logger=None, _name=record.levelname.lower())  # as structlog marks its own
    return record
