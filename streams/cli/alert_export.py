"""Alerts as a table for spreadsheets."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator

from streams.errors import OutfallError, RecordError
from streams.event import rfc3339
from streams.normalise.time import parse_time
from streams.sinks.handling import Action, Stored

COLUMNS = (
    *("alert", "revision", "status", "severity", "rule", "reason", "actor", "team", "people", "records"),
    *("vulnerable", "categories", "bytes", "channels", "destinations", "destination_classes"),
    *("first", "last", "detected", "breach", "state", "assignee", "acknowledged", "closed", "comments"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def since(alerts: Iterable[Stored], text: str | None) -> Iterator[Stored]:
    """Give those alerts that went on until a time or later; all without one.

    Raises:
        OutfallError: it is no time.
    """
    if text is None:
        yield from alerts
        return
    try:
        begin = rfc3339(parse_time(text))
    except RecordError:
        raise OutfallError(f"--since: {text!r} is no time; write 2026-03-02T10:00:00Z") from None
    yield from (alert for alert in alerts if alert.alert.last >= begin)


def print_csv(alerts: Iterable[Stored]) -> None:
    """Print a head and a line for each alert (RFC 4180)."""
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    for stored in alerts:
        writer.writerow([_cell(value) for value in _values(stored)])


def _values(stored: Stored) -> Iterator[object]:
    alert, exposure = stored.alert, stored.alert.exposure
    yield from (alert.id, alert.revision, alert.status, alert.severity, alert.rule.name or alert.rule.id)
    yield from (alert.reason, alert.actor.id, alert.actor.team, exposure.people, exposure.records)
    yield from (exposure.vulnerable, exposure.categories, exposure.bytes, alert.channels)
    yield from (alert.destinations, alert.destination_classes, alert.first, alert.last, alert.detected)
    yield from (alert.breach, stored.state, stored.assignee)
    for action in (Action.ACKNOWLEDGE, Action.CLOSE):
        yield next((item.at for item in stored.handling if item.action is action), None)
    yield [item.text or "" for item in stored.handling if item.action is Action.COMMENT]


def _cell(value: object) -> str:
    """Give the text of a value; one that a spreadsheet would run gets an apostrophe before it."""
    text = "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
