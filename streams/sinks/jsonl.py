"""Alerts as JSON lines, appended to a file: every revision once, also across crashes.

The store knows up to which revision, and which size of the file, has been written. What the file holds
beyond that was written just before a crash; so many revisions are already there.
"""

from __future__ import annotations

import os
from pathlib import Path

from streams.sinks.sqlite import AlertTables


class JsonLines:
    """One file of JSON lines; created with mode 0600, since evidence can name people."""

    def __init__(self, path: Path, alerts: AlertTables) -> None:
        self._path = path
        self._alerts = alerts
        self._number, size = alerts.written(str(path))
        self._settle(size)

    def write(self) -> None:
        """Append the revisions that the store has and the file has not."""
        rows = list(self._alerts.revisions_after(self._number))
        if not rows:
            return
        data = b"".join(document.encode() + b"\n" for _, document in rows)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        self._number = rows[-1][0]
        self._alerts.set_written(str(self._path), self._number, size)

    def _settle(self, size: int) -> None:
        """Count the lines that were written before a crash, and cut off one that was not finished."""
        if not self._path.exists() or self._path.stat().st_size <= size:
            return
        with self._path.open("r+b") as file:
            file.seek(size)
            beyond = file.read()
            whole = beyond.rfind(b"\n") + 1
            file.truncate(size + whole)
        lines = beyond[:whole].count(b"\n")
        for (number, _), _line in zip(self._alerts.revisions_after(self._number), range(lines), strict=False):
            self._number = number
        self._alerts.set_written(str(self._path), self._number, size + whole)
