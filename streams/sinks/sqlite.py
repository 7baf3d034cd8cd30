"""Alerts in SQLite: every revision, the newest one of each, and what people did about it.

What people do (acknowledge, assign, comment, close) are rows of their own, which no later revision
overwrites. Transactions are the owner's: `write` takes part in the one that saves positions and state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from streams.alert import Alert
from streams.sinks.handling import Action, Handling, Stored, check_prefix, found_one

SCHEMA = """
CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL,
    severity TEXT NOT NULL,
    rule TEXT NOT NULL,
    actor TEXT,
    people INTEGER NOT NULL,
    last TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE TABLE alert_revisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    alert TEXT NOT NULL,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (alert, revision)
);
CREATE TABLE alert_actions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    alert TEXT NOT NULL REFERENCES alerts (id),
    action TEXT NOT NULL,
    by TEXT NOT NULL,
    text TEXT,
    revision INTEGER NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX alert_actions_by_alert ON alert_actions (alert);
CREATE TABLE alert_lines (
    path TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL
);
"""
"""`alert_lines` says, for a file of JSON lines, up to which revision and which size it has been written."""


class AlertTables:
    """The tables of alerts in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def write(self, alerts: Iterable[Alert]) -> None:
        """Keep new revisions; one that is already there changes nothing."""
        for alert in alerts:
            document = alert.model_dump_json()
            self._connection.execute(
                "INSERT OR IGNORE INTO alert_revisions (alert, revision, document) VALUES (?, ?, ?)",
                (alert.id, alert.revision, document),
            )
            self._connection.execute(
                """INSERT INTO alerts (id, revision, status, severity, rule, actor, people, last, document)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, status = excluded.status,
                severity = excluded.severity, rule = excluded.rule, actor = excluded.actor,
                people = excluded.people, last = excluded.last, document = excluded.document
                WHERE excluded.revision > alerts.revision""",
                (
                    alert.id,
                    alert.revision,
                    alert.status,
                    alert.severity,
                    alert.rule.name or alert.rule.id,
                    alert.actor.id,
                    alert.exposure.people,
                    alert.last,
                    document,
                ),
            )

    def severities(self) -> dict[str, str]:
        """Give the severity of each alert."""
        return dict(self._connection.execute("SELECT id, severity FROM alerts"))

    def newest(self) -> Iterator[Stored]:
        """Give all alerts, the newest first."""
        rows = self._connection.execute("SELECT id, document FROM alerts ORDER BY last DESC, id").fetchall()
        handled: dict[str, list[Handling]] = {}
        for alert, *act in self._connection.execute(
            "SELECT alert, action, by, text, revision, at FROM alert_actions ORDER BY number"
        ):
            handled.setdefault(alert, []).append(_handling(act))
        for identity, document in rows:
            yield Stored(Alert.model_validate_json(document), tuple(handled.get(identity, ())))

    def find(self, prefix: str) -> Stored:
        """Give the one alert whose id begins so.

        Raises:
            OutfallError: there is none, or several, or nothing is said.
        """
        check_prefix(prefix)
        rows = self._connection.execute(
            "SELECT id, document FROM alerts WHERE substr(id, 1, length(?)) = ? LIMIT 2", (prefix, prefix)
        ).fetchall()
        identity, document = found_one(prefix, rows)
        acts = self._connection.execute(
            "SELECT action, by, text, revision, at FROM alert_actions WHERE alert = ? ORDER BY number",
            (identity,),
        )
        return Stored(Alert.model_validate_json(document), tuple(_handling(row) for row in acts))

    def act(self, stored: Stored, action: Action, *, by: str, text: str | None, at: str) -> None:
        """Keep what somebody did about an alert; `at` is RFC 3339."""
        self._connection.execute(
            "INSERT INTO alert_actions (alert, action, by, text, revision, at) VALUES (?, ?, ?, ?, ?, ?)",
            (stored.alert.id, action, by, text, stored.alert.revision, at),
        )

    def revisions_after(self, number: int) -> Iterator[tuple[int, str]]:
        """Give the revisions that were kept after the one of this number: number and JSON, in order."""
        yield from self._connection.execute(
            "SELECT number, document FROM alert_revisions WHERE number > ? ORDER BY number", (number,)
        )

    def written(self, path: str) -> tuple[int, int]:
        """Give up to which revision a file of JSON lines has been written, and the size it then had."""
        row = self._connection.execute(
            "SELECT number, size FROM alert_lines WHERE path = ?", (path,)
        ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def set_written(self, path: str, number: int, size: int) -> None:
        """Keep up to where a file of JSON lines has been written."""
        self._connection.execute(
            "INSERT OR REPLACE INTO alert_lines (path, number, size) VALUES (?, ?, ?)", (path, number, size)
        )


def _handling(row: Iterable[Any]) -> Handling:
    action, by, text, revision, at = row
    return Handling(Action(action), by, text, revision, at)
