"""How alerts look: a table, an explanation, or JSON lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.alert import Alert, Evidence, Exposure
from streams.sinks.sqlite import Stored

COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "dim"}
_TOLD = (
    "event.action",
    "event.outcome",
    "outfall.channel",
    "outfall.verdict",
    "outfall.destination.name",
    "outfall.subjects.count",
    "file.name",
    "email.subject",
    "url.domain",
    "outfall.bytes",
)
"""The fields of an event that its line of evidence tells, in this order."""


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Make text from a log harmless to a terminal: no control characters, no turned direction."""
    return _CONTROL.sub("\ufffd", text)


def print_json(alerts: Iterable[Stored]) -> None:
    """Print one JSON line for each alert, with what people did about it."""
    for alert in alerts:
        sys.stdout.buffer.write(orjson.dumps(alert.document()) + b"\n")
    sys.stdout.buffer.flush()


def print_table(alerts: Sequence[Stored]) -> None:
    """Print a table for a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("alert", "severity", "last", "people", "actor", "destination", "rule", "state", "assignee"):
        table.add_column(name, justify="right" if name == "people" else "left", overflow="fold")
    for stored in alerts:
        alert = stored.alert
        table.add_row(
            alert.id[:12],
            Text(alert.severity, COLOURS[alert.severity]),
            alert.last,
            str(alert.exposure.people),
            Text(plain(alert.actor.id or "-")),
            Text(plain(", ".join(alert.destinations) or "-")),
            Text(plain(alert.rule.name or alert.rule.title)),
            state(stored),
            Text(plain(stored.assignee or "-")),
        )
    Console(highlight=False).print(table)


def state(stored: Stored) -> str:
    """Say where the work stands, and whether the alert has gone on since somebody last acted."""
    text = stored.state
    if stored.handling and stored.handling[-1].revision < stored.alert.revision:
        text += f" (at revision {stored.handling[-1].revision}, now {stored.alert.revision})"
    return text


def explain(stored: Stored) -> None:
    """Print one alert for a person to read."""
    console = Console(highlight=False)
    alert = stored.alert
    console.print(Text(plain(alert.reason), "bold"))
    console.print(Text.assemble((alert.severity, COLOURS[alert.severity]), f" · {plain(alert.rule.title)}"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in _facts(stored):
        if value:
            table.add_row(name, Text(plain(value)))
    console.print(table)
    _print_list(console, "Evidence", [_evidence(item) for item in alert.evidence])
    _print_list(console, "What to do", alert.rule.runbook)
    _print_list(console, "False positives", alert.rule.falsepositives)
    _print_list(
        console,
        "What was done",
        [" ".join(filter(None, (item.at, item.by, item.action, item.text))) for item in stored.handling],
    )


def _facts(stored: Stored) -> list[tuple[str, str]]:
    alert = stored.alert
    group = ", ".join(f"{name} {value}" for name, value in alert.group.items())
    measured = f"{alert.observed} (threshold {alert.threshold})" if alert.threshold else ""
    return [
        ("alert", f"{alert.id}, revision {alert.revision}, {alert.status}"),
        ("work", state(stored)),
        ("who", _actor(alert)),
        ("group", group),
        ("whose data", _exposure(alert.exposure)),
        ("where to", ", ".join(alert.destinations)),
        ("kind of place", ", ".join(alert.destination_classes)),
        ("by which way", ", ".join(alert.channels)),
        ("verdict", alert.verdict or ""),
        ("when", f"{alert.first} to {alert.last}"),
        ("measured", measured),
        ("files", ", ".join(file.name or file.sha256 or "?" for file in alert.files)),
        ("late events", str(alert.late) if alert.late else ""),
        ("rule", alert.rule.place),
        ("tags", ", ".join(alert.rule.tags)),
    ]


def _actor(alert: Alert) -> str:
    about = [alert.actor.role, alert.actor.team, "leaver" if alert.actor.leaver else None]
    details = ", ".join(filter(None, about))
    return f"{alert.actor.id or 'unknown'}" + (f" ({details})" if details else "")


def _exposure(exposure: Exposure) -> str:
    about = [*exposure.categories, "vulnerable" if exposure.vulnerable else ""]
    text = f"{exposure.people} people, {exposure.records} records, {exposure.bytes} bytes"
    return ", ".join([text, *filter(None, about)])


def _evidence(evidence: Evidence) -> str:
    told = [f"{name.rpartition('.')[2]}={evidence.fields[name]}" for name in _TOLD if name in evidence.fields]
    marks = [f"[{mark}]" for mark in evidence.marks]
    return " ".join([evidence.time, *told, *marks, f"({evidence.source} line {evidence.line})"])


def _print_list(console: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        console.print(Text(f"\n{title}", "bold"))
    for number, line in enumerate(lines, 1):
        console.print(Text(f"{number:>4}  {plain(line)}"))
