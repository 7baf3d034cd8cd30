"""The store of the embedded run: one SQLite file with state, positions, alerts and dead letters.

A batch is saved in one transaction, so that after a crash everything is as after some whole batch. WAL lets
`outfall alerts` read while the run writes. `synchronous=FULL`: a commit survives a power cut too, which
matters since spooled messages are deleted after it and alerts have been seen; it costs one fsync a batch.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from streams.alert import Alert
from streams.errors import ConfigError
from streams.runtime import letter_table
from streams.runtime.letter_table import LetterTable
from streams.runtime.position import Position
from streams.sinks import sqlite
from streams.sinks.sqlite import AlertTables
from streams.state import Change, Saved

if TYPE_CHECKING:
    from streams.stages.reader import DeadLetter  # `outfall alerts` needs the store without the pipeline

FILE = "outfall.db"

_FIRST = """
CREATE TABLE state (
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (name, key)
);
CREATE TABLE positions (
    source TEXT NOT NULL,
    stream TEXT NOT NULL,
    path TEXT NOT NULL,
    offset INTEGER NOT NULL,
    line INTEGER NOT NULL,
    time INTEGER,
    guarded INTEGER NOT NULL,
    guard TEXT NOT NULL,
    finished INTEGER NOT NULL,
    PRIMARY KEY (source, stream)
);
"""

MIGRATIONS = (_FIRST + letter_table.SCHEMA + sqlite.SCHEMA, letter_table.ATTEMPTS)
"""Each brings the store from one version (`PRAGMA user_version`) to the next; never change one, add one."""


class Store:
    """An open store; `folder` is made when it is not there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / FILE
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite would make it readable to others
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._migrate(path)
        self.alerts = AlertTables(self._connection)
        self.letters = LetterTable(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def restore(self, table: Saved) -> None:
        """Put the saved rows of a table back."""
        for key, value in self._connection.execute(
            "SELECT key, value FROM state WHERE name = ?", (table.name,)
        ):
            table.restore(key, value)

    def positions(self, source: str) -> list[Position]:
        """Give how far the streams of a source have been read."""
        rows = self._connection.execute(
            "SELECT source, stream, path, offset, line, time, guarded, guard, finished FROM positions"
            " WHERE source = ?",
            (source,),
        )
        return [Position(*row) for row in rows]

    def forget_positions(self, source: str) -> None:
        """Forget how far the streams of a source have been read, so that what is there is read again."""
        self._connection.execute("DELETE FROM positions WHERE source = ?", (source,))

    def commit(
        self,
        changes: Iterable[Change],
        positions: Iterable[Position],
        alerts: Iterable[Alert],
        dead_letters: Iterable[DeadLetter],
        now: int,
        processed: Iterable[str] = (),
    ) -> None:
        """Save what a batch has led to, all or nothing; `now` dates the dead letters (nanoseconds).

        `processed` are the ids of dead letters that were the batch, and are none any more.
        """
        with self.transaction():
            for change in changes:
                self._save(change)
            self._connection.executemany(
                "INSERT OR REPLACE INTO positions"
                " (source, stream, path, offset, line, time, guarded, guard, finished)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (p.source, p.stream, p.path, p.offset, p.line, p.time, p.guarded, p.guard, p.finished)
                    for p in positions
                ],
            )
            self.letters.delete(processed)
            self.letters.write(dead_letters, now)
            self.alerts.write(alerts)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do several things or none of them."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _save(self, change: Change) -> None:
        if change.value is None:
            self._connection.execute(
                "DELETE FROM state WHERE name = ? AND key = ?", (change.table, change.key)
            )
        else:
            self._connection.execute(
                "INSERT OR REPLACE INTO state (name, key, value) VALUES (?, ?, ?)", change
            )

    def _migrate(self, path: Path) -> None:
        with self.transaction():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise ConfigError([f"{path}: made by a newer outfall (version {version} of the store)"])
            for statement in "".join(MIGRATIONS[version:]).split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
