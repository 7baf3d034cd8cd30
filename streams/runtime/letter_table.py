"""The dead letters of the embedded run: a table of its store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from streams.errors import RecordError
from streams.event import Origin
from streams.runtime.dead_letters import Letter
from streams.runtime.letters import Entry

if TYPE_CHECKING:
    from streams.stages.reader import DeadLetter  # `outfall alerts` needs the store without the pipeline

SCHEMA = """
CREATE TABLE dead_letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    stream TEXT NOT NULL,
    offset INTEGER NOT NULL,
    line INTEGER NOT NULL,
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    data BLOB NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (source, stream, offset, stage)
);
CREATE INDEX dead_letters_by_time ON dead_letters (at);
"""
ATTEMPTS = "ALTER TABLE dead_letters ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;\n"

_HELD = "number, at, source, stream, offset, line, stage, reason, attempts, length(data)"
_Row = tuple[int, int, str, str, int, int, str, str, int, int]


class LetterTable:
    """Each record that could not be processed, once for each stage that gave it up; its id is a number."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def write(self, letters: Iterable[DeadLetter], now: int) -> None:
        """Keep letters; one that is here already has been tried once more, and is as new."""
        self._connection.executemany(
            "INSERT INTO dead_letters (source, stream, offset, line, stage, reason, data, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, stream, offset, stage) DO UPDATE"
            " SET line = excluded.line, reason = excluded.reason, data = excluded.data, at = excluded.at,"
            " attempts = attempts + 1",
            [
                (*_place(letter.record.origin), letter.stage, letter.reason, letter.record.data, now)
                for letter in letters
            ],
        )

    def entries(self) -> Iterator[Entry]:
        """Give all, the oldest first, without their content, which may hold personal data."""
        for row in self._connection.execute(f"SELECT {_HELD} FROM dead_letters ORDER BY at, number"):  # noqa: S608 - our own words
            yield _entry(row)

    def read(self, number: str) -> Entry | None:
        """Give one with its content."""
        row = self._connection.execute(
            f"SELECT {_HELD}, data FROM dead_letters WHERE number = ?",  # noqa: S608 - our own words
            (number,),
        ).fetchone()
        return None if row is None else _entry(row[:-1], row[-1])

    def delete(self, ids: Iterable[str]) -> None:
        """Delete some."""
        self._connection.executemany("DELETE FROM dead_letters WHERE number = ?", ((each,) for each in ids))

    def erase(self, ids: Iterable[str]) -> None:
        """Delete some so that their content is overwritten in the file too, as soon as nobody reads it."""
        self._connection.execute("PRAGMA secure_delete = ON")
        self._connection.execute("BEGIN IMMEDIATE")
        self.delete(ids)
        self._connection.execute("COMMIT")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def forget(self, before: int) -> int:
        """Delete those from before a time (nanoseconds), and tell how many."""
        return self._connection.execute("DELETE FROM dead_letters WHERE at < ?", (before,)).rowcount


def _entry(row: _Row, data: bytes = b"") -> Entry:
    number, at, source, stream, offset, line, stage, reason, attempts, size = row
    origin = Origin(source, stream, offset, line)
    letter = Letter(data, origin, stage, RecordError.__name__, reason, attempts=attempts)
    return Entry(str(number), at, letter, size)


def _place(origin: Origin) -> tuple[str, str, int, int]:
    return origin.source, origin.stream, origin.offset, origin.line
